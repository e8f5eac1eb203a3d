"""What the server needs of the rest of the house: submissions and boxes, as ports that the store and a simulation implement.

Everything here may be called from several threads, blocks, and raises Faults (`Transient`, `Misconfigured`) or OSError when
it cannot be done now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from intermediary.core.values import Befund, Eingang
from intermediary.ingress.gate import OPEN, Gate
from intermediary.keys.partners import Partners
from intermediary.keys.spool import Spool
from intermediary.store.records import Taken
from intermediary.unseal.xta.container import ContentContainer
from intermediary.unseal.xta.values import MessageMetaData
from intermediary.xml.parser import Element
from intermediary.xta.server.ids import Marks
from intermediary.xta.wire.report import Record


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a box. `order` is complete but for what only its content tells; `size` in bytes, as it travels."""

    key: str
    order: MessageMetaData = field(repr=False)
    entered_at: datetime
    fetched_at: datetime | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a transport order: a status of the report, what there is to say, and since when."""

    status: int
    changed_at: datetime
    errors: tuple[Record, ...] = ()
    warnings: tuple[Record, ...] = ()
    infos: tuple[Record, ...] = ()
    quittung: bytes = field(default=b"", repr=False)


class Closing(Enum):
    """What became of a close."""

    CLOSED = auto()
    UNKNOWN = auto()


class Cancelling(Enum):
    """What became of a cancellation."""

    CANCELLED = auto()
    UNKNOWN = auto()
    TOO_LATE = auto()
    NO_TERM = auto()


class Boxes(Protocol):
    """The boxes of readers, by their account (Behoerdenkennung)."""

    def waiting(self, account: str, *, limit: int) -> Sequence[Entry]:
        """What lies in the box of this account, the longest waiting first."""
        ...

    def entries(self, account: str, keys: Sequence[str]) -> Sequence[Entry]:
        """Those of these that lie there still, in this order."""
        ...

    def content(self, account: str, key: str) -> ContentContainer | None:
        """What an entry holds, to be handed out; None when it does not lie there (any more)."""
        ...

    def fetched(self, account: str, key: str, now: datetime) -> None:
        """It is handed out now."""
        ...

    def close(self, account: str, keys: Sequence[str], *, certificate: str, now: datetime) -> Closing:
        """The account has taken these over, for good and all of them; again: nothing more happens. `Later` if not now."""
        ...

    def standing(self, account: str, key: str) -> tuple[MessageMetaData, Standing] | None:
        """The order and what became of it, as long as that is known."""
        ...


class Judged(Enum):
    """A submission whose verdict is open: somebody is at it, or it waits for something."""

    IN_HAND = auto()
    WAITS = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judgement of a submission came to: `code` is empty for a good one."""

    code: str = ""
    findings: tuple[Befund, ...] = ()


class Submissions(Protocol):
    """What was sent to us."""

    def take(self, eingang: Eingang) -> Taken:
        """Make it durable."""
        ...

    def judge(self, nachricht_id: str) -> None:
        """Judge exactly this one, if nobody has."""
        ...

    def verdict(self, nachricht_id: str) -> Verdict | Judged:
        """How it stands now."""
        ...

    def find(self, mandant: str, message_id: str, account: str) -> str | None:
        """The Nachricht that this account sent under the id, the first where there are several.

        What others sent is looked for no longer than what nobody did: how long it takes tells nothing (threat T21).
        """
        ...

    def order(self, nachricht_id: str) -> MessageMetaData | None:
        """The order as it was sent, to be shown to its account alone; None once its payload is erased."""
        ...

    def standing(self, nachricht_id: str, message_id: str) -> Standing:
        """What became of it."""
        ...

    def quittung(self, nachricht_id: str, message_id: str) -> bytes:
        """What the author of a judged one is told (docs/reference/quittung.md)."""
        ...

    def cancel(self, nachricht_id: str, now: datetime) -> Cancelling:
        """Take it back before its term; whether it had one, and whether that is over, the caller has looked at."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """Everything a server works with.

    `partners` gives the present directory of accounts. `check` holds an element against the official schemas, where they are
    installed, and returns what is wrong. `offers` says whether somebody here works on a service for a Mandant.
    """

    submissions: Submissions
    boxes: Boxes
    partners: Callable[[], Partners]
    marks: Marks
    check: Callable[[Element], tuple[Befund, ...]]
    offers: Callable[[str, str], bool]
    spool: Spool
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    gate: Gate = OPEN
