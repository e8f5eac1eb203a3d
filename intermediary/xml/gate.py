"""The streaming gate: refuses hostile XML before a tree is built (threats T1 to T3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.parsers import expat

from intermediary.core.faults import Rejected

XENC = "http://www.w3.org/2001/04/xmlenc#"
OSCI = "http://www.osci.de/2002/04/osci"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an XML document may be; everything beyond is refused as `xml.limit`.

    `max_bytes` counts the document, `max_token` the characters of one text, attribute, tag or comment, `max_tag` the bytes
    of one tag: its attributes cost many times their length before anybody can count them. The elements in
    `base64_elements` (`{namespace}name`) may hold text up to `max_bytes`: encrypted or encoded content. `max_nodes`
    counts elements, comments, CDATA sections and processing instructions, `max_attributes` includes namespace
    declarations.
    """

    max_bytes: int = 64 * MEGABYTE
    max_depth: int = 200
    max_nodes: int = 500_000
    max_attributes: int = 256
    max_name: int = 1024
    max_token: int = 8 * MEGABYTE
    max_tag: int = MEGABYTE
    base64_elements: frozenset[str] = frozenset({f"{{{XENC}}}CipherValue", f"{{{OSCI}}}Base64Content"})


DEFAULT = Limits()

_BOM = b"\xef\xbb\xbf"
_FOREIGN_STARTS = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<", b"\x00\x00", b"\x4c\x6f\xa7\x94", b"+/v")
_DECLARATION = re.compile(
    rb"""<\?xml\s+version\s*=\s*(?:"1\.0"|'1\.0')(?:\s+encoding\s*=\s*(?:"([^"]{0,40})"|'([^']{0,40})'))?"""
    rb"""(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*\?>"""
)
_TAG = re.compile(rb"""<(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_SEPARATOR = "\x1f"
_CHUNK = MEGABYTE


def without_bom(data: bytes) -> bytes:
    """The document without its byte order mark, after the one rule on encodings: UTF-8, by every sign there is.

    A byte order mark is allowed once, a declaration may say UTF-8 or nothing; anything else is `xml.encoding`.
    """
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
    if data.startswith((*_FOREIGN_STARTS, _BOM)):
        raise Rejected("xml.encoding")
    if data[:5] == b"<?xml" and data[5:6].isspace():
        declaration = _DECLARATION.match(data)
        if declaration is None:
            raise Rejected("xml.malformed", where="declaration")
        declared = declaration.group(1) or declaration.group(2)
        if declared is not None and declared.lower() != b"utf-8":
            raise Rejected("xml.encoding")
    return data


def check(data: bytes, limits: Limits, *, refuse_instructions: bool) -> None:
    """Reads the document once, event by event, and raises `Rejected` at the first thing it may not contain.

    `data` has no byte order mark. Nothing is kept and nothing is resolved; a document type declaration ends the reading
    at its first byte.
    """
    _Gate(data, limits, refuse_instructions=refuse_instructions).run()


class _Gate:
    """One reading of one document."""

    def __init__(self, data: bytes, limits: Limits, *, refuse_instructions: bool) -> None:
        self._data = data
        self._limits = limits
        self._refuse_instructions = refuse_instructions
        self._depth = 0
        self._nodes = 0
        self._declarations = 0
        self._text = 0
        self._text_limit = limits.max_token
        self._short = min(limits.max_token, limits.max_tag)
        self._last = 0
        self._seen = 0
        self._base64 = frozenset(name[1:].replace("}", _SEPARATOR) for name in limits.base64_elements)
        parser = expat.ParserCreate("utf-8", _SEPARATOR)
        parser.buffer_text = True
        parser.buffer_size = 1 << 18
        parser.ordered_attributes = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.EntityDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartNamespaceDeclHandler = self._declare
        parser.CharacterDataHandler = self._characters
        parser.CommentHandler = self._comment
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartCdataSectionHandler = self._count
        self._parser = parser

    def run(self) -> None:
        data = memoryview(self._data)
        try:
            for start in range(0, len(data), _CHUNK):
                self._parser.Parse(bytes(data[start : start + _CHUNK]), False)
                self._check_progress(start + _CHUNK)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            # Without the library's sentence: it may quote the document.
            raise Rejected("xml.malformed", where=f"line {error.lineno}") from None
        self._check_span(len(self._data))

    def _start(self, name: str, attributes: list[str]) -> None:
        self._count()
        self._depth += 1
        if self._depth > self._limits.max_depth:
            raise Rejected("xml.limit", where="depth")
        if len(attributes) // 2 + self._declarations > self._limits.max_attributes:
            raise Rejected("xml.limit", where="attributes")
        self._declarations = 0
        longest = self._limits.max_name
        if len(name) > longest or any(len(attribute) > longest for attribute in attributes[::2]):
            raise Rejected("xml.limit", where="name")
        self._text = 0
        self._text_limit = self._limits.max_bytes if name in self._base64 else self._limits.max_token

    def _end(self, _name: str) -> None:
        self._depth -= 1
        self._text = 0
        self._text_limit = self._limits.max_token
        self._check_span(self._parser.CurrentByteIndex)

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._declarations += 1
        if self._declarations > self._limits.max_attributes:
            raise Rejected("xml.limit", where="attributes")
        if len(prefix or "") + len(uri or "") > self._limits.max_name:
            raise Rejected("xml.limit", where="name")

    def _characters(self, text: str) -> None:
        self._seen = self._parser.CurrentByteIndex
        self._text += len(text)
        if self._text > self._text_limit:
            raise Rejected("xml.limit", where="token")

    def _comment(self, _text: str) -> None:
        self._count()

    def _instruction(self, _target: str, _text: str) -> None:
        if self._refuse_instructions:
            raise Rejected("xml.malformed", where="processing instruction")
        self._count()

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > self._limits.max_nodes:
            raise Rejected("xml.limit", where="nodes")
        self._check_span(self._parser.CurrentByteIndex)

    def _check_span(self, index: int) -> None:
        """From one piece of markup to the next: only a large span is looked at, for a tag or comment that fills it."""
        if index - self._last > self._short:
            tag = _TAG.match(self._data, self._last)
            self._check_markup(self._last, index if tag is None else tag.end())
        self._last = self._seen = index

    def _check_progress(self, fed: int) -> None:
        """Bytes that gave no event are one token that has not ended."""
        if fed - self._seen > self._limits.max_token + 2 * _CHUNK:
            raise Rejected("xml.limit", where="token")
        self._check_markup(self._parser.CurrentByteIndex, min(fed, len(self._data)))

    def _check_markup(self, begin: int, end: int) -> None:
        """A tag, comment or instruction from here to there, whether it has ended or not."""
        is_tag = self._data[begin : begin + 1] == b"<" and self._data[begin + 1 : begin + 2] not in (b"!", b"?")
        if end - begin > (self._short if is_tag else self._limits.max_token):
            raise Rejected("xml.limit", where="token")


def _refuse_doctype(*_declaration: object) -> None:
    raise Rejected("xml.dtd-forbidden")
