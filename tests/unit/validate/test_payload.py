"""Finding the payload among everything that came with it."""

from __future__ import annotations

import pytest

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent, Opened, Part
from intermediary.validate.payload import find_payload, payload_at


def part(data: bytes, name: str = "content", media_type: str = "", kind: str = "data") -> Part:
    """One piece of a submission."""
    return Part(name, media_type, kind, MemoryContent(data))


def opened(contents: list[Part], attachments: list[Part] | None = None) -> Opened:
    """A submission of these parts."""
    return Opened("osci-1.2", "AcceptDelivery", "m", "s", tuple(contents), tuple(attachments or ()), (), (), "osci@1")


def test_a_known_root_wins_over_an_earlier_unknown_one():
    """The document a route or schema knows is the payload, wherever it stands; the rest keeps its order."""
    found = find_payload(opened([part(b"<other/>"), part(b"<antrag/>"), part(b"%PDF")]), lambda root: root == "antrag")

    assert ("antrag", 1) == (found.root, found.position)
    assert [b"<other/>", b"%PDF"] == [rest.content.read() for rest in found.rest]


def test_an_attachment_counts_only_when_it_says_that_it_is_xml():
    """Attachments are looked at after contents, by media type or name."""
    attachments = [part(b"<antrag/>", "a.bin"), part(b"<antrag n='2'/>", "b.XML", kind="attachment")]

    found = find_payload(opened([part(b"no xml")], attachments), lambda root: root == "antrag")

    assert (2, b"<antrag n='2'/>") == (found.position, found.part.content.read())


def test_without_a_known_root_the_first_document_tells_which_route_is_missing():
    """An unknown document is returned, so that the operator learns its root."""
    assert "a" == find_payload(opened([part(b"x"), part(b"<a/>"), part(b"<b/>")]), lambda _: False).root


def test_nothing_to_parse_says_what_is_wrong():
    """A broken document is refused as what it is, an empty submission as missing its payload."""
    with pytest.raises(Rejected) as broken:
        find_payload(opened([part(b"<a>")]), lambda _: True)
    with pytest.raises(Rejected) as empty:
        find_payload(opened([]), lambda _: True)

    assert ("xml.malformed", "validate.payload.missing") == (broken.value.code, empty.value.code)


def test_a_pinned_position_finds_the_same_document_whatever_is_known_today():
    """A later run takes the part that was judged, not what today's routes would choose."""
    whole = opened([part(b"<other/>"), part(b"<antrag/>")])

    assert payload_at(whole, 1).part is whole.contents[1]
    with pytest.raises(Rejected):
        payload_at(whole, 2)
