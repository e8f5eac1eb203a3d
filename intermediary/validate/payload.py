"""Finds the document, XML or JSON, that an application consists of among everything that came with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from intermediary.core.faults import Rejected
from intermediary.core.values import Opened, Part
from intermediary.validate.json_payload import is_json, opens_like_json, read_part, root_of
from intermediary.xml.parser import Element, parse

_XML_NAMES = (".xml",)
_XML_TYPES = ("application/xml", "text/xml")


@dataclass(frozen=True, slots=True)
class Payload:
    """The document's part, its tree (parsed once, not to be changed; None for JSON, which is `document`), and all other
    parts in the sender's order.

    `position` is where the part stands among contents and attachments, from 0: what a plan pins, because names and
    places are the sender's text. `is_marked`: its envelope says that it is a test.
    """

    position: int
    part: Part = field(repr=False)
    tree: Element | None = field(repr=False)
    rest: tuple[Part, ...] = field(repr=False)
    is_marked: bool = False
    document: Any = field(default=None, repr=False)

    @property
    def root(self) -> str:
        """QName of the root element; `json` or `json:<$schema>` for JSON."""
        return root_of(self.document) if self.tree is None else str(self.tree.tag)

    @property
    def is_test(self) -> bool:
        """Whether the envelope (XTA: TestMsg) or the XÖV message itself (`test` attribute) says so (DESIGN §2.15)."""
        return self.is_marked or (self.tree is not None and self.tree.get("test") is not None)


def find_payload(opened: Opened, is_known: Callable[[str], bool]) -> Payload:
    """The first part whose root is known to a route or schema (`is_known`).

    Data contents are looked at before attachments, and among either XML before JSON. When no root is known the first
    well-formed document is taken, so that the operator learns which root is missing a route. Raises `Rejected`: what the
    parser found, or `validate.payload.missing` when there is nothing to parse.
    """
    first: Payload | None = None
    refusal: Rejected | None = None
    for part in _candidates(opened):
        try:
            found = _payload(opened, part)
        except Rejected as fault:
            refusal = refusal or fault
            continue
        if is_known(found.root):
            return found
        first = first or found
    if first is not None:
        return first
    raise refusal or Rejected("validate.payload.missing")


def payload_at(opened: Opened, position: int) -> Payload:
    """The document at a position that an earlier run has pinned; the same bytes have the same parts in the same order."""
    parts = _parts(opened)
    if position >= len(parts):
        raise Rejected("validate.payload.missing")
    return _payload(opened, parts[position])


def _candidates(opened: Opened) -> Iterator[Part]:
    yield from sorted(opened.contents, key=_reads_as_json)
    yield from (part for part in opened.attachments if _is_xml(part))
    yield from (part for part in opened.attachments if is_json(part))


def _is_xml(part: Part) -> bool:
    return part.media_type.split(";")[0].strip().lower() in _XML_TYPES or part.name.lower().endswith(_XML_NAMES)


def _reads_as_json(part: Part) -> bool:
    return is_json(part) or (not _is_xml(part) and opens_like_json(part))


def _payload(opened: Opened, part: Part) -> Payload:
    parts = _parts(opened)
    position = next(number for number, other in enumerate(parts) if other is part)
    is_marked = opened.facts.get("test") == "true"
    rest = parts[:position] + parts[position + 1 :]
    if _reads_as_json(part):
        return Payload(position, part, None, rest, is_marked, read_part(part))
    return Payload(position, part, parse(part.content), rest, is_marked)


def _parts(opened: Opened) -> tuple[Part, ...]:
    return (*opened.contents, *opened.attachments)
