"""The blocks of the SOAP header, in the order of the reference library (§6, §7, §14)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from cryptography import x509

from intermediary.osci.write.certificates import CertificateList, Listed
from intermediary.osci.write.letter import TO_INTERMEDIARY, Letter, MetaData, Parties, ProcessCard
from intermediary.osci.write.markup import FIVE, attribute, base64_lines, element, text

_NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
_NONE = "http://www.w3.org/2001/12/soap-envelope/actor/none"
_SIX = FIVE.replace(" xmlns:soap=", ' xmlns:osci2017="http://xoev.de/transport/osci12/7" xmlns:soap=')
_SEVEN = FIVE.replace(" xmlns:soap=", ' xmlns:oscimeta="http://www.osci.eu/ws/2014/10/transport" xmlns:soap=').replace(
    " xmlns:xenc=", ' xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:xenc='
)
_FEATURES = (
    ("DisableBase64", "1.2.0"),
    ("OAEPEncryption", "1.6.0"),
    ("SHA3HashAlgo", "1.6.3"),
    ("GCMPaddingModus", "1.7.0"),
    ("PartialMessageTransmission", "1.8.0"),
    ("Support96Bit12ByteIV", "1.9.0"),
)
_CHUNKING = ' MaxChunkSize="10240" MaxMessageSize="204800" MinChunkSize="100"'


@dataclass(frozen=True, slots=True)
class Block:
    """A header block as written, which is also its canonical form."""

    id: str
    xml: str = field(repr=False)


def control_block(letter: Letter, *, challenge: bytes) -> Block:
    """The ControlBlock: a fresh challenge, and in a dialog the partner's, the number and the conversation."""
    inside = element("osci:Challenge", base64_lines(challenge))
    conversation = sequence = ""
    if letter.dialog is not None:
        conversation = f' ConversationId="{attribute(letter.dialog.conversation_id)}"'
        sequence = f' SequenceNumber="{letter.dialog.sequence_number}"'
        inside = element("osci:Response", base64_lines(letter.dialog.response)) + inside
    elif letter.message_type in TO_INTERMEDIARY:
        sequence = ' SequenceNumber="0"'
    return _block("osci:ControlBlock", "controlblock", inside, before=conversation, after=sequence)


def later_blocks(letter: Letter, *, parties: Parties, listed: CertificateList, card: ProcessCard) -> tuple[Block, ...]:
    """Everything that follows the ControlBlock and the signature."""
    is_response = letter.message_type.startswith("ResponseTo")
    blocks: list[Block] = []
    if not is_response:
        blocks.append(_block("osci:DesiredLanguages", "desiredlanguages", after=' LanguagesList="de"'))
    if letter.message_type in TO_INTERMEDIARY:
        blocks += [_quality("creation"), _quality("reception")]
    name = letter.message_type[0].lower() + letter.message_type[1:]
    blocks.append(_block(f"osci:{name}", name.lower(), _order(letter, parties=parties, card=card)))
    blocks += _certificates("osci:IntermediaryCertificates", listed.intermediary)
    blocks += _certificates("osci:NonIntermediaryCertificates", listed.others)
    if letter.features:
        blocks.append(_features(_CHUNKING if is_response else ""))
    if letter.metadata is not None:
        blocks.append(metadata_block(letter.metadata, size=sum(len(data) for data in letter.contents)))
    return tuple(blocks)


def metadata_block(metadata: MetaData, *, size: int) -> Block:
    """The XTA MessageMetaData as custom header `MetaData`; `size` in bytes."""
    moment = text(metadata.origin.isoformat(timespec="seconds"))
    inside = (
        element(
            "oscimeta:DeliveryAttributes",
            element("oscimeta:Origin", moment) + element("oscimeta:ServiceQuality", text(metadata.quality)),
        )
        + element("oscimeta:Originators", element("oscimeta:Author", _party("Autor", metadata.author)))
        + element("oscimeta:Destinations", element("oscimeta:Reader", _party("Leser", metadata.reader)))
        + element("oscimeta:MsgIdentification", element("wsa:MessageID", text(metadata.message_id)))
        + element(
            "oscimeta:Qualifier",
            element("oscimeta:Subject", text(metadata.subject)) + element("oscimeta:Service", text(metadata.service)),
        )
        + element("oscimeta:MsgSize", str(size))
    )
    return Block("MetaData", element("oscimeta:MessageMetaData", inside, f'{_SEVEN} Id="MetaData"'))


def _order(letter: Letter, *, parties: Parties, card: ProcessCard) -> str:
    message_id = element("osci:MessageId", base64_lines(letter.message_id.encode()))
    subject = element("osci:Subject", text(letter.subject)) if letter.subject else ""
    if letter.message_type == "StoreDelivery":
        return message_id + subject
    if letter.message_type == "ForwardDelivery":
        return (
            element("osci:ContentReceiver", "", f' URI="{attribute(letter.content_receiver)}"') + message_id + subject
        )
    bundle = _process_card_bundle(message_id, subject, parties=parties, card=card)
    if letter.message_type == "ProcessDelivery":
        answer_id = letter.message_id_response or f"{letter.message_id}-antwort"
        return element("osci:MessageIdResponse", base64_lines(answer_id.encode())) + bundle
    if letter.message_type == "ResponseToFetchDelivery":
        selection = element("osci:fetchDelivery", element("osci:SelectionRule", message_id))
        return _feedback(letter.feedback) + selection + bundle
    return bundle


def _process_card_bundle(message_id: str, subject: str, *, parties: Parties, card: ProcessCard) -> str:
    forwarded = text(card.forwarded_at.isoformat(timespec="seconds"))
    stamps = element("osci:Creation", _plain(card.created_at.isoformat(timespec="seconds")))
    stamps += element("osci:Forwarding", _plain(forwarded))
    later = card.inspected_at + timedelta(seconds=1)
    signer, reader = parties.originator_signature.certificate, parties.readers[0].certificate
    inspections = _inspection(signer, card.inspected_at.isoformat(timespec="seconds"), is_signature=True)
    inspections += _inspection(reader, later.isoformat(timespec="seconds"), is_signature=False)
    return element(
        "osci:ProcessCardBundle",
        message_id
        + element("osci:ProcessCard", stamps + subject, f' RecentModification="{forwarded}"')
        + element("osci:InspectionReport", inspections),
    )


def _inspection(certificate: x509.Certificate, moment: str, *, is_signature: bool) -> str:
    judged = (
        _result("osci:CertType", "Type", "advanced" if is_signature else "unknown")
        + _result("osci:MathResult", "Result", "ok")
        + _result("osci:OfflineResult", "Result", "valid" if is_signature else "indeterminate")
    )
    if is_signature:
        judged += element("osci:OnlineResult", element("osci:OCSP", "good"), ' Result="ok"')
    return element(
        "osci:Inspection",
        element("osci:Timestamp", _plain(moment))
        + element("osci:X509SubjectName", text(certificate.subject.rfc4514_string()))
        + element("osci:X509IssuerName", text(certificate.issuer.rfc4514_string()))
        + element("osci:X509SerialNumber", str(certificate.serial_number))
        + judged,
    )


def _feedback(entries: tuple[tuple[str, str], ...]) -> str:
    return element(
        "osci:Feedback",
        "".join(
            element("osci:Entry", element("osci:Code", text(code)) + element("osci:Text", text(said)), ' xml:lang="de"')
            for code, said in entries
        ),
    )


def _features(limits: str) -> Block:
    supported = "".join(
        element("osci2017:Feature", attributes=f' Key="{key}" Version="{version}"') for key, version in _FEATURES
    )
    inside = element("osci2017:SupportedFeatures", supported)
    attributes = f'{_SIX} Id="featuredescription"{limits}'
    return Block("featuredescription", element("osci2017:FeatureDescription", inside, attributes))


def _certificates(name: str, listed: tuple[Listed, ...]) -> list[Block]:
    if not listed:
        return []
    inside = "".join(certificate.xml() for certificate in listed)
    return [_block(name, name.partition(":")[2].lower(), inside, actor=_NONE)]


def _quality(service: str) -> Block:
    attributes = f' Quality="plain" Service="{service}"'
    return _block("osci:QualityOfTimestamp", f"qualityoftimestamp_{service}", after=attributes)


def _block(
    name: str, block_id: str, inside: str = "", *, before: str = "", after: str = "", actor: str = _NEXT
) -> Block:
    attributes = f'{FIVE}{before} Id="{block_id}"{after} soap:actor="{actor}" soap:mustUnderstand="1"'
    return Block(block_id, element(name, inside, attributes))


def _plain(moment: str) -> str:
    return element("osci:Plain", moment)


def _result(name: str, attribute_name: str, value: str) -> str:
    return element(name, attributes=f' {attribute_name}="{value}"')


def _party(name: str, identifier: str) -> str:
    return element("oscimeta:Identifier", text(identifier), f' name="{name}" type="xoev"')
