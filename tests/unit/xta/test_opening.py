"""Messages of XTA: opened as they were received, clear or sealed, and refused when they are not what they should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.values import MemoryContent, Opened
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.testing.pki import Pki
from intermediary.testing.xta import fetched, kept, sample_container, sample_order, seal_container
from intermediary.unseal import NotOpened, profile
from intermediary.unseal.circumstances import NOBODY
from intermediary.unseal.formats import OSCI_TYPE, detect, unseal
from intermediary.unseal.mandant import Mandantenschluessel
from intermediary.unseal.xta.message import XTA_TYPE
from intermediary.validate.payload import find_payload
from intermediary.xta.wire.entity import Entity, SealedXml

Open = Callable[[bytes], Opened]


@pytest.fixture
def opening(pki: Pki, now: datetime) -> Open:
    """Opens with the reader's key under the usual policy of a keyring."""
    reader = pki.members["reader-cipher"]
    ring = Keyring([DecryptionKey(reader.private, reader.certificate)])

    def run(raw: bytes) -> Opened:
        return unseal(MemoryContent(raw), content_type=XTA_TYPE, keyring=ring, policy=profile("osci"), at=now)

    return run


def raw_of(entity: Entity) -> bytes:
    return kept(entity).read()


@pytest.mark.parametrize("mtom", [True, False])
def test_a_clear_message_gives_its_parts_and_facts(opening: Open, now: datetime, *, mtom: bool) -> None:
    """Message and attachments as the sender sent them, and what the order says, in one vocabulary with OSCI."""
    container = sample_container(1, now=now)
    opened = opening(raw_of(fetched(sample_order(1, now=now), container, mtom=mtom)))

    assert ("xta-2.1.1", "S05000058", "strict@1") == (opened.format, opened.message_type, opened.policy)
    assert opened.message_id.startswith("urn:de:xta:messageid:")
    (content,) = opened.contents
    assert container.message.content.read() == content.content.read()
    assert ("data", "text/xml", False) == (content.kind, content.media_type, content.encrypted)
    assert ["Zusammenfassung.pdf", "Fahrzeugschein.png"] == [one.name for one in opened.attachments]
    assert [one.content.read() for one in container.attachments] == [one.content.read() for one in opened.attachments]
    facts = opened.facts
    assert ("prt:0000000001", "ags:05999044") == (facts["author"], facts["reader"])
    assert ("S05000058", "EfA-Antrag", "VG-000001") == (
        facts["business_type"],
        facts["scenario"],
        facts["metadata.process"],
    )
    assert facts["service"].startswith("urn:example:musterland:bewohnerparken")


def test_a_test_is_a_test_by_its_order(opening: Open, now: datetime) -> None:
    """TestMsg in the order counts like the mark of an XÖV message: what it makes never reaches production."""
    marks = []
    for is_test in (True, False):
        order = replace(sample_order(1, now=now), is_test=is_test)
        opened = opening(raw_of(fetched(order, sample_container(1, now=now))))
        marks.append(find_payload(opened, lambda _root: True).is_test)

    assert [True, False] == marks


@pytest.mark.parametrize("by_serial", [True, False])
def test_a_sealed_container_is_opened_by_the_key_it_names(
    opening: Open, pki: Pki, now: datetime, *, by_serial: bool
) -> None:
    """By its certificate or by its serial number; parts are told to have been encrypted."""
    container = sample_container(2, now=now)
    sealed = seal_container(container, pki.members["reader-cipher"].certificate, by_serial=by_serial)
    opened = opening(raw_of(fetched(sample_order(2, now=now), sealed)))

    assert container.message.content.read() == opened.contents[0].content.read()
    assert opened.contents[0].encrypted
    assert 2 == len(opened.attachments)
    assert "http://www.w3.org/2009/xmlenc11#aes256-gcm" in opened.algorithms


def test_what_is_sealed_for_somebody_else_waits_for_a_key(pki: Pki, now: datetime) -> None:
    """No key of ours is named: the operator's business and no reason to turn the sender away."""
    other, reader = pki.members["recipient-cipher"], pki.members["reader-cipher"]
    ring = Keyring([DecryptionKey(reader.private, reader.certificate)])
    raw = raw_of(fetched(sample_order(3, now=now), seal_container(sample_container(3, now=now), other.certificate)))
    keys = Mandantenschluessel("musterstadt", ring, profile("osci"))

    with pytest.raises(Misconfigured) as caught:
        keys.open(MemoryContent(raw), content_type=XTA_TYPE, at=now, circle=NOBODY, spool=None)

    assert "key.reader.missing" == caught.value.code


def test_every_failure_to_decrypt_is_the_same(opening: Open, pki: Pki, now: datetime) -> None:
    """A flipped octet and a flipped wrapped key are told in the same words (rule R3)."""
    sealed = seal_container(sample_container(4, now=now), pki.members["reader-cipher"].certificate)
    values = sealed.xml.split("<xenc:CipherValue>")
    codes = set()
    for position in (1, 2):
        broken = list(values)
        flipped = "A" if broken[position][20] != "A" else "B"
        broken[position] = broken[position][:20] + flipped + broken[position][21:]
        with pytest.raises(NotOpened) as caught:
            opening(raw_of(fetched(sample_order(4, now=now), SealedXml("<xenc:CipherValue>".join(broken)))))
        codes.add((caught.value.code, caught.value.where))

    assert {("xta.content.undecryptable", "")} == codes


def test_a_refusal_remembers_what_the_order_said(opening: Open, pki: Pki, now: datetime) -> None:
    """Whoever looks at a refused message sees whose it was and never its content."""
    sealed = seal_container(sample_container(5, now=now), pki.members["reader-cipher"].certificate)
    old = SealedXml(sealed.xml.replace("2009/xmlenc11#aes256-gcm", "2001/04/xmlenc#aes256-cbc"))
    with pytest.raises(NotOpened) as caught:
        opening(raw_of(fetched(sample_order(5, now=now), old)))

    assert "policy.algorithm" == caught.value.code
    assert caught.value.known is not None
    assert "ags:05999044" == caught.value.known.facts["reader"]
    assert () == caught.value.known.contents


@pytest.mark.parametrize(
    ("required", "code"),
    [
        (("transport-signature", "trusted"), ""),
        (("content-signature",), "signature.required"),
        (("content-signature", "trusted", "transport-signature"), "signature.required"),
    ],
)
def test_a_keyring_demands_of_xta_what_xta_can_give(
    required: tuple[str, ...], code: str, pki: Pki, now: datetime
) -> None:
    """A transport signature is OSCI's and not missed; the author's signature is, as nobody here can give it."""
    raw = raw_of(fetched(sample_order(1, now=now), sample_container(1, now=now)))
    ring = Keyring(require=required)
    found = ""
    try:
        unseal(MemoryContent(raw), content_type=XTA_TYPE, keyring=ring, policy=profile("osci"), at=now)
    except NotOpened as refusal:
        found = refusal.code

    assert code == found


_SWAPS = {
    "an include into nowhere": (b'href="cid:0-', b'href="cid:9-', "xta.reference"),
    "an include that fetches": (b'href="cid:0-', b'href="http://127.0.0.1/0-', "xta.reference"),
    "a part named twice": (b'<xop:Include href="cid:1-', b'<xop:Include href="cid:0-', "xta.reference"),
    "another element for an include": (b"xop:Include", b"xop:Exclude", "xta.structure"),
    "another SOAP": (
        b"http://www.w3.org/2003/05/soap-envelope",
        b"http://schemas.xmlsoap.org/soap/envelope/",
        "xta.soap",
    ),
    "no order": (b"oscimeta:MessageMetaData>", b"oscimeta:MessageMetaDate>", "xta.structure"),
    "a stranger in the order": (
        b"<oscimeta:Originators>",
        b"<oscimeta:Origin/><oscimeta:Originators>",
        "xta.structure",
    ),
    "an order without a reader": (b"oscimeta:Reader>", b"oscimeta:Sender>", "xta.structure"),
    "two bodies": (b"</s:Body>", b"</s:Body><s:Body></s:Body>", "xta.structure"),
    "a document type": (b"<s:Envelope", b"<!DOCTYPE x><s:Envelope", "xml.dtd-forbidden"),
    "an instruction": (b"<s:Body>", b"<?x y?><s:Body>", "xml.malformed"),
    "no content type": (b' contentType="text/xml"', b"", "xta.structure"),
    "a root of another type": (b"Content-Type: application/xop+xml", b"Content-Type: text/xml", "xta.content-type"),
    "a block nobody knows": (
        b"<s:Header>",
        b'<s:Header><x:Secret xmlns:x="urn:x" s:mustUnderstand="1"></x:Secret>',
        "xta.soap.not-understood",
    ),
    "the end is missing": (b"--\r\n", b"", "mime.malformed"),
}


@pytest.mark.parametrize("name", _SWAPS)
def test_what_is_no_message_of_xta_is_refused(name: str, opening: Open, now: datetime) -> None:
    """Each with a code that says what is wrong, and nothing is fetched on the way."""
    old, new, code = _SWAPS[name]
    raw = raw_of(fetched(sample_order(6, now=now), sample_container(6, now=now)))
    assert old in raw
    with pytest.raises(Rejected) as caught:
        opening(raw.replace(old, new))

    assert caught.value.code.startswith(code)


def test_blocks_for_others_and_names_in_percent_are_no_trouble(opening: Open, now: datetime) -> None:
    """What toolkits write: a block for another role, percent-encoded names of parts, addressing in any order."""
    raw = raw_of(fetched(sample_order(7, now=now), sample_container(7, now=now)))
    other = b'<x:Log xmlns:x="urn:x" s:role="urn:somebody" s:mustUnderstand="true"></x:Log>'
    raw = raw.replace(b"<s:Header>", b"<s:Header>" + other)
    at = raw.index(b'href="cid:0-')
    end = raw.index(b"@xta", at)
    raw = raw[:end] + b"%40xta" + raw[end + 4 :]

    assert 2 == len(opening(raw).attachments)


def test_more_than_forty_megabytes_are_refused(opening: Open, now: datetime) -> None:
    """The rule of the standard holds whoever sends."""
    letter = sample_container(8, now=now)
    big = letter.attachments[0].content.read() + bytes(40 * 1024 * 1024)
    pieces = (letter.message, letter.attachments[0])
    heavy = type(letter)(pieces[0], (type(pieces[1])(MemoryContent(big), "application/pdf", "gross.pdf"),))
    with pytest.raises(Rejected) as caught:
        opening(raw_of(fetched(sample_order(8, now=now), heavy)))

    assert "xta.too-large" == caught.value.code


def test_files_are_told_apart_by_their_first_bytes(now: datetime) -> None:
    """`open` takes an envelope of SOAP 1.2 and a frame of XOP for XTA, and everything else for OSCI."""
    for mtom in (True, False):
        raw = raw_of(fetched(sample_order(9, now=now), sample_container(9, now=now), mtom=mtom))
        assert XTA_TYPE == detect(raw[:1024])
    assert OSCI_TYPE == detect(b"MIME-Version: 1.0\r\nContent-Type: Multipart/Related; boundary=x; type=text/xml\r\n")
    assert OSCI_TYPE == detect(b"<html/>")
