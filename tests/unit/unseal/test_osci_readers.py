"""Whom a message is for, and what a missing key costs: as predicted from the envelopes, so it is when it is opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.osci.write import Letter, Random, seal
from intermediary.testing.pki import Pki
from intermediary.unseal import NotOpened, profile
from intermediary.unseal.osci.message import open_message
from intermediary.unseal.osci.readers import Readers, readers
from tests.unit.unseal.conftest import NOW
from tests.vectors import cases


def found(raw: bytes, keyring: Keyring) -> Readers:
    return readers(MemoryContent(raw), keyring=keyring, spool=Spool(None))


def der(pki: Pki, name: str) -> bytes:
    return pki.members[name].certificate.public_bytes(Encoding.DER)


def test_a_usual_letter(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """The transport is for the post box, the content for the reader."""
    raw = seal(letter, parties=pki.parties, random=randomness, now=NOW)

    assert Readers(frozenset({der(pki, "recipient-cipher")}), ((frozenset({der(pki, "reader-cipher")}),),)) == found(
        raw, keyring
    )


def test_several_readers(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """Any one of them opens: the loss of a key is none as long as another is here."""
    members = pki.members
    parties = replace(pki.parties, readers=(members["reader-cipher"], members["originator-cipher"]))
    seen = found(seal(letter, parties=parties, random=randomness, now=NOW), keyring)
    box, reader, other = (der(pki, f"{name}-cipher") for name in ("recipient", "reader", "originator"))

    assert ((frozenset({reader, other}),),) == seen.paths
    assert not seen.loses({box, reader, other}, {box, other})
    assert seen.loses({box, reader}, {box})
    assert seen.loses({box, reader, other}, {reader, other})


def test_without_the_key_of_the_transport(letter: Letter, pki: Pki, randomness: Random) -> None:
    """Who the content is for stays hidden; whom the transport is for is seen."""
    seen = found(seal(letter, parties=pki.parties, random=randomness, now=NOW), Keyring())

    assert Readers(frozenset({der(pki, "recipient-cipher")}), None) == seen
    assert not seen.opens({der(pki, "reader-cipher")})
    assert not seen.loses({der(pki, "reader-cipher")}, set())


def test_what_is_no_message(keyring: Keyring) -> None:
    """Anything else is refused as the doors refuse it."""
    with pytest.raises(Rejected):
        found(b"<html/>", keyring)


FOLDER = Path(cases.__file__).parent / "osci"
VECTORS = [*cases.cases(FOLDER, "positive"), *cases.cases(FOLDER, "variants")]


def parts(case: cases.Case, names: tuple[str, ...]) -> int:
    """How many contents and attachments come out with these keys; -1 if the message stays shut."""
    keyring = cases.keyring_of(FOLDER, names)
    try:
        opened = open_message(
            MemoryContent(case.message), keyring=keyring, policy=profile("legacy"), at=cases.AT
        ).opened
    except NotOpened as refusal:
        assert refusal.code in ("osci.transport.no-key", "osci.content.no-key")
        return -1
    return len(opened.contents) + len(opened.attachments)


@pytest.mark.parametrize(
    "case", [one for one in VECTORS if one.sidecar["expected"]["outcome"] == "accept"], ids=lambda c: c.name
)
def test_as_predicted(case: cases.Case) -> None:
    """For every vector and every key of it that goes: predicted from the envelopes is what happens."""
    everything = cases.keyring_of(FOLDER)
    before = {one.public_bytes(Encoding.DER) for one in everything.certificates()}
    seen = found(case.message, everything)
    whole = parts(case, cases.OWN_KEYS)
    for gone in cases.OWN_KEYS:
        names = tuple(name for name in cases.OWN_KEYS if name != gone)
        after = {one.public_bytes(Encoding.DER) for one in cases.keyring_of(FOLDER, names).certificates()}

        assert (parts(case, names) < whole) == seen.loses(before, after), gone
