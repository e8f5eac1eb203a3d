"""Documents of any length: long Base64 texts stay where they lie, only the rest becomes a tree (threat T2).

A long text is taken out before the parser sees it and an unguessable word stands in its place. That the word then is the
whole text of an element that may hold Base64, and stands nowhere else, is checked in the tree; where it is not so, the
document is read as any other.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from intermediary.core.faults import Rejected
from intermediary.core.section import Section, View
from intermediary.core.values import Content
from intermediary.xml.gate import DEFAULT, Limits
from intermediary.xml.parser import Element, parse

_PURE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n"


@dataclass(frozen=True, slots=True)
class LongText:
    """The text of one element, as the parser would have given it: Base64 and white space, nothing to escape."""

    section: Section

    @property
    def length(self) -> int:
        """In the document, before line ends are normalised."""
        return self.section.length

    def pieces(self) -> Iterator[bytes]:
        """The text in pieces, line ends normalised (XML 1.0, 2.11)."""
        held = b""
        for piece in self.section.stretch():
            text = held + bytes(piece)
            held = b""
            if b"\r" in text:
                if text.endswith(b"\r"):
                    text, held = text[:-1], b"\r"
                text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            yield text
        if held:
            yield b"\n"


class LongTexts:
    """The long texts of one document, by the words that stand for them in its tree."""

    __slots__ = ("_pattern", "_texts")

    def __init__(self, texts: Mapping[str, LongText]) -> None:
        self._texts = texts
        self._pattern = re.compile(b"(" + b"|".join(word.encode() for word in texts) + b")") if texts else None

    def of(self, element: Element) -> LongText | None:
        """The long text of this element, None if its text stands in the tree."""
        return self._texts.get(element.text or "") if self._texts else None

    def filled(self, form: bytes) -> Iterator[bytes]:
        """A canonical form of the tree with the texts in their places: that of the document, in pieces."""
        if self._pattern is None:
            yield form
            return
        for part in self._pattern.split(form):
            text = self._texts.get(part.decode()) if part.startswith(_MARK_BYTES) else None
            if text is None:
                yield part
            else:
                yield from text.pieces()


NO_TEXTS = LongTexts({})

# No Base64: a word that is taken for a text by mistake is refused.
_MARK = "-long-"
_MARK_BYTES = _MARK.encode()
_LONGEST_TAG = 4096


@dataclass(frozen=True, slots=True)
class Document:
    """The tree of a document and the texts that are not in it."""

    root: Element = field(repr=False)
    texts: LongTexts = field(repr=False, default=NO_TEXTS)


def read_document(
    content: Content, *, long_text: int, limits: Limits = DEFAULT, refuse_instructions: bool = False
) -> Document:
    """The document in `content`, whose Base64 texts of more than `long_text` bytes stay there and count for no limit.

    Only elements that `limits` names may have them. Everything else is as `parse` says, `limits.max_bytes` being that
    of the rest. `content` must never change.
    """
    reduced, texts = _Reduction(content, long_text, limits).run()
    if not texts:
        return Document(parse(content, limits=limits, refuse_instructions=refuse_instructions))
    root = parse(reduced, limits=limits, refuse_instructions=refuse_instructions)
    in_place = {one.text for one in root.iter(*limits.base64_elements) if len(one) == 0}
    if texts.keys() <= in_place:
        return Document(root, LongTexts(texts))
    if content.length > limits.max_bytes:
        raise Rejected("xml.limit", where="token")
    return Document(parse(content, limits=limits, refuse_instructions=refuse_instructions))


class _Reduction:
    """Takes the long texts out of one document."""

    def __init__(self, content: Content, long_text: int, limits: Limits) -> None:
        self._content = content
        self._view = View(content)
        self._long_text = long_text
        self._max_bytes = limits.max_bytes
        names = "|".join(sorted({re.escape(name.rpartition("}")[2]) for name in limits.base64_elements}))
        self._start_tag = re.compile(rf"<(?:[^\s<>/:=\"']+:)?(?:{names})(?:\s[^<>]*)?>".encode())
        self._reduced = bytearray()
        self._texts: dict[str, LongText] = {}

    def run(self) -> tuple[bytes, dict[str, LongText]]:
        """What is left, and what was taken out by the word that stands for it; nothing at all where nothing was."""
        position = 0
        while position < self._view.length:
            # From one `<` to the next; short stretches are passed over many at a time.
            window = self._view.slice(position, position + self._long_text)
            last = window.rfind(b"<")
            if last > 0:
                self._keep(window[:last])
                position += last
            else:
                position = self._stretch(position)
        if not self._texts:  # the document itself is what is left; it is not to be held twice
            self._reduced.clear()
        return bytes(self._reduced), self._texts

    def _stretch(self, position: int) -> int:
        """A stretch without another `<` that fills the window: a start tag and its text, perhaps."""
        end = self._view.find(b"<", position + 1)
        is_last = end < 0
        end = self._view.length if is_last else end
        head = self._view.slice(position, min(end, position + _LONGEST_TAG))
        tag = head[: head.rfind(b">") + 1]
        begin = position + len(tag)
        if (
            not is_last
            and end - begin > self._long_text
            and self._start_tag.fullmatch(tag)
            and self._is_pure(begin, end)
        ):
            word = _MARK + secrets.token_hex(16)
            self._texts[word] = LongText(Section(self._content, begin, end))
            self._keep(tag + word.encode())
        else:
            for piece in Section(self._content, position, end).stretch():
                self._keep(piece)
        return end

    def _is_pure(self, begin: int, end: int) -> bool:
        stretch = Section(self._content, begin, end).stretch()
        return all(not bytes(piece).translate(None, _PURE) for piece in stretch)

    def _keep(self, piece: bytes | memoryview) -> None:
        if len(self._reduced) + len(piece) > self._max_bytes:
            raise Rejected("xml.limit", where="bytes")
        self._reduced += piece
