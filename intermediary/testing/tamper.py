"""Ways to break a sealed letter so that exactly one thing is wrong and everything made later is valid again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from cryptography import x509

from intermediary.keys.identity import SignatureKey, SignatureScheme
from intermediary.osci.write import Block, Identity, Letter, Octets, Package, Parties, Random, WirePart
from intermediary.osci.write.content import Container, Content, EncryptedContainer
from intermediary.osci.write.envelope import Envelope
from intermediary.osci.write.markup import FIVE, base64_lines
from intermediary.osci.write.octets import pieces
from intermediary.osci.write.seal import Interference, seal

_FORGED = b"FORGED"


class Damage(Enum):
    """What is wrong, and what a receiver must find."""

    CONTENT_CHANGED = "a content differs from what its author signed: content signature not intact"
    CONTENT_ADDED = "a content that no author signed: content signature intact but not complete"
    CONTENT_SIGNATURE_REMOVED = "the authors' signatures are gone: unsigned, to be told apart from valid"
    CONTENT_SIGNER_FORGED = "somebody else signed in the author's name: content signature not intact"
    ATTACHMENT_CHANGED = "an attachment differs from what its author signed: content signature not intact"
    ATTACHMENT_MISSING = "an attachment is referenced but not there: refused"
    ATTACHMENT_ADDED = "an attachment nobody references or signed: refused"
    CONTENT_CIPHERTEXT_CHANGED = "a bit of the encrypted container flipped: cannot be decrypted"
    ATTACHMENT_CIPHERTEXT_CHANGED = (
        "a bit of an encrypted attachment flipped: cannot be decrypted, or with CBC not intact"
    )
    READER_MISSING = "the content is encrypted for somebody else: nothing can be opened"
    BODY_CHANGED = "the body differs from what the transport signature covers: 9601"
    HEADER_CHANGED = "the order block differs from what the transport signature covers: 9601"
    HEADER_ADDED = "a header block the transport signature does not cover: 9601 or 9602"
    BODY_UNSIGNED = "the transport signature leaves out the body: 9601 or 9602"
    TRANSPORT_SIGNER_FORGED = "somebody else signed in the intermediary's name: 9601"
    TRANSPORT_CIPHERTEXT_CHANGED = "a bit of the transport envelope flipped: 9202"
    RECIPIENT_MISSING = "the transport envelope is for somebody else: 9200"
    TRUNCATED = "the end of the message is missing: refused"


def tampered(damage: Damage, letter: Letter, *, parties: Parties, random: Random, now: datetime) -> bytes:
    """The letter sealed with one damage. ValueError if it has not what is to be damaged, e.g. no attachment."""
    way = _WAYS[damage]
    if not way.is_possible(letter):
        raise ValueError(f"this letter has nothing for {damage.name}")
    return seal(letter, parties=way.cast(parties), random=random, now=now, interference=way.interference)


def _change_content(container: Container) -> Container:
    first, *rest = container.contents
    return replace(container, contents=(replace(first, data=_FORGED + first.data), *rest))


def _add_content(container: Container) -> Container:
    return replace(container, contents=(*container.contents, Content("content999", _FORGED)))


def _remove_signatures(container: Container) -> Container:
    return replace(container, signatures=())


def _change_attachment(container: Container) -> Container:
    first, *rest = container.attachments
    return replace(container, attachments=(replace(first, data=_FORGED + _all(first.data)), *rest))


def _lose_part(package: Package) -> Package:
    return replace(package, parts=package.parts[1:])


def _add_part(package: Package) -> Package:
    return replace(package, parts=(*package.parts, WirePart("forged.pdf", "application/pdf", _FORGED)))


def _flip_container(package: Package) -> Package:
    if not isinstance(package.container, EncryptedContainer):
        raise ValueError("the container is not encrypted")
    flipped = _flip(package.container.ciphertext)
    return replace(package, container=replace(package.container, ciphertext=flipped))


def _flip_part(package: Package) -> Package:
    first, *rest = package.parts
    return replace(package, parts=(replace(first, data=_flip(_all(first.data))), *rest))


def _change_body(envelope: Envelope) -> Envelope:
    # a line feed in Base64 changes the digest and nothing else: only the transport signature can notice
    end = re.compile("(?=</(?:xenc:CipherValue|osci:Base64Content)>)")
    return replace(envelope, body=end.sub("\n", envelope.body, count=1))


def _change_header(envelope: Envelope) -> Envelope:
    forged = f"<osci:MessageId>{base64_lines(b'urn:forged')}<"
    blocks = tuple(replace(block, xml=re.sub("<osci:MessageId>[^<]*<", forged, block.xml)) for block in envelope.blocks)
    return replace(envelope, blocks=blocks)


def _add_header(envelope: Envelope) -> Envelope:
    forged = Block("forged", f'<forged:Hint xmlns:forged="urn:forged"{FIVE} Id="forged"></forged:Hint>')
    return replace(envelope, blocks=(*envelope.blocks, forged))


def _leave_out_body(envelope: Envelope) -> Envelope:
    return replace(envelope, left_out=frozenset({"#body"}))


def _flip_transport(message: bytes) -> bytes:
    # 200 bytes before the end is inside the second part, in binary as in Base64, and far from its delimiter
    place = len(message) - 200
    other = b"A" if message[place : place + 1] != b"A" else b"B"
    return message[:place] + other + message[place + 1 :]


def _truncate(message: bytes) -> bytes:
    return message[:-200]


def _all(octets: Octets) -> bytes:
    return b"".join(pieces(octets))


def _flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@dataclass(frozen=True, slots=True)
class _Impostor:
    """Signs in the name of a certificate with somebody else's key."""

    certificate: x509.Certificate
    hand: SignatureKey

    def sign(self, data: bytes, scheme: SignatureScheme) -> bytes:
        return self.hand.sign(data, scheme)


def _signed_by(victim: Identity, other: Identity) -> Identity:
    if other.key is None:
        raise ValueError("an impostor needs a key")
    return replace(victim, key=_Impostor(victim.certificate, other.key))


def _foreign_author(parties: Parties) -> Parties:
    first, *rest = parties.authors
    return replace(parties, authors=(_signed_by(first, parties.originator_signature), *rest))


def _foreign_transport_signer(parties: Parties) -> Parties:
    impostor = parties.authors[0]
    return replace(
        parties,
        intermediary_signature=_signed_by(parties.intermediary_signature, impostor),
        originator_signature=_signed_by(parties.originator_signature, impostor),
    )


def _foreign_readers(parties: Parties) -> Parties:
    return replace(parties, readers=(parties.originator_cipher,))


def _foreign_recipient(parties: Parties) -> Parties:
    return replace(parties, addressee_cipher=parties.originator_cipher)


def _is_content_signed(letter: Letter) -> bool:
    return bool(letter.content_signatures)


def _is_content_encrypted(letter: Letter) -> bool:
    return letter.content_cipher is not None


def _is_transport_signed(letter: Letter) -> bool:
    return letter.transport_signature is not None


def _is_transport_encrypted(letter: Letter) -> bool:
    return letter.transport_cipher is not None


def _has_attachment(letter: Letter) -> bool:
    return bool(letter.attachments)


def _has_signed_attachment(letter: Letter) -> bool:
    return _has_attachment(letter) and _is_content_signed(letter)


def _has_encrypted_attachment(letter: Letter) -> bool:
    return _has_attachment(letter) and _is_content_encrypted(letter)


def _always(_letter: Letter) -> bool:
    return True


def _same(parties: Parties) -> Parties:
    return parties


@dataclass(frozen=True, slots=True)
class _Way:
    """How one damage is done, and which letters can have it."""

    is_possible: Callable[[Letter], bool]
    interference: Interference = Interference()  # noqa: RUF009  a constant without state
    cast: Callable[[Parties], Parties] = _same


_WAYS: dict[Damage, _Way] = {
    Damage.CONTENT_CHANGED: _Way(_is_content_signed, Interference(after_content_signature=_change_content)),
    Damage.CONTENT_ADDED: _Way(_is_content_signed, Interference(after_content_signature=_add_content)),
    Damage.CONTENT_SIGNATURE_REMOVED: _Way(
        _is_content_signed, Interference(after_content_signature=_remove_signatures)
    ),
    Damage.CONTENT_SIGNER_FORGED: _Way(_is_content_signed, cast=_foreign_author),
    Damage.ATTACHMENT_CHANGED: _Way(_has_signed_attachment, Interference(after_content_signature=_change_attachment)),
    Damage.ATTACHMENT_MISSING: _Way(_has_attachment, Interference(after_content_encryption=_lose_part)),
    Damage.ATTACHMENT_ADDED: _Way(_always, Interference(after_content_encryption=_add_part)),
    Damage.CONTENT_CIPHERTEXT_CHANGED: _Way(
        _is_content_encrypted, Interference(after_content_encryption=_flip_container)
    ),
    Damage.ATTACHMENT_CIPHERTEXT_CHANGED: _Way(
        _has_encrypted_attachment, Interference(after_content_encryption=_flip_part)
    ),
    Damage.READER_MISSING: _Way(_is_content_encrypted, cast=_foreign_readers),
    Damage.BODY_CHANGED: _Way(_is_transport_signed, Interference(after_transport_signature=_change_body)),
    Damage.HEADER_CHANGED: _Way(_is_transport_signed, Interference(after_transport_signature=_change_header)),
    Damage.HEADER_ADDED: _Way(_is_transport_signed, Interference(after_transport_signature=_add_header)),
    Damage.BODY_UNSIGNED: _Way(_is_transport_signed, Interference(before_transport_signature=_leave_out_body)),
    Damage.TRANSPORT_SIGNER_FORGED: _Way(_is_transport_signed, cast=_foreign_transport_signer),
    Damage.TRANSPORT_CIPHERTEXT_CHANGED: _Way(_is_transport_encrypted, Interference(after_writing=_flip_transport)),
    Damage.RECIPIENT_MISSING: _Way(_is_transport_encrypted, cast=_foreign_recipient),
    Damage.TRUNCATED: _Way(_always, Interference(after_writing=_truncate)),
}
