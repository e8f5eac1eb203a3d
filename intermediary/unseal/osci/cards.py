"""Process cards (Laufzettel), feedback and ids: what the order element says of a delivery (digest §14, §15)."""

from __future__ import annotations

from dataclasses import dataclass, field

from intermediary.core.faults import Rejected
from intermediary.unseal.encoding import from_base64
from intermediary.unseal.nodes import children, only, optional, single, text
from intermediary.unseal.osci.names import OSCI
from intermediary.unseal.osci.structure import Structure
from intermediary.xml.parser import Element

_BUNDLES = tuple(OSCI + name for name in ("ProcessCardBundle", "RequestProcessCardBundle", "ReplyProcessCardBundle"))
_OWN_ID = (
    "StoreDelivery",
    "ForwardDelivery",
    "MediateDelivery",
    "PartialStoreDelivery",
    "ResponseToProcessDelivery",
    "ResponseToGetMessageId",
    "ResponseToPartialFetchDelivery",
)
_CARD_ID = ("AcceptDelivery", "ProcessDelivery", "ResponseToFetchDelivery", "ResponseToMediateDelivery")


@dataclass(frozen=True, slots=True)
class ProcessCard:
    """One process card: times as written (ISO 8601, or Base64 of a cryptographic time stamp), empty where absent."""

    kind: str
    message_id: str = field(repr=False)
    creation: str
    forwarding: str
    reception: str
    subject: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Order:
    """What the order element says: the message's id and subject, its cards, the codes of a feedback."""

    message_id: str = field(repr=False)
    subject: str = field(repr=False)
    message_id_response: str = field(repr=False)
    cards: tuple[ProcessCard, ...]
    feedback: tuple[str, ...]


def read_order(structure: Structure) -> Order:
    """Reads the order element of any kind of message; a missing process card of AcceptDelivery is a structure fault."""
    order, name = structure.order, structure.kind.name
    cards = tuple(_card(child) for child in order if child.tag in _BUNDLES)
    if name == "AcceptDelivery" and len(cards) != 1:
        raise Rejected("osci.structure", where="ProcessCardBundle")
    message_id = subject = ""
    if name in _OWN_ID:
        message_id, subject = _identifier(order, "MessageId"), _text(order, "Subject")
    elif name in _CARD_ID and cards:
        message_id, subject = cards[-1].message_id, cards[-1].subject
    return Order(message_id, subject, _identifier(order, "MessageIdResponse"), cards, _feedback(order))


def _card(bundle: Element) -> ProcessCard:
    only(bundle, OSCI + "MessageId", OSCI + "ProcessCard", OSCI + "InspectionReport")
    card = single(bundle, OSCI + "ProcessCard")
    only(card, *(OSCI + name for name in ("Creation", "Forwarding", "Reception", "Subject")))
    return ProcessCard(
        kind=str(bundle.tag).removeprefix(OSCI),
        message_id=_identifier(bundle, "MessageId"),
        creation=_timestamp(card, "Creation"),
        forwarding=_timestamp(card, "Forwarding"),
        reception=_timestamp(card, "Reception"),
        subject=_text(card, "Subject"),
    )


def _timestamp(card: Element, name: str) -> str:
    holder = optional(card, OSCI + name)
    if holder is None:
        return ""
    only(holder, OSCI + "Plain", OSCI + "Cryptographic")
    if len(holder) != 1:
        raise Rejected("osci.structure", where=name)
    return text(holder[0]).strip()


def _feedback(order: Element) -> tuple[str, ...]:
    holder = optional(order, OSCI + "Feedback")
    if holder is None:
        return ()
    codes = (text(single(entry, OSCI + "Code")).strip() for entry in children(holder, OSCI + "Entry"))
    return tuple(dict.fromkeys(codes))


def _identifier(parent: Element, name: str) -> str:
    """An id on the wire is Base64 of its UTF-8 text (digest §7)."""
    holder = optional(parent, OSCI + name)
    if holder is None:
        return ""
    try:
        return from_base64(text(holder), where=name).decode("utf-8")
    except UnicodeDecodeError:
        raise Rejected("osci.structure", where=name) from None


def _text(parent: Element, name: str) -> str:
    holder = optional(parent, OSCI + name)
    return "" if holder is None else text(holder)
