"""Made-up messages of XTA 2: the applications of `samples` as transport orders with their containers, clear or sealed."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random as Dice

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.joined import JoinedContent
from intermediary.core.values import Content, MemoryContent
from intermediary.osci.write.algorithms import Cipher, KeyTransport
from intermediary.osci.write.encryption import encrypt, encrypted_key, wrap
from intermediary.osci.write.letter import Letter
from intermediary.osci.write.markup import base64_lines, element
from intermediary.osci.write.octets import Octets, Random, pieces
from intermediary.testing.demo_proof import golden_letter
from intermediary.testing.samples import NAMESPACE, SERVICE, sample_letter
from intermediary.unseal.xta.container import ContentContainer, Piece
from intermediary.unseal.xta.entity import entity_head
from intermediary.unseal.xta.envelope import Addressing
from intermediary.unseal.xta.values import (
    CodeValue,
    DeliveryAttributes,
    MessageMetaData,
    MessageType,
    MsgIdentification,
    Party,
    ProcessId,
    Qualifier,
)
from intermediary.xta.wire.box import BoxResponse, write_box_response
from intermediary.xta.wire.entity import Entity, OutgoingMessage, SealedXml, write_entity
from intermediary.xta.wire.markup import DECLARATIONS
from intermediary.xta.wire.metadata import write_metadata
from intermediary.xta.wire.operations import GET_MESSAGE

AUTHOR = Party("prt:0000000001", "xoev", "Online-Dienst Musterland", "Portal")
READER = Party("ags:05999044", "xoev", "Stadt Musterstadt", "Straßenverkehrsbehörde")
MESSAGE_TYPE = MessageType(
    CodeValue("S05000058", "urn:example:codeliste:nachrichtentyp", "1.0", "Antrag Bewohnerparkausweis"), NAMESPACE
)


def sample_order(seed: int, *, now: datetime, service: str = SERVICE) -> MessageMetaData:
    """The order of a usual application; the same seed gives the same id."""
    number = uuid.UUID(int=Dice(f"xta {seed}").getrandbits(128), version=4)
    return MessageMetaData(
        author=AUTHOR,
        reader=READER,
        identification=MsgIdentification(
            f"urn:de:xta:messageid:beispiel_gateway:{number}", requester=ProcessId(f"VG-{seed:06}")
        ),
        qualifier=Qualifier(service, "EfA-Antrag", MESSAGE_TYPE, "Antrag Bewohnerparkausweis"),
        delivery=DeliveryAttributes(origin=_written(now - timedelta(minutes=7)), delivery=_written(now)),
    )


def sample_container(seed: int, *, now: datetime, is_broken: bool = False) -> ContentContainer:
    """What `sample_letter` of the same seed carries."""
    return container_of(sample_letter(seed, now=now, is_broken=is_broken))


def golden_message(now: datetime) -> tuple[MessageMetaData, ContentContainer]:
    """The demo's golden application (`demo_proof.golden_letter`) as a message of XTA, its content under the same name."""
    order = sample_order(0, now=now)
    ids = MsgIdentification("urn:de:xta:messageid:beispiel-online-dienst:golden")
    container = container_of(golden_letter(now))
    named = replace(container, message=replace(container.message, filename="content0"))
    return replace(order, identification=ids), named


def container_of(letter: Letter) -> ContentContainer:
    """Content and attachments of a letter of OSCI, as they travel by XTA."""
    (content,) = letter.contents
    message = Piece(MemoryContent(content), "text/xml", filename="antrag.xml", encoding="UTF-8", lang="de")
    attachments = tuple(
        Piece(_content(one.data), one.media_type, filename=one.name, id=str(number))
        for number, one in enumerate(letter.attachments, start=1)
    )
    return ContentContainer(message, attachments)


def seal_container(
    container: ContentContainer,
    reader: x509.Certificate,
    *,
    random: Random = secrets.token_bytes,
    by_serial: bool = False,
) -> SealedXml:
    """The container encrypted end to end for its reader: AES-256-GCM with 12 bytes of IV, RSA-OAEP with SHA-256.

    `by_serial` names the reader's certificate by issuer and serial number in place of carrying it.
    """
    plain = write_entity(
        OutgoingMessage(Addressing("urn:none"), container=container), random=random, mtom=False
    ).content.read()
    start, end = plain.index(b"<xta:ContentContainer"), plain.index(b"</xta:GenericContentContainer>")
    inside = plain[start:end].replace(b"<xta:ContentContainer", f"<xta:ContentContainer{DECLARATIONS}".encode(), 1)
    key = random(32)
    cipher = Cipher()
    octets = encrypt(inside, key=key, cipher=cipher, random=random)
    transport = KeyTransport.OAEP_SHA256
    wrapped = encrypted_key(
        wrap(key, certificate=reader, transport=transport),
        key_info=_named(reader, by_serial=by_serial),
        transport=transport,
    )
    return SealedXml(
        element(
            "xenc:EncryptedData",
            f'<xenc:EncryptionMethod Algorithm="{cipher.symmetric}"></xenc:EncryptionMethod>'
            + element("ds:KeyInfo", wrapped)
            + element("xenc:CipherData", element("xenc:CipherValue", base64_lines(octets))),
            ' Type="http://www.w3.org/2001/04/xmlenc#Element"',
        )
    )


def fetched(
    order: MessageMetaData,
    container: ContentContainer | SealedXml,
    *,
    mtom: bool = True,
    relates_to: str = "",
    random: Random = secrets.token_bytes,
) -> Entity:
    """The answer to getMessage, as a gateway writes it."""
    request_id = f"urn:uuid:{uuid.UUID(bytes=random(16), version=4)}"
    headers = (write_metadata(order), write_box_response(BoxResponse(request_id, 0)))
    addressing = Addressing(GET_MESSAGE.action, "", f"urn:uuid:{uuid.UUID(bytes=random(16), version=4)}", relates_to)
    return write_entity(OutgoingMessage(addressing, headers, container=container), random=random, mtom=mtom)


def kept(entity: Entity) -> Content:
    """A body as it is kept when it was received."""
    return JoinedContent((entity_head(entity.content_type), entity.content))


def _named(certificate: x509.Certificate, *, by_serial: bool) -> str:
    if not by_serial:
        der = base64_lines(certificate.public_bytes(Encoding.DER))
        return element("ds:X509Data", element("ds:X509Certificate", der))
    issuer = element("ds:X509IssuerName", certificate.issuer.rfc4514_string())
    serial = element("ds:X509SerialNumber", str(certificate.serial_number))
    return element("ds:X509Data", element("ds:X509IssuerSerial", issuer + serial))


def _content(data: Octets) -> Content:
    return MemoryContent(data if isinstance(data, bytes) else b"".join(pieces(data)))


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
