"""The blocks of the SOAP header, in the order of the reference library (§6, §7)."""

from __future__ import annotations

from intermediary.osci.write.block import NONE, Block, block
from intermediary.osci.write.certificates import Listed
from intermediary.osci.write.markup import FIVE, SIX, attribute, base64_lines, element, text
from intermediary.osci.write.message import Control, Outgoing
from intermediary.osci.write.order_xml import kilobytes, order_xml
from intermediary.osci.write.orders import Answer, Chunk, Deposit, Quality
from intermediary.unseal.osci.names import OSCI_2017, Kind
from intermediary.unseal.osci.partial import Features


def header_blocks(message: Outgoing) -> tuple[Block, ...]:
    """All blocks but the signature's: the ControlBlock first, the signature goes behind it."""
    spec, listed = message.spec, message.certificates
    blocks = [_control_block(message.control)]
    if not spec.is_response:
        languages = f' LanguagesList="{attribute(message.languages)}"'
        blocks.append(block("osci:DesiredLanguages", "desiredlanguages", after=languages))
    blocks += _qualities(message)
    if spec.body != "order":
        blocks.append(_order_block(message))
    blocks += _certificates("osci:IntermediaryCertificates", listed.intermediary)
    blocks += _certificates("osci:NonIntermediaryCertificates", listed.others)
    if message.features is not None:
        blocks.append(_features(message.features))
    return (*blocks, *message.custom)


def order_element(kind: Kind) -> str:
    """The prefixed name of the order element."""
    prefix = "osci2017" if kind.order.startswith(OSCI_2017) else "osci"
    return f"{prefix}:{kind.order.rpartition('}')[2]}"


def _control_block(control: Control) -> Block:
    inside = ""
    if control.response is not None:
        inside += element("osci:Response", _opaque(control.response))
    if control.challenge is not None:
        inside += element("osci:Challenge", _opaque(control.challenge))
    conversation = sequence = ""
    if control.conversation_id is not None:
        conversation = f' ConversationId="{attribute(control.conversation_id)}"'
    if control.sequence_number is not None:
        sequence = f' SequenceNumber="{control.sequence_number}"'
    return block("osci:ControlBlock", "controlblock", inside, before=conversation, after=sequence)


def _opaque(value: bytes | str) -> str:
    return base64_lines(value) if isinstance(value, bytes) else text(value)


def _qualities(message: Outgoing) -> list[Block]:
    """Which time stamps are asked for: only where something is put on record."""
    order = message.order
    if isinstance(order, Chunk):
        return [_quality("creation", order.creation)]
    is_recorded = isinstance(order, Deposit) or (isinstance(order, Answer) and message.kind.endswith("ProcessDelivery"))
    if not is_recorded or not isinstance(order, Deposit | Answer) or not order.message_id:
        return []
    return [_quality("creation", order.creation), _quality("reception", order.reception)]


def _order_block(message: Outgoing) -> Block:
    name = order_element(message.spec)
    namespaces = SIX if name.startswith("osci2017") else FIVE
    inside = order_xml(message.kind, message.order)
    return block(name, name.partition(":")[2].lower(), inside, namespaces=namespaces)


def _features(features: Features) -> Block:
    supported = "".join(
        element("osci2017:Feature", "", f' Key="{attribute(key)}" Version="{attribute(version)}"')
        for key, version in features.versions.items()
    )
    limits = (
        ("MaxChunkSize", features.max_chunk_bytes),
        ("MaxMessageSize", features.max_message_bytes),
        ("MinChunkSize", features.min_chunk_bytes),
    )
    timeout = features.chunk_timeout_seconds
    attributes = SIX + (f' ChunkMessageTimeout="{timeout}"' if timeout is not None else "")
    attributes += ' Id="featuredescription"'
    attributes += "".join(f' {name}="{kilobytes(size)}"' for name, size in limits if size is not None)
    inside = element("osci2017:SupportedFeatures", supported)
    return Block("featuredescription", element("osci2017:FeatureDescription", inside, attributes))


def _certificates(name: str, listed: tuple[Listed, ...]) -> list[Block]:
    if not listed:
        return []
    inside = "".join(certificate.xml() for certificate in listed)
    return [block(name, name.partition(":")[2].lower(), inside, actor=NONE)]


def _quality(service: str, quality: Quality) -> Block:
    attributes = f' Quality="{quality}" Service="{service}"'
    return block("osci:QualityOfTimestamp", f"qualityoftimestamp_{service}", after=attributes)
