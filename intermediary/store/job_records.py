"""What a job is: an order over many Nachrichten, carried out by the daemons at a rate; and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from intermediary.store.choose import Chosen

SECOND = timedelta(seconds=1)


class JobState(StrEnum):
    """Where a job stands; `stopped` and `done` are final.

    `asked` waits for a second person's approval, `paused` for a person (`code` says why, where it was not a person).
    """

    ASKED = "asked"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"


class Fate(StrEnum):
    """What has become of a Nachricht that a job moved on, as far as it can be told now.

    `settled`: delivered again, or final. `handed`: the target has it and decides later. `returned`: it waits for a person
    (again), or the target refused. `open`: nobody knows yet. `failed`: the job could not move it.
    """

    SETTLED = "settled"
    HANDED = "handed"
    RETURNED = "returned"
    OPEN = "open"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What a person orders: a replay of the chosen, one every `interval` (zero: as fast as it goes).

    `error_percent`: the job pauses itself when more of its recent ones fail or come back; 100 never does. `repeat_anyway`
    takes responsibility for second deliveries to targets that cannot tell them; without it only those of the Mandanten and
    routes in `tells_doubles` are repeated (G16). `waits` for an approval; then only what is in `acts` is done
    (`foresee.act_of`). `forgets` an equal redelivery that was ordered
    only just now.
    """

    chosen: Chosen
    actor: str
    reason: str
    interval: timedelta
    error_percent: int
    redeliver: str = ""
    with_current: bool = False
    repeat_anyway: bool = False
    tells_doubles: tuple[tuple[str, str], ...] = ()
    waits: bool = False
    acts: tuple[str, ...] | None = None
    forgets: bool = False


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One job as it stands durably.

    `selection` and `options` are canonical JSON; a business key stands there as keyed hashes. `total` Nachrichten were
    chosen when it was ordered; of them `done` were moved on, for `idle` nothing was to be done, `failed` could not be
    moved. `next_at` is the moment of its next one.
    """

    id: str
    kind: str
    selection: Mapping[str, Any]
    options: Mapping[str, Any]
    actor: str
    reason: str
    state: JobState
    code: str
    interval: timedelta
    error_percent: int
    total: int
    done: int
    idle: int
    failed: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    next_at: datetime
    lease_owner: str = field(repr=False)

    @property
    def handled(self) -> int:
        """How many were their turn."""
        return self.done + self.idle + self.failed

    @property
    def rate(self) -> float:
        """The ordered rate per second; 0 for no limit."""
        return round(SECOND / self.interval, 3) if self.interval else 0.0

    @property
    def is_open(self) -> bool:
        """Whether something can still come of it."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class JobHold:
    """A lease on a job, with the token that fences what its holder does."""

    job_id: str
    token: int


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a job did: how many Nachrichten had their turn, and how long there is nothing to do.

    `is_over`: the holder has nothing to do with this job any more.
    """

    handled: int = 0
    wait: timedelta = timedelta(0)
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class JobReport:
    """What became of the Nachrichten of a job, as of now.

    `done` by action, `idle` and `failed` by ground (a word of `foresee.GROUNDS`, a code, or the store's own words),
    `fates` of those that were moved or failed, `held` how many wait for a target: by its name and the code that says why.
    """

    job: JobRecord
    done: Mapping[str, int]
    idle: Mapping[str, int]
    failed: Mapping[str, int]
    fates: Mapping[Fate, int]
    held: Mapping[tuple[str, str], int] = field(default_factory=dict)
