"""What the store hands out: one frozen value per row, without content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from intermediary.audit.chain import Entry
from intermediary.audit.merkle import Frontier
from intermediary.audit.sealer import Head
from intermediary.core.states import NachrichtState, ZustellungState

if TYPE_CHECKING:
    from intermediary.store.draft import Draft

Json = Mapping[str, Any]


class Place(StrEnum):
    """What a Nachricht is in the order of its Vorgang (promise G5).

    `open`: the key was known at intake, nothing is judged yet. `kept`: its route keeps the order; `opened` the same, with a
    key that was found by opening. `passed` waits for earlier ones and holds back no later one: a person said so. `free`: its
    route keeps no order.
    """

    NONE = ""
    OPEN = "open"
    KEPT = "kept"
    OPENED = "opened"
    PASSED = "passed"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class NachrichtRecord:
    """One Nachricht as it stands durably; in a claim with a draft, as it will once that is written.

    `code` is why it is parked, was refused or rejected; `wait_reason` the code it waits with at present (its own, or
    that of the Zustellung that keeps it open). `due_at` is the earliest moment anything of it has to be looked at, None
    when nothing is to be done; `own_due_at` is the part of it that concerns the Nachricht itself (judging, answering).
    `since` is the moment from which its deadline counts: of receipt, or of a person's last decision to go on.
    `attempts` counts the failed tries of its present state, `unexplained` the claims that ended without a fact.
    `verdict` is what the sender is or was told, with `verdict_code`; it is set when `answering` is reached and never
    changes. `pins` names the versions used, `plan` holds facts, findings and hashes of the one judgement; neither holds
    content. `payload` is `present` or `erased`. `state_since` is the moment of its last change of state, None where a
    program moved it that did not write it down. `held_since` is set while a person keeps it from being erased.
    """

    id: str
    mandant: str
    channel: str
    content_type: str
    direction: Literal["in", "out"]
    state: NachrichtState
    code: str
    wait_reason: str
    received_at: datetime
    since: datetime
    due_at: datetime | None
    own_due_at: datetime | None
    attempts: int
    unexplained: int
    route: str
    verdict: Literal["", "accepted", "rejected"]
    verdict_code: str
    pins: Mapping[str, str]
    body_sha256: str
    body_length: int
    payload: Literal["present", "erased"]
    revision: int
    plan: Json = field(repr=False)
    vorgang_hash: str = field(default="", repr=False)
    vorgang_number: int = 0
    vorgang_place: Place = Place.NONE
    vorgang_open: int | None = None
    vorgang_waits: int | None = None
    state_since: datetime | None = None
    held_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ZustellungRecord:
    """One Zustellung as it stands durably.

    `key` is the idempotency key (promise G3). `attempts` counts intents whose attempt was used up, and failed
    look-ups. `intended_at` is the moment of the last intent, None when it was never intended. `redelivery` counts
    from 0; above 0, `redelivers` is the key of its predecessor and `reason` what the person said. `correlation` and
    `until` belong to the state `awaiting`. `since` is the moment from which its deadline counts: of receipt, or of a
    person's order to send again. `waits_for` is the id of the target that a waiting one is held back for.
    """

    key: str
    nachricht_id: str
    target: str
    required: bool
    state: ZustellungState
    code: str
    attempts: int
    due_at: datetime | None
    intended_at: datetime | None
    output_sha256: str
    redelivery: int
    redelivers: str
    reason: str
    proof: Mapping[str, str]
    correlation: Mapping[str, str]
    until: datetime | None
    since: datetime
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """The last event in the chain of a Nachricht: how many there are, and its digest."""

    length: int
    digest: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on one Nachricht: everything its holder needs, and the token that fences its writes.

    Every operation under a claim returns a new Claim with the records as they stand after it; go on with that one. Once an
    operation has ended the lease, `owner` is empty.
    """

    nachricht: NachrichtRecord
    zustellungen: tuple[ZustellungRecord, ...]
    token: int
    owner: str
    end: ChainEnd
    draft: Draft | None = field(default=None, repr=False, compare=False)
    """What is decided and not written yet; the next operation under the claim writes it."""

    def zustellung(self, key: str) -> ZustellungRecord:
        """The Zustellung with this idempotency key; LookupError when the Nachricht has none."""
        for record in self.zustellungen:
            if record.key == key:
                return record
        raise LookupError("the Nachricht has no such Zustellung")


@dataclass(frozen=True, slots=True)
class Headers:
    """What came beside the body, opened for its user: it never rests readable and is never logged."""

    message_id: str = field(repr=False)
    reply_to: str = field(default="", repr=False)
    correlation_id: str = field(default="", repr=False)
    vorgang: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one Eingang: `new`, the same once more (`duplicate`), or same id with other bytes (`conflict`)."""

    nachricht_id: str
    outcome: Literal["new", "duplicate", "conflict"]


@dataclass(frozen=True, slots=True)
class PlannedTarget:
    """One target the route demands, with the hash of what it will be given."""

    name: str
    required: bool
    output_sha256: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What `Store.plan` commits of the one judgement."""

    route: str
    pins: Mapping[str, str]
    plan: Json = field(repr=False)
    targets: Sequence[PlannedTarget]
    search_keys: Mapping[str, str] = field(repr=False)
    vorgang: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class StateLine:
    """One line of `state --all`: a Nachricht and its Zustellungen as (target, key, state)."""

    id: str
    state: NachrichtState
    code: str
    zustellungen: tuple[tuple[str, str, ZustellungState], ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """The rows of one Nachricht, by column, beside its events in canonical form; `row` is None where there is none."""

    chain: str
    row: Json | None
    zustellungen: tuple[Json, ...]
    events: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class HoldsBeside:
    """The rows of all standing holds, by column, beside the events of the installation in canonical form."""

    installation: str
    holds: tuple[Json, ...]
    events: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Sealing:
    """One sealing: the head, the log before it, and the digests of the events it added."""

    head: Head
    before: Frontier
    digests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the store can prove of one Nachricht; `sealings` are those that cover its events, oldest first."""

    nachricht: NachrichtRecord
    zustellungen: tuple[ZustellungRecord, ...]
    entries: tuple[Entry, ...]
    sealings: tuple[Sealing, ...]


@dataclass(frozen=True, slots=True)
class AuditSnapshot:
    """The audit trail of one moment, valid inside its `with` block; the iterators are for one reading each.

    `ends` are (chain, number of events, digest of the last) of every Nachricht and of the installation: what its row says
    of its chain. `lines` are the entries as they are exported, unread: also those that are no events any more. `beside`
    holds the rows of every Nachricht beside its events, `holds` the standing holds beside theirs.
    """

    entries: Iterator[Entry]
    lines: Iterator[bytes]
    heads: tuple[Head, ...]
    ends: Iterator[tuple[str, int, str]]
    beside: Iterator[Beside]
    holds: HoldsBeside
