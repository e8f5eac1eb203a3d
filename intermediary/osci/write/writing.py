"""From a message to the bytes of an HTTP body: header and body, signature, MIME, encryption, in this order (§5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from intermediary.osci.write.envelope import Envelope, encrypt_entity, sign_envelope
from intermediary.osci.write.header import header_blocks, order_element
from intermediary.osci.write.markup import element
from intermediary.osci.write.message import OPEN, Outgoing, Protection
from intermediary.osci.write.mime import boundary as new_boundary
from intermediary.osci.write.mime import entity
from intermediary.osci.write.octets import Random
from intermediary.osci.write.order_xml import order_xml
from intermediary.osci.write.package import Package


def write(message: Outgoing, protection: Protection = OPEN, *, random: Random) -> bytes:
    """The message as the bytes of an HTTP body, signed and encrypted as asked.

    ValueError where it cannot be written: the signer is not the one the message lists for its role, a method does not fit
    the key, a character cannot stand in XML.
    """
    return b"".join(write_stream(message, protection, random=random))


def write_stream(message: Outgoing, protection: Protection = OPEN, *, random: Random) -> Iterator[bytes]:
    """The same in pieces, for messages with large attachments: those that are a Content are never held as a whole.

    Everything is checked and signed before the first piece; an attachment is read once more while it is written.
    """
    return pieces_of(sign(envelope_of(message), message, protection), protection, random=random)


def envelope_of(message: Outgoing) -> Envelope:
    """Header blocks and body of the message, unsigned."""
    if message.spec.body == "order":
        body = canonical = element(order_element(message.spec), order_xml(message.kind, message.order))
    elif message.spec.body == "package":
        package = message.package or Package(None, ())
        body, canonical = package.xml(), package.xml("")
    else:
        body = canonical = ""
    parts = () if message.package is None else message.package.parts
    return Envelope(message.kind, header_blocks(message), body, canonical, parts)


def sign(envelope: Envelope, message: Outgoing, protection: Protection) -> Envelope:
    """The envelope with its signature block, if the protection has a signer."""
    if protection.signer is None:
        return envelope
    role = message.spec.signer.rpartition("}")[2]
    listed = message.certificates.named(role)
    if listed is None or listed.certificate != protection.signer.certificate:
        raise ValueError(f"{message.kind} must list its signer's certificate as {role}")
    signature = sign_envelope(envelope, method=protection.method, signer=protection.signer, retrieval_id=listed.id)
    return replace(envelope, signature=signature)


def pieces_of(
    envelope: Envelope, protection: Protection, *, random: Random, boundary: str | None = None
) -> Iterator[bytes]:
    """The envelope as a MIME entity, and the transport envelope around it if the protection has a recipient."""
    boundary = new_boundary(random) if boundary is None else boundary
    message = entity(envelope.xml(), envelope.parts, boundary=boundary)
    if protection.recipient is None:
        return message
    return encrypt_entity(
        message, recipient=protection.recipient, cipher=protection.cipher, boundary=boundary, random=random
    )
