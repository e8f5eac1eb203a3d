"""Seals a letter: contents signed and encrypted, then the envelope signed and encrypted (§5, §9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import BinaryIO

from intermediary.keys.identity import SignatureKey
from intermediary.osci.write.certificates import CertificateList, list_certificates
from intermediary.osci.write.content import Container, Content, Signer, pack, sign_container
from intermediary.osci.write.envelope import Envelope
from intermediary.osci.write.laufzettel import Inspection, Laufzettel
from intermediary.osci.write.letter import TO_INTERMEDIARY, Identity, Letter, Parties, ProcessCard
from intermediary.osci.write.message import OWN_FEATURES, Control, Outgoing, Protection
from intermediary.osci.write.metadata import metadata_block
from intermediary.osci.write.mime import boundary as new_boundary
from intermediary.osci.write.octets import Random
from intermediary.osci.write.orders import Answer, Deposit, Handover, Order
from intermediary.osci.write.package import Package
from intermediary.osci.write.writing import envelope_of, pieces_of, sign
from intermediary.unseal.osci.feedback import Entry
from intermediary.unseal.osci.selection import SelectionRule

_LIMITS = replace(
    OWN_FEATURES, max_chunk_bytes=10 * 1024 * 1024, max_message_bytes=200 * 1024 * 1024, min_chunk_bytes=100 * 1024
)


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
    sealed = _pieces(letter, parties=parties, random=random, now=now, interference=interference)
    return interference.after_writing(b"".join(sealed))


def seal_to(file: BinaryIO, letter: Letter, *, parties: Parties, random: Random, now: datetime) -> int:
    """Writes the same to a binary file in pieces and gives the number of bytes; attachments that are a Content are
    never held as a whole, however large.
    """
    return sum(
        file.write(piece) for piece in _pieces(letter, parties=parties, random=random, now=now, interference=_NONE)
    )


def certificates_of(letter: Letter, parties: Parties) -> CertificateList:
    """The parties a message of this type and protection names; authors and readers only where they take part."""
    is_signed, is_from_intermediary = letter.transport_signature is not None, letter.message_type not in TO_INTERMEDIARY
    has_cipher = letter.message_type in ("AcceptDelivery", "ProcessDelivery")
    return list_certificates(
        originator_cipher=parties.originator_cipher.certificate,
        originator_signature=parties.originator_signature.certificate,
        addressee_cipher=parties.addressee_cipher.certificate,
        intermediary_cipher=parties.intermediary_cipher.certificate if has_cipher else None,
        intermediary_signature=parties.intermediary_signature.certificate
        if is_signed and is_from_intermediary
        else None,
        readers=[reader.certificate for reader in parties.readers] if letter.content_cipher else [],
        authors=[author.certificate for author in parties.authors[: len(letter.content_signatures)]],
    )


def transport_recipient(letter: Letter, parties: Parties) -> Identity:
    """Whose cipher certificate the transport envelope is for."""
    return parties.intermediary_cipher if letter.message_type in TO_INTERMEDIARY else parties.addressee_cipher


def container_of(letter: Letter) -> Container:
    """The container before anything is signed: data first, then a reference for each attachment."""
    data = [Content(f"content{number}", data) for number, data in enumerate(letter.contents)]
    references = [
        Content(f"content{number}", attachment=attachment.name)
        for number, attachment in enumerate(letter.attachments, start=len(data))
    ]
    return Container("contentcontainer0", (*data, *references), letter.attachments)


def _pieces(
    letter: Letter, *, parties: Parties, random: Random, now: datetime, interference: Interference
) -> Iterator[bytes]:
    if now.tzinfo is None:
        raise ValueError("the moment must be aware")
    listed = certificates_of(letter, parties)
    challenge, boundary = random(10), new_boundary(random)
    package = _package(letter, parties=parties, listed=listed, random=random, interference=interference)
    message = Outgoing(
        kind=letter.message_type,
        control=_control(letter, challenge),
        order=_order(letter, parties, letter.process_card or _recent_card(now)),
        certificates=listed,
        package=package,
        features=(_LIMITS if letter.message_type.startswith("ResponseTo") else OWN_FEATURES)
        if letter.features
        else None,
        custom=() if letter.metadata is None else (metadata_block(letter.metadata, size=_size(letter)),),
    )
    protection = _protection(letter, parties)
    envelope = interference.before_transport_signature(envelope_of(message))
    envelope = interference.after_transport_signature(sign(envelope, message, protection))
    return pieces_of(envelope, protection, random=random, boundary=boundary)


def _package(
    letter: Letter, *, parties: Parties, listed: CertificateList, random: Random, interference: Interference
) -> Package:
    if len(letter.content_signatures) > len(parties.authors):
        raise ValueError("more content signatures than authors")
    signers = [
        Signer(_key(author), method) for method, author in zip(letter.content_signatures, parties.authors, strict=False)
    ]
    container = sign_container(container_of(letter), signers, listed=listed, signing_time=letter.signing_time)
    package = pack(
        interference.after_content_signature(container),
        readers=[reader.certificate for reader in parties.readers],
        cipher=letter.content_cipher,
        attachment_cipher=letter.attachment_cipher,
        listed=listed,
        random=random,
    )
    return interference.after_content_encryption(package)


def _size(letter: Letter) -> int:
    return sum(len(data) for data in letter.contents)


def _key(identity: Identity) -> SignatureKey:
    if identity.key is None:
        raise ValueError("who signs needs a key")
    return identity.key


def _protection(letter: Letter, parties: Parties) -> Protection:
    if letter.message_type in TO_INTERMEDIARY:
        signer = parties.originator_signature
    else:
        signer = parties.intermediary_signature
    method = letter.transport_signature
    recipient = transport_recipient(letter, parties).certificate if letter.transport_cipher else None
    base = Protection() if method is None else Protection(signer=_key(signer), method=method)
    return replace(base, recipient=recipient, cipher=letter.transport_cipher or base.cipher)


def _control(letter: Letter, challenge: bytes) -> Control:
    if letter.dialog is None:
        return Control(challenge=challenge, sequence_number=0 if letter.message_type in TO_INTERMEDIARY else None)
    return Control(
        response=letter.dialog.response,
        challenge=challenge,
        conversation_id=letter.dialog.conversation_id,
        sequence_number=letter.dialog.sequence_number,
    )


def _order(letter: Letter, parties: Parties, card: ProcessCard) -> Order:
    if letter.message_type == "StoreDelivery":
        return Deposit(message_id=letter.message_id, subject=letter.subject)
    if letter.message_type == "ForwardDelivery":
        return Deposit(message_id=letter.message_id, subject=letter.subject, receiver=letter.content_receiver)
    bundle = _bundle(letter, parties, card)
    if letter.message_type == "ResponseToFetchDelivery":
        feedback = tuple(Entry(code, said, "de") for code, said in letter.feedback)
        return Answer(feedback=feedback, cards=(bundle,), selection=SelectionRule(message_ids=(letter.message_id,)))
    if letter.message_type == "ProcessDelivery":
        return Handover(card=bundle, message_id_response=letter.message_id_response or f"{letter.message_id}-antwort")
    return Handover(card=bundle)


def _bundle(letter: Letter, parties: Parties, card: ProcessCard) -> Laufzettel:
    signer, reader = parties.originator_signature.certificate, parties.readers[0].certificate
    return Laufzettel(
        message_id=letter.message_id,
        created=card.created_at,
        forwarded=card.forwarded_at,
        subject=letter.subject,
        inspections=(
            Inspection(
                at=card.inspected_at,
                certificate=signer,
                cert_type="advanced",
                offline="valid",
                online=("OCSP", "ok", "good"),
            ),
            Inspection(at=card.inspected_at + timedelta(seconds=1), certificate=reader),
        ),
    )


def _recent_card(now: datetime) -> ProcessCard:
    return ProcessCard(
        created_at=now - timedelta(seconds=20), forwarded_at=now, inspected_at=now - timedelta(seconds=19)
    )
