"""Writer and reader of the project agree: every sealed letter opens to what it was, every damage is named as it is."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intermediary.core.values import MemoryContent, Opened
from intermediary.keys.ring import Keyring
from intermediary.osci.write import Attachment, Identity, Letter, SignatureMethod, seal
from intermediary.osci.write.letter import USUAL_CIPHER
from intermediary.testing.pki import Pki, write_pki
from intermediary.testing.tamper import Damage, tampered
from intermediary.unseal import NotOpened, profile, unseal
from intermediary.unseal.formats import OSCI_TYPE
from tests.unit.osci.write.letters import letters

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
EXAMPLES = 300
REFUSED = {
    Damage.CONTENT_CHANGED: ("osci.content-signature.invalid", None),
    Damage.CONTENT_ADDED: ("osci.content.unsigned-part", None),
    Damage.CONTENT_SIGNER_FORGED: ("osci.content-signature.invalid", None),
    Damage.ATTACHMENT_CHANGED: ("osci.content-signature.invalid", None),
    Damage.ATTACHMENT_MISSING: ("osci.attachment.missing", None),
    Damage.ATTACHMENT_ADDED: ("osci.attachment.unreferenced", None),
    Damage.CONTENT_CIPHERTEXT_CHANGED: ("osci.content.undecryptable", None),
    Damage.ATTACHMENT_CIPHERTEXT_CHANGED: ("osci.content.undecryptable", None),
    Damage.READER_MISSING: ("osci.content.no-key", None),
    Damage.BODY_CHANGED: ("osci.transport-signature.invalid", "9601"),
    Damage.HEADER_CHANGED: ("osci.transport-signature.invalid", "9601"),
    Damage.HEADER_ADDED: ("osci.transport-signature.incomplete", "9602"),
    Damage.BODY_UNSIGNED: ("osci.transport-signature.incomplete", "9602"),
    Damage.TRANSPORT_SIGNER_FORGED: ("osci.transport-signature.invalid", "9601"),
    Damage.TRANSPORT_CIPHERTEXT_CHANGED: ("osci.transport.undecryptable", "9202"),
    Damage.RECIPIENT_MISSING: ("osci.transport.no-key", "9200"),
    Damage.TRUNCATED: ("mime.malformed", "9100"),
}


@pytest.fixture(scope="session")
def keyring(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    """The receiver's keyring, from the files the PKI writes."""
    return Keyring.load(write_pki(pki, tmp_path_factory.mktemp("pki"), random=random.Random(1).randbytes))


def _open(message: bytes, keyring: Keyring, policy: str = "osci") -> Opened:
    return unseal(MemoryContent(message), content_type=OSCI_TYPE, keyring=keyring, policy=profile(policy), at=NOW)


def _facts(opened: Opened) -> list[tuple[str, bool | None, bool, bool, bool | None]]:
    return [(fact.layer, fact.intact, fact.valid, fact.complete, fact.trusted) for fact in opened.signatures]


@settings(max_examples=EXAMPLES)
@given(letter=letters, seed=st.integers(0, 1000))
def test_every_letter_opens_to_what_it_was(pki, keyring, letter, seed):
    """Type, ids, contents, attachments and signature facts of the opened message are those of the letter."""
    opened = _open(seal(letter, parties=pki.parties, random=random.Random(seed).randbytes, now=NOW), keyring, "legacy")
    layers = ["transport"] * (letter.transport_signature is not None) + ["content"] * len(letter.content_signatures)

    assert (letter.message_type, letter.message_id) == (opened.message_type, opened.message_id)
    assert letter.subject == opened.subject
    assert list(letter.contents) == [part.content.read() for part in opened.contents]
    assert [(one.name, one.media_type, one.data) for one in letter.attachments] == [
        (part.name, part.media_type, part.content.read()) for part in opened.attachments
    ]
    assert {letter.content_cipher is not None} == {part.encrypted for part in opened.contents}
    assert [(layer, True, True, True, True) for layer in layers] == _facts(opened)


def test_the_metadata_arrives(pki, keyring, letter, randomness):
    """What the portal says in MessageMetaData is among the facts."""
    opened = _open(seal(letter, parties=pki.parties, random=randomness, now=NOW), keyring)
    said = letter.metadata

    assert (said.service, said.author, said.reader, said.origin.isoformat()) == tuple(
        opened.facts[name] for name in ("service", "author", "reader", "origin")
    )


def test_an_author_on_the_curve_is_known_but_not_trusted(pki, keyring, ec_author: Identity, randomness):
    """An ECDSA signature of an author outside the PKI is valid and not trusted."""
    letter = Letter(message_id="urn:1", contents=(b"<a/>",), content_signatures=(SignatureMethod.ECDSA_SHA256,))
    parties = replace(pki.parties, authors=(ec_author,))
    opened = _open(seal(letter, parties=parties, random=randomness, now=NOW), keyring)

    assert ("content", True, True, True, False) == _facts(opened)[-1]


def test_a_name_may_look_like_a_fragment(pki, keyring, randomness):
    """A `#` or `%20` in an attachment's name is part of the name, signed and encrypted or not."""
    names = ("Anlage #1.pdf", "a%20b.pdf", "cid:x")
    for cipher in (USUAL_CIPHER, None):
        letter = Letter(
            message_id="urn:1",
            contents=(b"<a/>",),
            attachments=tuple(Attachment(name, "application/pdf", name.encode()) for name in names),
            content_cipher=cipher,
        )
        opened = _open(seal(letter, parties=pki.parties, random=randomness, now=NOW), keyring)

        assert [(name, name.encode()) for name in names] == [
            (part.name, part.content.read()) for part in opened.attachments
        ]


@pytest.mark.parametrize("damage", list(Damage), ids=lambda damage: damage.name)
def test_every_damage_is_named(pki, keyring, letter, randomness, damage):
    """A damaged message is refused with the code of its damage; the merely unsigned one is opened as unsigned."""
    message = tampered(damage, letter, parties=pki.parties, random=randomness, now=NOW)
    if damage is Damage.CONTENT_SIGNATURE_REMOVED:
        assert [("transport", True, True, True, True)] == _facts(_open(message, keyring))
        return
    with pytest.raises(NotOpened) as caught:
        _open(message, keyring)

    assert REFUSED[damage] == (caught.value.code, caught.value.osci_code)
