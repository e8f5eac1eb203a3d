"""What the order element of a message says, typed: ids, process cards (Laufzettel), feedback, rules, chunks (§7, §14)."""

from __future__ import annotations

from dataclasses import dataclass, field

from intermediary.core.faults import Rejected
from intermediary.unseal.nodes import attribute, only, optional, single, text
from intermediary.unseal.osci.feedback import Entry, read_feedback
from intermediary.unseal.osci.identifiers import read_identifier
from intermediary.unseal.osci.names import OSCI, OSCI_2017
from intermediary.unseal.osci.partial import (
    ChunkInformation,
    Features,
    is_info_only,
    read_chunk_information,
    read_features,
)
from intermediary.unseal.osci.selection import SelectionRule, read_limit, read_selection, repeated_request
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
_RULES = {"FetchDelivery": "", "PartialFetchDelivery": "", "FetchProcessCard": ""} | {
    "ResponseToFetchDelivery": "fetchDelivery",
    "ResponseToPartialFetchDelivery": "fetchDelivery",
    "ResponseToFetchProcessCard": "fetchProcessCard",
}


@dataclass(frozen=True, slots=True)
class ProcessCard:
    """One process card: times as written (ISO 8601, or Base64 of a cryptographic time stamp), empty where absent.

    `kind` is the local name of its bundle. `reception` stands once the recipient has it, `modified` is the latest change.
    """

    kind: str
    message_id: str = field(repr=False)
    creation: str
    forwarding: str
    reception: str
    subject: str = field(repr=False)
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What the order element of any kind of message says; what a kind does not have is empty or None.

    `message_id` and `subject` are the message's own, or those of its last process card. `entries` are the feedback,
    `inside` the feedback on the message inside a chunked transfer. `selection` and `limit` are what a fetch asks for (an
    answer repeats them), `receiver` the URI of a passive recipient. `features` is the header block FeatureDescription.
    """

    message_id: str = field(repr=False)
    subject: str = field(repr=False)
    message_id_response: str = field(repr=False)
    cards: tuple[ProcessCard, ...]
    entries: tuple[Entry, ...]
    inside: tuple[Entry, ...] = ()
    selection: SelectionRule | None = None
    limit: int | None = None
    receiver: str = ""
    chunk: ChunkInformation | None = None
    info_only: bool = False
    features: Features | None = None

    @property
    def feedback(self) -> tuple[str, ...]:
        """The codes of the feedback, each once."""
        return tuple(dict.fromkeys(entry.code for entry in self.entries))


def read_order(structure: Structure) -> Order:
    """Reads the order element of any kind of message; a missing process card of AcceptDelivery is a structure fault."""
    order, name = structure.order, structure.kind.name
    cards = tuple(_card(child) for child in order if child.tag in _BUNDLES)
    if name == "AcceptDelivery" and len(cards) != 1:
        raise Rejected("osci.structure", where="ProcessCardBundle")
    message_id = subject = ""
    if name in _OWN_ID:
        message_id, subject = read_identifier(order, "MessageId"), _text(order, "Subject")
    elif name in _CARD_ID and cards:
        message_id, subject = cards[-1].message_id, cards[-1].subject
    asked = _asked(order, name)
    return Order(
        message_id=message_id,
        subject=subject,
        message_id_response=read_identifier(order, "MessageIdResponse"),
        cards=cards,
        entries=read_feedback(order, OSCI + "Feedback"),
        inside=read_feedback(order, OSCI_2017 + "InsideFeedback"),
        selection=None if asked is None else read_selection(asked),
        limit=None if asked is None else read_limit(asked),
        receiver=_receiver(order),
        chunk=read_chunk_information(order),
        info_only=is_info_only(order),
        features=read_features(structure.block(OSCI_2017 + "FeatureDescription")),
    )


def _asked(order: Element, name: str) -> Element | None:
    """Where selection rule and limit stand: in a fetch request itself, or in what its answer repeats."""
    if name not in _RULES:
        return None
    return repeated_request(order, _RULES[name]) if _RULES[name] else order


def _card(bundle: Element) -> ProcessCard:
    only(bundle, OSCI + "MessageId", OSCI + "ProcessCard", OSCI + "InspectionReport")
    card = single(bundle, OSCI + "ProcessCard")
    only(card, *(OSCI + name for name in ("Creation", "Forwarding", "Reception", "Subject")))
    return ProcessCard(
        kind=str(bundle.tag).removeprefix(OSCI),
        message_id=read_identifier(bundle, "MessageId"),
        creation=_timestamp(card, "Creation"),
        forwarding=_timestamp(card, "Forwarding"),
        reception=_timestamp(card, "Reception"),
        subject=_text(card, "Subject"),
        modified=card.get("RecentModification") or "",
    )


def _timestamp(card: Element, name: str) -> str:
    holder = optional(card, OSCI + name)
    if holder is None:
        return ""
    only(holder, OSCI + "Plain", OSCI + "Cryptographic")
    if len(holder) != 1:
        raise Rejected("osci.structure", where=name)
    return text(holder[0]).strip()


def _receiver(order: Element) -> str:
    found = optional(order, OSCI + "ContentReceiver")
    return "" if found is None else attribute(found, "URI")


def _text(parent: Element, name: str) -> str:
    holder = optional(parent, OSCI + name)
    return "" if holder is None else text(holder)
