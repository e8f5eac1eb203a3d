"""Letters of the OSCI writer, opened: whole, damaged, large, under every profile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from intermediary.core.values import MemoryContent, Opened
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Anchor, Keyring
from intermediary.osci.write import Attachment, Cipher, Letter, Random, SignatureMethod, seal
from intermediary.testing.pki import Pki
from intermediary.testing.tamper import Damage, tampered
from intermediary.unseal import NotOpened, Policy, profile, unseal
from intermediary.unseal.formats import OSCI_TYPE
from tests.unit.unseal.conftest import NOW

PSS = SignatureMethod.PSS_SHA256


def open_bytes(message: bytes, keyring: Keyring, policy: Policy | None = None) -> Opened:
    content = MemoryContent(message)
    return unseal(content, content_type=OSCI_TYPE, keyring=keyring, policy=policy or profile("osci"), at=NOW)


def test_a_whole_letter(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """Everything that was sealed comes out byte for byte, and both signatures count."""
    opened = open_bytes(seal(letter, parties=pki.parties, random=randomness, now=NOW), keyring)

    assert tuple(part.content.read() for part in opened.contents) == letter.contents
    assert [(p.name, p.content.read(), p.encrypted) for p in opened.attachments] == [
        (a.name, a.data, True) for a in letter.attachments
    ]
    assert (opened.message_id, opened.subject) == (letter.message_id, letter.subject)
    assert [(s.layer, s.valid, s.complete, s.trusted, s.weak) for s in opened.signatures] == [
        ("transport", True, True, True, False),
        ("content", True, True, True, False),
    ]
    assert opened.facts["service"] == "urn:example:musterland:bewohnerparken:1.0"
    assert opened.policy == "osci@1"


def test_the_same_again(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """Opening is pure: the same bytes give the same facts and hashes."""
    message = seal(letter, parties=pki.parties, random=randomness, now=NOW)
    first, second = open_bytes(message, keyring), open_bytes(message, keyring)

    assert first.signatures == second.signatures
    assert [p.content.sha256 for p in first.contents] == [p.content.sha256 for p in second.contents]
    assert first.facts == second.facts


EXPECTED = {
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


@pytest.mark.parametrize("damage", EXPECTED, ids=lambda damage: damage.name)
def test_damage(damage: Damage, letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """Every damage is refused for what it is, and no content comes with the refusal."""
    message = tampered(damage, letter, parties=pki.parties, random=randomness, now=NOW)
    with pytest.raises(NotOpened) as refusal:
        open_bytes(message, keyring)

    assert (refusal.value.code, refusal.value.osci_code) == EXPECTED[damage]
    assert refusal.value.known is not None
    assert refusal.value.known.contents == refusal.value.known.attachments == ()


def test_unsigned_is_not_valid(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """A removed author signature leaves an unsigned message, which is refused only where a signature is demanded."""
    message = tampered(Damage.CONTENT_SIGNATURE_REMOVED, letter, parties=pki.parties, random=randomness, now=NOW)

    assert [s.layer for s in open_bytes(message, keyring).signatures] == ["transport"]
    demanding = _with(keyring, pki, require=("content-signature",))
    with pytest.raises(NotOpened) as refusal:
        open_bytes(message, demanding)
    assert (refusal.value.code, refusal.value.where) == ("signature.required", "content-signature")


@pytest.mark.parametrize("require", [("transport-signature",), ("transport-signature", "trusted")])
def test_transport_signature_demanded(
    require: tuple[str, ...], letter: Letter, pki: Pki, keyring: Keyring, randomness: Random
) -> None:
    """A demanded transport signature that is missing is fault 9600, before any content is opened."""
    message = seal(replace(letter, transport_signature=None), parties=pki.parties, random=randomness, now=NOW)
    with pytest.raises(NotOpened) as refusal:
        open_bytes(message, _with(keyring, pki, require=require))

    assert (refusal.value.code, refusal.value.osci_code) == ("osci.transport-signature.missing", "9600")


def test_without_anchors_trust_is_undetermined(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """No anchor: nobody is trusted or distrusted, and a demand for trust is not met."""
    message = seal(letter, parties=pki.parties, random=randomness, now=NOW)

    assert {s.trusted for s in open_bytes(message, _with(keyring, pki, anchors=False)).signatures} == {None}
    with pytest.raises(NotOpened):
        open_bytes(message, _with(keyring, pki, anchors=False, require=("trusted",)))


def test_strict(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """The strict profile opens PSS, GCM and OAEP, and refuses PKCS#1 v1.5 signatures by name."""
    modern = replace(letter, content_signatures=(PSS,), transport_signature=PSS)
    strict = profile("strict")

    assert (
        open_bytes(seal(modern, parties=pki.parties, random=randomness, now=NOW), keyring, strict).policy == "strict@1"
    )
    with pytest.raises(NotOpened) as refusal:
        open_bytes(seal(letter, parties=pki.parties, random=randomness, now=NOW), keyring, strict)
    assert (refusal.value.code, refusal.value.where) == ("policy.algorithm", "transport-signature")


def test_an_exception_ends(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """After the end date of an exception every message is refused; one second before it is not."""
    message = seal(letter, parties=pki.parties, random=randomness, now=NOW)

    assert open_bytes(message, keyring, profile("legacy", until=NOW + timedelta(seconds=1))).policy == "legacy@1"
    with pytest.raises(NotOpened) as refusal:
        open_bytes(message, keyring, profile("legacy", until=NOW))
    assert refusal.value.code == "policy.expired"


def test_many_attachments(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """Eighty attachments need more than 64 references; each has a part of its own, so they are taken."""
    many = tuple(Attachment(f"anlage-{n}.bin", "application/octet-stream", bytes([n])) for n in range(80))
    opened = open_bytes(
        seal(replace(letter, attachments=many), parties=pki.parties, random=randomness, now=NOW), keyring
    )

    assert [part.content.read() for part in opened.attachments] == [bytes([n]) for n in range(80)]
    assert all(fact.valid for fact in opened.signatures)


def test_open_content(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """Without encryption contents are where the open container is, and attachments are plain."""
    bare = replace(letter, content_cipher=None, transport_cipher=None)
    opened = open_bytes(seal(bare, parties=pki.parties, random=randomness, now=NOW), Keyring())

    assert {part.encrypted for part in (*opened.contents, *opened.attachments)} == {False}
    assert [s.valid for s in opened.signatures] == [True, True]


def test_a_naive_moment_is_refused(keyring: Keyring) -> None:
    """The moment of receipt has a zone."""
    with pytest.raises(ValueError, match="naive"):
        unseal(
            MemoryContent(b""),
            content_type=OSCI_TYPE,
            keyring=keyring,
            policy=profile("osci"),
            at=NOW.replace(tzinfo=None),
        )


@pytest.mark.parametrize("content_type", ["application/json", "", "text/xml"])
def test_other_types(content_type: str, keyring: Keyring) -> None:
    """A content type that is none of ours is refused as such."""
    from intermediary.core.faults import Rejected

    with pytest.raises(Rejected) as refusal:
        unseal(MemoryContent(b""), content_type=content_type, keyring=keyring, policy=profile("osci"), at=NOW)
    assert refusal.value.code == "intake.type.unknown"


def test_parameters_of_the_type_do_not_matter(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """The content type is compared without parameters and case."""
    message = seal(letter, parties=pki.parties, random=randomness, now=NOW)
    typed = "Application/VND.osci12+mime; x=y"

    assert unseal(
        MemoryContent(message), content_type=typed, keyring=keyring, policy=profile("osci"), at=NOW
    ).message_id == letter.message_id  # fmt: skip


def _with(keyring: Keyring, pki: Pki, *, require: tuple[str, ...] = (), anchors: bool = True) -> Keyring:
    own = [pki.members[name] for name in ("recipient-cipher", "reader-cipher")]
    trusted = [Anchor(pki.ca, frozenset({"transport", "content"}))] if anchors else []
    return Keyring([DecryptionKey(one.private, one.certificate) for one in own], trusted, require=require)


def test_an_older_cipher(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
    """A sender of the older library (16-byte IV) is taken by `osci` and refused by `strict`."""
    old = Cipher(iv_bytes=16)
    message = seal(
        replace(letter, content_cipher=old, attachment_cipher=old, transport_cipher=old),
        parties=pki.parties,
        random=randomness,
        now=NOW,
    )

    assert len(open_bytes(message, keyring).contents) == 2
    with pytest.raises(NotOpened) as refusal:
        open_bytes(message, keyring, profile("strict"))
    assert refusal.value.code == "policy.parameter"
