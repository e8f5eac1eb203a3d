"""The transport order of XTA as values: who sends what to whom, under which id, and when what happened (digest §3).

Times are `xs:dateTime` as written and empty where absent: what another has written is handed on unchanged. `moment_of`
reads one. Elements that are only handed on (security tokens, addresses of receipts) are kept as their XML text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Party:
    """Who takes part: `identifier` (as a DVDV key, `prefix:number`) of this `type`; `tokens` are SecurityToken elements."""

    identifier: str = field(repr=False)
    type: str = "xoev"
    name: str = field(default="", repr=False)
    category: str = ""
    tokens: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class CodeValue:
    """A code of a list; `name` is what the list calls it, for people."""

    code: str
    list_uri: str = ""
    list_version: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class MessageType:
    """What kind of message the payload is: the code, and the schema it follows."""

    code: CodeValue
    payload_schema: str


@dataclass(frozen=True, slots=True)
class ReceiptRequests:
    """The receipts that are asked for: names of the schema (`Submission`, `Relay`, …); `to` is an EndpointReference."""

    wanted: tuple[str, ...] = ()
    to: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DeliveryAttributes:
    """When what happened or may happen. A client sets `origin` and `not_before`, the infrastructure the rest."""

    origin: str = ""
    initial_send: str = ""
    not_before: str = ""
    obsolete_after: str = ""
    delivery: str = ""
    initial_fetch: str = ""
    reception: str = ""
    service_quality: str = ""
    receipts: ReceiptRequests | None = None


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A file or case number; the schema spells the attribute of its `name` `ProccesName`."""

    value: str = field(repr=False)
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MsgIdentification:
    """The id of the transport order (not that of the SOAP message), and what it belongs to."""

    message_id: str = field(repr=False)
    in_reply_to: tuple[str, ...] = field(default=(), repr=False)
    requester: ProcessId | None = None
    responder: ProcessId | None = None


@dataclass(frozen=True, slots=True)
class Qualifier:
    """What the message is about; together with the reader it decides the route.

    `scenario` is a code (`Defined`) or a text (`Undefined`). `subject` None: the element is not there.
    """

    service: str
    scenario: CodeValue | str
    message_type: MessageType
    subject: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MessageProperty:
    """A further property of the message."""

    key: CodeValue
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OtherDestinations:
    """Further readers; parties without tokens."""

    readers: tuple[Party, ...]
    copies: tuple[Party, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageMetaData:
    """The transport order; `size` in bytes, None where it is not stated. `is_test` is the attribute `TestMsg`."""

    author: Party
    reader: Party
    identification: MsgIdentification
    qualifier: Qualifier
    delivery: DeliveryAttributes = DeliveryAttributes()
    sender: Party | None = None
    reply_to: Party | None = None
    others: OtherDestinations | None = None
    properties: tuple[MessageProperty, ...] = ()
    size: int | None = None
    is_test: bool = False

    @property
    def message_id(self) -> str:
        """The id of the transport order."""
        return self.identification.message_id


def moment_of(value: str) -> datetime | None:
    """An `xs:dateTime` as an aware moment, one without a zone taken for UTC; None for an empty one or beyond `datetime`."""
    head, dot, rest = value.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    shortened = head + (dot + rest[: min(digits, 6)] if digits else "") + rest[digits:]
    is_midnight = "T24:" in shortened
    try:
        found = datetime.fromisoformat(shortened.replace("T24:", "T00:")) + timedelta(days=1 if is_midnight else 0)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
