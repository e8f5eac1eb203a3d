"""Seals a letter: contents signed and encrypted, then the envelope signed and encrypted (§5, §9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from intermediary.osci.write.certificates import list_certificates
from intermediary.osci.write.content import Container, Package, container_of, pack, sign_container
from intermediary.osci.write.envelope import Envelope, encrypt_entity, sign_envelope, write
from intermediary.osci.write.header import control_block, later_blocks
from intermediary.osci.write.letter import TO_INTERMEDIARY, Identity, Letter, Parties, ProcessCard, Random
from intermediary.osci.write.mime import boundary as make_boundary


@dataclass(frozen=True, slots=True)
class Interference:
    """Places where a test may break what is about to be sealed; all later steps are made validly over it."""

    after_content_signature: Callable[[Container], Container] = lambda container: container
    after_content_encryption: Callable[[Package], Package] = lambda package: package
    before_transport_signature: Callable[[Envelope], Envelope] = lambda envelope: envelope
    after_transport_signature: Callable[[Envelope], Envelope] = lambda envelope: envelope
    after_writing: Callable[[bytes], bytes] = lambda message: message


_NONE = Interference()


def seal(
    letter: Letter, *, parties: Parties, random: Random, now: datetime, interference: Interference = _NONE
) -> bytes:
    """The letter as the bytes of an HTTP body.

    The same arguments give the same bytes except for what the padding of OAEP, RSA 1.5 and PSS draws itself. `random`
    is called with a number of bytes; `now` must be aware. ValueError where the letter cannot be written.
    """
    if now.tzinfo is None:
        raise ValueError("the moment must be aware")
    listed = list_certificates(letter, parties)
    challenge, boundary = random(10), make_boundary(random)
    container = sign_container(container_of(letter), letter=letter, parties=parties, listed=listed)
    container = interference.after_content_signature(container)
    package = pack(container, letter=letter, parties=parties, listed=listed, random=random)
    package = interference.after_content_encryption(package)
    card = letter.process_card or _recent_card(now)
    blocks = (
        control_block(letter, challenge=challenge),
        *later_blocks(letter, parties=parties, listed=listed, card=card),
    )
    envelope = Envelope(letter.message_type, blocks, package.xml(), package.xml(""), package.parts)
    envelope = interference.before_transport_signature(envelope)
    if letter.transport_signature is not None:
        signer = _transport_signer(letter, parties)
        signature = sign_envelope(
            envelope,
            method=letter.transport_signature,
            signer=signer,
            retrieval_id=listed.signature_id(signer.certificate),
        )
        envelope = replace(envelope, signature=signature)
    message = write(interference.after_transport_signature(envelope), boundary=boundary)
    if letter.transport_cipher is not None:
        message = encrypt_entity(
            message,
            recipient=transport_recipient(letter, parties),
            cipher=letter.transport_cipher,
            boundary=boundary,
            random=random,
        )
    return interference.after_writing(message)


def transport_recipient(letter: Letter, parties: Parties) -> Identity:
    """Whose cipher certificate the transport envelope is for."""
    return parties.intermediary_cipher if letter.message_type in TO_INTERMEDIARY else parties.addressee_cipher


def _transport_signer(letter: Letter, parties: Parties) -> Identity:
    return parties.originator_signature if letter.message_type in TO_INTERMEDIARY else parties.intermediary_signature


def _recent_card(now: datetime) -> ProcessCard:
    return ProcessCard(
        created_at=now - timedelta(seconds=20), forwarded_at=now, inspected_at=now - timedelta(seconds=19)
    )
