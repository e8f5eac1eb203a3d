"""An intermediary passes on what it cannot read: the author's signatures and the reader's keys stay good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Anchor, Keyring
from intermediary.osci.write import (
    Answer,
    CertificateList,
    Control,
    Laufzettel,
    Outgoing,
    Protection,
    WirePart,
    entry,
    foreign_certificates,
    foreign_package,
    list_certificates,
    seal,
    write,
)
from intermediary.unseal import profile
from intermediary.unseal.osci.message import open_message
from tests.unit.osci.write import plain

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "encrypted"])
def test_a_delivery_is_passed_on(pki, letter, randomness, is_open):
    """A stored delivery that is fetched has the same contents, attachments and author's signature."""
    letter = replace(letter, message_type="StoreDelivery", transport_cipher=None, metadata=None)
    letter = replace(letter, content_cipher=None) if is_open else letter
    stored = seal(letter, parties=pki.parties, random=randomness, now=NOW)
    root, *others = plain.split(stored)
    parts = [WirePart(part.name, dict(part.headers)["Content-Type"], part.data) for part in others]
    intermediary = pki.members["intermediary-signature"]
    own = list_certificates(intermediary_signature=intermediary.certificate)
    fetched = write(
        Outgoing(
            kind="ResponseToFetchDelivery",
            control=Control(response=b"r", challenge=b"c", conversation_id="1", sequence_number=0),
            order=Answer(feedback=(entry("0801"),), cards=(Laufzettel(message_id=letter.message_id, created=NOW),)),
            certificates=CertificateList(
                own.intermediary, foreign_certificates(_between(root.body, b"osci:NonIntermediaryCertificates"))
            ),
            package=foreign_package(_between(root.body, b"osci:ContentPackage"), parts),
        ),
        Protection(signer=intermediary.key, recipient=pki.members["recipient-cipher"].certificate),
        random=randomness,
    )
    keys = [pki.members[name] for name in ("recipient-cipher", "reader-cipher")]
    keyring = Keyring(
        [DecryptionKey(one.private, one.certificate) for one in keys], [Anchor(pki.ca, frozenset({"content"}))]
    )
    opened = open_message(MemoryContent(fetched), keyring=keyring, policy=profile("osci"), at=NOW, role="client").opened

    assert list(letter.contents) == [part.content.read() for part in opened.contents]
    assert [one.data for one in letter.attachments] == [part.content.read() for part in opened.attachments]
    assert [("transport", True), ("content", True)] == [(fact.layer, fact.valid) for fact in opened.signatures]
    assert _between(root.body, b"osci:ContentPackage") in plain.open_transport(
        fetched, pki.members["recipient-cipher"].private
    )


@pytest.mark.parametrize("empty", [b"<osci:ContentPackage/>", b" <osci:ContentPackage ></osci:ContentPackage >"])
def test_an_empty_package_is_one(empty):
    """Both ways to write nothing are nothing."""
    assert "<osci:ContentPackage></osci:ContentPackage>" == foreign_package(empty).xml()


@pytest.mark.parametrize("wrong", [b"", b"<osci:Content></osci:Content>", b"<osci:ContentPackage>"])
def test_something_else_is_no_package(wrong):
    """What is not a content package is refused."""
    with pytest.raises(ValueError, match="not a content package"):
        foreign_package(wrong)


def test_unknown_prefixes_are_refused():
    """A package that needs declarations of its old envelope cannot be passed on as it is."""
    with pytest.raises(Rejected):
        foreign_package(b"<osci:ContentPackage><e:EncryptedData></e:EncryptedData></osci:ContentPackage>")


def test_only_blocks_of_certificates_are_taken():
    """Another block has no certificates."""
    with pytest.raises(ValueError, match="not a block of certificates"):
        foreign_certificates(b"<osci:ControlBlock></osci:ControlBlock>")


def _between(document: bytes, name: bytes) -> bytes:
    return document[document.index(b"<" + name) : document.index(b"</" + name)] + b"</" + name + b">"
