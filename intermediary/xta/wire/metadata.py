"""Writes MessageMetaData, parties and codes."""

from __future__ import annotations

from intermediary.unseal.xta.metadata import RECEIPTS
from intermediary.unseal.xta.values import (
    CodeValue,
    DeliveryAttributes,
    MessageMetaData,
    MsgIdentification,
    OtherDestinations,
    Party,
    ProcessId,
    Qualifier,
    ReceiptRequests,
)
from intermediary.xml.markup import element
from intermediary.xta.wire.markup import leaf, leaf_if, said

_M = "oscimeta:"


def write_metadata(metadata: MessageMetaData) -> str:
    """The MessageMetaData element. ValueError for a character XML cannot carry."""
    originators = (
        write_party(_M + "Author", metadata.author)
        + _party(_M + "Sender", metadata.sender)
        + _party(_M + "ReplyTo", metadata.reply_to)
    )
    destinations = write_party(_M + "Reader", metadata.reader) + _others(metadata.others)
    properties = "".join(
        element(_M + "Property", write_code(_M + "Key", one.key) + leaf(_M + "Value", one.value))
        for one in metadata.properties
    )
    inside = (
        _delivery(metadata.delivery),
        element(_M + "Originators", originators),
        element(_M + "Destinations", destinations),
        _identification(metadata.identification),
        _qualifier(metadata.qualifier),
        element(_M + "MessageProperties", properties) if properties else "",
        "" if metadata.size is None else leaf(_M + "MsgSize", str(metadata.size)),
    )
    return element(_M + "MessageMetaData", "".join(inside), said(TestMsg="true" if metadata.is_test else ""))


def write_party(name: str, party: Party) -> str:
    """A party under this prefixed name (`oscimeta:Author`)."""
    return element(name, _identifier(_M + "Identifier", party) + "".join(party.tokens))


def write_code(tag: str, code: CodeValue, /, **attributes: str) -> str:
    """A code under this prefixed name; its children have no namespace."""
    inside = leaf("code", code.code) + leaf_if("name", code.name)
    return element(tag, inside, said(listURI=code.list_uri, listVersionID=code.list_version, **attributes))


def _party(name: str, party: Party | None) -> str:
    return "" if party is None else write_party(name, party)


def _identifier(name: str, party: Party) -> str:
    return leaf(name, party.identifier, type=party.type, name=party.name, category=party.category)


def _others(others: OtherDestinations | None) -> str:
    if others is None:
        return ""
    inside = "".join(_identifier(_M + "OtherReaders", one) for one in others.readers)
    inside += "".join(_identifier(_M + "CcReaders", one) for one in others.copies)
    return element(_M + "OtherDestinations", inside)


def _delivery(times: DeliveryAttributes) -> str:
    inside = (
        leaf_if(_M + "Origin", times.origin),
        leaf_if(_M + "InitialSend", times.initial_send),
        leaf_if(_M + "NotBefore", times.not_before),
        leaf_if(_M + "ObsoleteAfter", times.obsolete_after),
        leaf_if(_M + "Delivery", times.delivery),
        leaf_if(_M + "InitialFetch", times.initial_fetch),
        leaf_if(_M + "Reception", times.reception),
        leaf_if(_M + "ServiceQuality", times.service_quality),
        _receipts(times.receipts),
    )
    return element(_M + "DeliveryAttributes", "".join(inside))


def _receipts(receipts: ReceiptRequests | None) -> str:
    if receipts is None:
        return ""
    inside = "".join(element(_M + name) for name in RECEIPTS if name in receipts.wanted)
    return element(_M + "ReceiptRequests", inside + receipts.to)


def _identification(ids: MsgIdentification) -> str:
    inside = leaf("wsa:MessageID", ids.message_id)
    inside += "".join(leaf(_M + "In-Reply-To", one) for one in ids.in_reply_to)
    if ids.requester or ids.responder:
        references = _process(_M + "Requester", ids.requester) + _process(_M + "Responder", ids.responder)
        inside += element(_M + "ProcessRef", references)
    return element(_M + "MsgIdentification", inside)


def _process(name: str, process: ProcessId | None) -> str:
    return "" if process is None else leaf(name, process.value, ProccesName=process.name)


def _qualifier(qualifier: Qualifier) -> str:
    scenario = qualifier.scenario
    if isinstance(scenario, CodeValue):
        inside = write_code(_M + "Defined", scenario)
    else:
        inside = leaf(_M + "Undefined", scenario)
    kind = qualifier.message_type
    return element(
        _M + "Qualifier",
        ("" if qualifier.subject is None else leaf(_M + "Subject", qualifier.subject))
        + leaf(_M + "Service", qualifier.service)
        + element(_M + "BusinessScenario", inside)
        + write_code(_M + "MessageType", kind.code, payloadSchema=kind.payload_schema),
    )
