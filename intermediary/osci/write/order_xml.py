"""Writes the content of an order element (§7, §14 to §16)."""

from __future__ import annotations

from intermediary.osci.write.feedback import feedback_xml
from intermediary.osci.write.laufzettel import message_id_xml
from intermediary.osci.write.markup import attribute, element, text
from intermediary.osci.write.orders import Answer, Chunk, Deposit, Fetch, Handover, Order
from intermediary.unseal.osci.partial import KILOBYTE, ChunkInformation
from intermediary.unseal.osci.selection import SelectionRule

_REPEATED = {
    "ResponseToFetchDelivery": "osci:fetchDelivery",
    "ResponseToPartialFetchDelivery": "osci:fetchDelivery",
    "ResponseToFetchProcessCard": "osci:fetchProcessCard",
}


def order_xml(kind: str, order: Order) -> str:
    """What stands inside the order element of a message of this kind; the order was checked before."""
    if isinstance(order, Answer):
        return _answer(kind, order)
    if isinstance(order, Deposit):
        receiver = element("osci:ContentReceiver", "", f' URI="{attribute(order.receiver)}"') if order.receiver else ""
        return receiver + _id(order.message_id) + _subject(order.subject)
    if isinstance(order, Handover):
        answer_id = order.message_id_response
        response = message_id_xml(answer_id, "MessageIdResponse") if answer_id else ""
        return response + (order.card.xml() if order.card else "")
    if isinstance(order, Fetch):
        chunk = _chunk(order.chunk) if order.chunk is not None else ""
        return _selection(order.selection) + _quantity(order.limit) + chunk
    if isinstance(order, Chunk):
        chunk = _chunk(order.chunk) if order.chunk is not None else element("osci2017:InfoOnly")
        return _id(order.message_id) + _subject(order.subject) + chunk
    return ""


def _answer(kind: str, answer: Answer) -> str:
    inside = feedback_xml(answer.inside, "osci2017:InsideFeedback") if answer.inside else ""
    parts = [inside, feedback_xml(answer.feedback)]
    if kind in _REPEATED:
        parts.append(element(_REPEATED[kind], _selection(answer.selection) + _quantity(answer.limit)))
    parts += [card.xml() for card in answer.cards]
    if answer.chunk is not None:
        parts.append(_chunk(answer.chunk))
    parts += [_id(answer.message_id), _subject(answer.subject)]
    return "".join(parts)


def _id(message_id: str) -> str:
    return message_id_xml(message_id) if message_id else ""


def _subject(subject: str) -> str:
    return element("osci:Subject", text(subject)) if subject else ""


def _selection(rule: SelectionRule | None) -> str:
    if rule is None:
        return ""
    moments = [
        (name, moment)
        for name, moment in (("ReceptionOfDelivery", rule.received_since), ("RecentModification", rule.modified_since))
        if moment
    ]
    if len(moments) + bool(rule.message_ids) != 1:
        raise ValueError("a selection rule has either ids or one moment")
    if rule.message_ids:
        return element("osci:SelectionRule", "".join(message_id_xml(one) for one in rule.message_ids))
    narrowed = ' NoReception="true"' if rule.no_reception else ""
    narrowed += f' Role="{attribute(rule.role)}"' if rule.role else ""
    name, moment = moments[0]
    return element("osci:SelectionRule", element(f"osci:{name}", text(moment), narrowed))


def _quantity(limit: int | None) -> str:
    return "" if limit is None else element("osci:Quantity", "", f' Limit="{limit}"')


def _chunk(chunk: ChunkInformation) -> str:
    received = "-1" if chunk.none_received else " ".join(str(number) for number in chunk.received)
    said = (
        ("ChunkNumber", chunk.number),
        ("ChunkSize", None if chunk.chunk_bytes is None else kilobytes(chunk.chunk_bytes)),
        ("ReceivedChunks", received or None),
        ("TotalChunkNumbers", chunk.total),
        ("TotalMessageSize", chunk.total_kilobytes),
    )
    attributes = "".join(f' {name}="{value}"' for name, value in said if value is not None)
    return element("osci2017:ChunkInformation", "", attributes)


def kilobytes(size: int) -> int:
    """A size on the wire, in units of 1024 bytes; ValueError if it is not a whole number of them."""
    if size % KILOBYTE:
        raise ValueError("a size on the wire is a multiple of 1024 bytes")
    return size // KILOBYTE
