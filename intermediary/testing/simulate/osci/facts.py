"""What the simulated intermediary remembers: one dataclass per kind of fact, as they stand in its journal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class IdIssued:
    """GetMessageId was answered with this id; only this client may use it, once."""

    message_id: str
    client: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogOpened:
    """An explicit dialog began; `client` is the box of its cipher certificate, which lies in the file `certificate`."""

    conversation: str
    client: str
    certificate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A request of the dialog was answered: the number and the response the next request must carry."""

    conversation: str
    sequence: int
    challenge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogClosed:
    """ExitDialog was answered, or the dialog was forgotten on command."""

    conversation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A delivery lies in the addressee's post box; `file` has the StoreDelivery without its transport encryption.

    `inspected` are the files of the certificates that stand in its inspection report.
    """

    message_id: str
    originator: str
    addressee: str
    subject: str
    file: str
    inspected: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carded:
    """A process card began for something that is not put into a box (ForwardDelivery, MediateDelivery)."""

    message_id: str
    originator: str
    addressee: str
    subject: str
    inspected: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding:
    """The message is completely built for its recipient (digest §14)."""

    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The delivery went out in an answer, complete; it is not received before the dialog goes on."""

    message_id: str
    conversation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The recipient has it: another request in the same dialog, or its positive answer. It leaves the box."""

    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkArrived:
    """One chunk of a PartialStoreDelivery; chunk size and total are what the first chunk announced.

    `message_id` is the inner message's own.
    """

    message_id: str
    subject: str
    number: int
    file: str
    chunk_bytes: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """All chunks had arrived and the inner message was executed with these feedback codes."""

    message_id: str
    feedback: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A delivery was written as the plain answer that PartialFetchDelivery serves in chunks."""

    message_id: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkServed:
    """One chunk of that answer went out; only what went out in one dialog adds up."""

    message_id: str
    number: int
    chunk_bytes: int
    conversation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubled:
    """A knob made trouble with this kind of request."""

    knob: str
    kind: str


Fact = (
    IdIssued
    | DialogOpened
    | Turned
    | DialogClosed
    | Stored
    | Carded
    | Forwarding
    | Served
    | Received
    | ChunkArrived
    | Assembled
    | Cut
    | ChunkServed
    | Troubled
)

_KINDS: dict[str, type[Fact]] = {
    kind.__name__: kind
    for kind in (
        IdIssued,
        DialogOpened,
        Turned,
        DialogClosed,
        Stored,
        Carded,
        Forwarding,
        Served,
        Received,
        ChunkArrived,
        Assembled,
        Cut,
        ChunkServed,
        Troubled,
    )
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What one request changed, at once and altogether."""

    at: datetime
    facts: tuple[Fact, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "facts": [{"fact": type(fact).__name__, **asdict(fact)} for fact in self.facts],
        }

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> Entry:
        return cls(datetime.fromisoformat(line["at"]), tuple(_fact(one) for one in line["facts"]))


def _fact(line: dict[str, Any]) -> Fact:
    kind = _KINDS[line["fact"]]
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in line.items()}
    del fields["fact"]
    return kind(**fields)
