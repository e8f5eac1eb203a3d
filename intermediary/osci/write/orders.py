"""What the order element of a message says: one frozen dataclass per family of kinds (§7, §14 to §16).

Ids and subjects are plain text; an empty text or None is left out. Values a reader gives (`Entry`, `SelectionRule`,
`ChunkInformation`) are written as they are, so that an answer can repeat what was asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias

from intermediary.osci.write.laufzettel import Laufzettel
from intermediary.unseal.osci.feedback import Entry
from intermediary.unseal.osci.partial import ChunkInformation
from intermediary.unseal.osci.selection import SelectionRule

Quality = Literal["plain", "cryptographic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogRequest:
    """InitDialog, ExitDialog, GetMessageId: nothing but the request itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """StoreDelivery, ForwardDelivery, MediateDelivery.

    `receiver` is the URI of the passive recipient (not for StoreDelivery). `creation` and `reception` ask for a kind of
    time stamp. MediateDelivery may go without id: then nothing is put on record, and it has no subject either.
    """

    message_id: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    receiver: str = ""
    creation: Quality = "plain"
    reception: Quality = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """AcceptDelivery, ProcessDelivery. `message_id_response` is the id the answer to a ProcessDelivery shall have.

    ProcessDelivery may go without card, AcceptDelivery may not.
    """

    card: Laufzettel | None = None
    message_id_response: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """FetchDelivery, FetchProcessCard (with `limit`), PartialFetchDelivery (with `chunk`).

    Without selection the supplier chooses.
    """

    selection: SelectionRule | None = None
    limit: int | None = None
    chunk: ChunkInformation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """PartialStoreDelivery: one chunk of a StoreDelivery; `chunk=None` asks which have arrived (InfoOnly).

    `message_id` is written as it is; the convention is the inner message's id and `_Partial`.
    """

    message_id: str = field(repr=False)
    subject: str = field(default="", repr=False)
    chunk: ChunkInformation | None = None
    creation: Quality = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Every ResponseTo…: feedback, and what belongs to the kind.

    `cards`: Store-, Forward-, Fetch-, Mediate-, PartialStoreDelivery and FetchProcessCard. `selection` and `limit` repeat
    the request of a fetch. `message_id`: GetMessageId, PartialFetchDelivery and ProcessDelivery, there with `subject` and
    the qualities of time stamps. `inside` and `chunk`: partial messages.
    """

    feedback: tuple[Entry, ...]
    cards: tuple[Laufzettel, ...] = ()
    selection: SelectionRule | None = None
    limit: int | None = None
    message_id: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    inside: tuple[Entry, ...] = ()
    chunk: ChunkInformation | None = None
    creation: Quality = "plain"
    reception: Quality = "plain"


Order: TypeAlias = DialogRequest | Deposit | Handover | Fetch | Chunk | Answer

_DIALOG = (DialogRequest, "")
_FIELDS: dict[str, tuple[type, str]] = {
    "InitDialog": _DIALOG,
    "ExitDialog": _DIALOG,
    "GetMessageId": _DIALOG,
    "StoreDelivery": (Deposit, "message_id subject creation reception"),
    "ForwardDelivery": (Deposit, "message_id subject receiver creation reception"),
    "MediateDelivery": (Deposit, "message_id subject receiver creation reception"),
    "AcceptDelivery": (Handover, "card"),
    "ProcessDelivery": (Handover, "card message_id_response"),
    "FetchDelivery": (Fetch, "selection"),
    "FetchProcessCard": (Fetch, "selection limit"),
    "PartialFetchDelivery": (Fetch, "selection chunk"),
    "PartialStoreDelivery": (Chunk, "message_id subject chunk creation"),
    "ResponseToInitDialog": (Answer, "feedback"),
    "ResponseToExitDialog": (Answer, "feedback"),
    "ResponseToGetMessageId": (Answer, "feedback message_id"),
    "ResponseToStoreDelivery": (Answer, "feedback cards"),
    "ResponseToForwardDelivery": (Answer, "feedback cards"),
    "ResponseToAcceptDelivery": (Answer, "feedback"),
    "ResponseToFetchDelivery": (Answer, "feedback cards selection"),
    "ResponseToFetchProcessCard": (Answer, "feedback cards selection limit"),
    "ResponseToMediateDelivery": (Answer, "feedback cards"),
    "ResponseToProcessDelivery": (Answer, "feedback message_id subject creation reception"),
    "ResponseToPartialStoreDelivery": (Answer, "feedback inside cards chunk"),
    "ResponseToPartialFetchDelivery": (Answer, "feedback selection chunk message_id"),
}
_REQUIRED = {
    "StoreDelivery": ("message_id",),
    "ForwardDelivery": ("message_id", "receiver"),
    "MediateDelivery": ("receiver",),
    "AcceptDelivery": ("card",),
    "PartialStoreDelivery": ("message_id",),
    "PartialFetchDelivery": ("chunk",),
}


def check_order(kind: str, order: Order) -> None:
    """ValueError unless the order is of the family of this kind, complete, and says nothing the kind cannot carry."""
    family, names = _FIELDS[kind]
    if not isinstance(order, family):
        raise ValueError(f"{kind} takes {family.__name__}")
    for one in fields(order):
        if one.name not in names.split() and getattr(order, one.name) != one.default:
            raise ValueError(f"{kind} has no {one.name}")
    for name in (*_REQUIRED.get(kind, ()), *(["feedback"] if isinstance(order, Answer) else [])):
        if not getattr(order, name):
            raise ValueError(f"{kind} needs {name}")
    if kind == "MediateDelivery" and isinstance(order, Deposit) and order.subject and not order.message_id:
        raise ValueError("a subject needs a message id")
