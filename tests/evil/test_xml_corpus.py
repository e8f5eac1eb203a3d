"""The hostile corpus at the parser (door payload.xml) and at the OSCI reader (door osci.soap)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent
from intermediary.keys.ring import Keyring
from intermediary.unseal import NotOpened, profile, unseal
from intermediary.unseal.formats import OSCI_TYPE
from intermediary.xml.parser import DEFAULT, parse
from tests.evil.corpus import Attack, attacks
from tests.vectors.cases import AT

ATTACKS = attacks("XC", "XB", "XD", "XE", "EN", "IC")
LARGEST = 100_000_000
"""Beyond this a case is refused by its length alone and never built here."""

CODES = {
    "dtd-forbidden": {"xml.dtd-forbidden", "xml.encoding"},
    "depth-limit": {"xml.limit"},
    "attribute-limit": {"xml.limit"},
    "size-limit": {"xml.limit"},
    "not-well-formed": {"xml.malformed", "xml.limit"},
}
XINCLUDE = {"XE-015", "XE-016", "XE-021"}
NEEDS_A_SCHEMA = {"XE-018"}
"""Well-formed and harmless to a parser that resolves nothing: a root that no schema and no route knows."""


class Promised:
    """Content that says its length and must not be read."""

    sha256 = ""

    def __init__(self, length: int) -> None:
        self.length = length

    def read(self) -> bytes:
        raise AssertionError("was read")


def test_the_corpus_was_found(shared: Path) -> None:
    """All XML families of the corpus are there."""
    assert (shared / "vectors" / "hostile" / "manifest.json").is_file()
    assert len(ATTACKS) == 98


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_payload_door(attack: Attack) -> None:
    """Controls are parsed, attacks are refused with a stable code, within the ceiling and without any fetch."""
    content = Promised(attack.size) if attack.size > LARGEST else MemoryContent(attack.data)
    began = time.process_time()
    try:
        parse(content)  # type: ignore[arg-type]
        code = ""
    except Rejected as refusal:
        code = refusal.code
    took = time.process_time() - began

    assert took < attack.seconds
    if attack.expect in ("accept", "schema-invalid") or attack.id in NEEDS_A_SCHEMA:
        assert code == ""
    elif attack.id in XINCLUDE:
        assert code == "xml.xinclude-forbidden"
    elif attack.expect == "reject":
        assert code in CODES.get(attack.entry.get("error_class", ""), {"xml.encoding", "xml.malformed"})
    else:
        assert code == "" or code.startswith("xml.")


def test_a_large_document_is_not_read() -> None:
    """Above the limit the length alone decides; not one byte is fetched."""
    with pytest.raises(Rejected) as refusal:
        parse(Promised(DEFAULT.max_bytes + 1))  # type: ignore[arg-type]

    assert (refusal.value.code, refusal.value.where) == ("xml.limit", "bytes")


SOAP = [attack for attack in (*ATTACKS, *attacks("NS")) if attack.size <= LARGEST]


@pytest.mark.parametrize("attack", SOAP, ids=str)
def test_osci_soap_door(attack: Attack) -> None:
    """As the SOAP part of a message nothing of it is taken: no case is an OSCI message, and each is refused in time."""
    message = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=B; type=text/xml\r\n\r\n--B\r\n"
        b"Content-Type: text/xml; charset=UTF-8\r\nContent-ID: <osci@message>\r\n\r\n" + attack.data + b"\r\n--B--\r\n"
    )
    began = time.process_time()
    with pytest.raises(NotOpened) as refusal:
        unseal(MemoryContent(message), content_type=OSCI_TYPE, keyring=Keyring(), policy=profile("legacy"), at=AT)

    assert time.process_time() - began < attack.seconds
    assert refusal.value.osci_code == "9100"


@pytest.mark.parametrize("letter", ["u", "&#117;", "&#x75;"])
@pytest.mark.parametrize("filler", [0, 300_000], ids=["short", "long"])
def test_xinclude_is_refused_however_it_is_written(letter: str, filler: int) -> None:
    """The element's namespace counts, not the bytes that spell it."""
    with pytest.raises(Rejected) as refusal:
        parse(f'<a xmlns:x="http://www.w3.org/2001/XIncl{letter}de">{"t" * filler}<x:include href="b"/></a>'.encode())

    assert refusal.value.code == "xml.xinclude-forbidden"


def test_schema_hints_are_plain_attributes(tmp_path: Path) -> None:
    """A file that a document names does not enter the tree, and a word about XInclude is no XInclude."""
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARY")
    hint = f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:a {canary}"'
    root = parse(f"<a {hint}>XInclude &#38; http://www.w3.org/2001/XInclude</a>".encode())

    assert root.text == "XInclude & http://www.w3.org/2001/XInclude"
