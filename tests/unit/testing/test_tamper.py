"""Each damage does exactly what it says: that one defect is there, and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag

from intermediary.osci.write import Letter, seal
from intermediary.testing.pki import Pki
from intermediary.testing.tamper import Damage, tampered
from tests.unit.osci.write import plain

EXPECTED = {
    Damage.CONTENT_CHANGED: {"content signature"},
    Damage.CONTENT_ADDED: {"content incomplete"},
    Damage.CONTENT_SIGNATURE_REMOVED: {"content unsigned"},
    Damage.CONTENT_SIGNER_FORGED: {"content signature"},
    Damage.ATTACHMENT_CHANGED: {"content signature"},
    Damage.ATTACHMENT_MISSING: {"attachment missing"},
    Damage.ATTACHMENT_ADDED: {"attachment unreferenced"},
    Damage.CONTENT_CIPHERTEXT_CHANGED: {"undecryptable"},
    Damage.ATTACHMENT_CIPHERTEXT_CHANGED: {"undecryptable"},
    Damage.READER_MISSING: {"no key"},
    Damage.BODY_CHANGED: {"transport signature"},
    Damage.HEADER_CHANGED: {"transport signature"},
    Damage.HEADER_ADDED: {"transport incomplete"},
    Damage.BODY_UNSIGNED: {"transport incomplete"},
    Damage.TRANSPORT_SIGNER_FORGED: {"transport signature"},
    Damage.TRANSPORT_CIPHERTEXT_CHANGED: {"undecryptable"},
    Damage.RECIPIENT_MISSING: {"no key"},
    Damage.TRUNCATED: {"frame"},
}


def _defects(message: bytes, pki: Pki) -> set[str]:
    """What a plain look finds wrong; it goes on after a bad signature so that several defects show."""
    try:
        inner = plain.open_transport(message, pki.members["recipient-cipher"].private)
        found = _transport_defects(inner, pki)
        box = plain.container(inner, pki.members["reader-cipher"].private)
        attached = plain.attachments(inner, box)
    except AssertionError:
        return {"frame"}
    except InvalidTag:
        return {"undecryptable"}
    except LookupError as missing:
        return {"attachment missing"} if isinstance(missing, KeyError) else {"no key"}
    if attached.keys() != {part.name for part in plain.split(inner)[1:]}:
        found.add("attachment unreferenced")
    return found | _content_defects(box, attached, pki)


def _transport_defects(inner: bytes, pki: Pki) -> set[str]:
    root, wire = plain.envelope(inner), {part.name: part.data for part in plain.split(inner)[1:]}
    signature = root.find("soap:Header/osci:ClientSignature/ds:Signature", plain.NS)
    blocks = {f"#{block.get('Id')}" for block in root.find("soap:Header", plain.NS)} - {"#clientsignature"}
    due = blocks | {"#body"} | {f"cid:{name}" for name in wire}
    found = set() if due == _covered(signature) else {"transport incomplete"}
    if not plain.is_signature_good(signature, pki.members["intermediary-signature"].certificate, wire):
        found.add("transport signature")
    return found


def _content_defects(box, attached: dict[str, bytes], pki: Pki) -> set[str]:
    signature = box.find("ds:Signature", plain.NS)
    if signature is None:
        return {"content unsigned"}
    ids = {f"#{element.get('Id')}" for element in box.iterfind("osci:Content//*[@Id]", plain.NS)}
    ids |= {f"#{element.get('Id')}" for element in box.iterfind("osci:Content[@Id]", plain.NS)}
    found = set() if ids | {f"cid:{name}" for name in attached} == _covered(signature) else {"content incomplete"}
    if not plain.is_signature_good(signature, pki.members["author-signature"].certificate, attached):
        found.add("content signature")
    return found


def _covered(signature) -> set[str]:
    return {reference.get("URI") for reference in signature.iterfind("ds:SignedInfo/ds:Reference", plain.NS)}


def test_an_undamaged_letter_has_no_defect(pki, letter, randomness, now):
    """The plain look finds nothing where nothing is wrong."""
    assert set() == _defects(seal(letter, parties=pki.parties, random=randomness, now=now), pki)


@pytest.mark.parametrize("damage", list(Damage), ids=lambda damage: damage.name)
def test_a_damage_is_the_only_defect(pki, letter, randomness, now, damage):
    """The damaged message has the one defect that belongs to the damage."""
    message = tampered(damage, letter, parties=pki.parties, random=randomness, now=now)

    assert EXPECTED[damage] == _defects(message, pki)


def test_what_is_not_there_cannot_be_damaged(pki, now, randomness):
    """A letter without the thing to be damaged is a mistake of the caller, not a sound message."""
    bare = Letter(
        message_id="urn:1",
        contents=(b"<a/>",),
        content_cipher=None,
        content_signatures=(),
        transport_cipher=None,
        transport_signature=None,
    )
    possible = []
    for damage in Damage:
        try:
            tampered(damage, bare, parties=pki.parties, random=randomness, now=now)
        except ValueError:
            continue
        possible.append(damage)

    assert [Damage.ATTACHMENT_ADDED, Damage.TRUNCATED] == possible


def test_open_containers_can_be_damaged_too(pki, letter, randomness, now):
    """Damages of content and body work where the content is not encrypted."""
    letter = replace(letter, content_cipher=None)
    for damage in (Damage.CONTENT_CHANGED, Damage.BODY_CHANGED, Damage.ATTACHMENT_CHANGED):
        message = tampered(damage, letter, parties=pki.parties, random=randomness, now=now)

        assert EXPECTED[damage] == _defects(message, pki), damage
