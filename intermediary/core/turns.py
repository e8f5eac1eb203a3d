"""How fast a target is given what waits for it: its limits, and the return after a rest; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LEAST_PER_SECOND = 1.0
"""What any target bears when it comes back, however little it had before."""

_DOUBLES_AFTER = timedelta(seconds=5)
_MOST_AT_ONCE = 500
_LONGEST_STEP = timedelta(seconds=2)
_LEAST_STEP = timedelta(milliseconds=900)
_BEGUN_ANEW = timedelta(seconds=10)
_LEAST_TURN = timedelta(milliseconds=50)
_UNKNOWN_DEED = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_LATE = timedelta(seconds=1)
"""So much later may somebody come and still find the turn that was free before."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a target may be given, over all hosts; None: as much as comes."""

    max_per_minute: int | None = None
    max_parallel: int | None = None

    @property
    def is_limited(self) -> bool:
        return self.max_per_minute is not None or self.max_parallel is not None


@dataclass(frozen=True, slots=True)
class Turns:
    """Where a limited target stands.

    `passes_at` is the first moment the next one may pass, `queue_ends_at` when the last that waits comes round again, and
    `deed` how long a delivery takes there on average.
    """

    passes_at: datetime | None = None
    queue_ends_at: datetime | None = None
    deed: timedelta = timedelta(0)

    def after_deed(self, lasted: timedelta) -> Turns:
        """A delivery has ended: the average follows it slowly."""
        fresh = max(lasted, timedelta(0))
        return replace(self, deed=self.deed + (fresh - self.deed) / 5 if self.deed else fresh)


def ask(
    turns: Turns, limits: Limits, *, under_way: int, has_waited: bool, now: datetime
) -> tuple[Turns, datetime | None]:
    """Whether one may pass now (None), or the moment at which it asks again; and the turns from then on.

    `under_way` counts the deliveries to the target at this moment. Whoever has not waited goes behind those who have. In
    no minute more than `max_per_minute` pass.
    """
    interval = (_MINUTE + _LATE) / limits.max_per_minute if limits.max_per_minute else timedelta(0)
    passes_at = max(turns.passes_at or now - _LATE, now - _LATE)
    passes_at = now if passes_at - now > interval else passes_at  # a clock that was set back
    is_queue = turns.queue_ends_at is not None and now < turns.queue_ends_at
    is_full = limits.max_parallel is not None and under_way >= limits.max_parallel
    is_early = bool(interval) and now < passes_at
    if not is_full and not is_early and (has_waited or not is_queue):
        return (replace(turns, passes_at=passes_at + interval) if interval else turns), None
    deed = (turns.deed or _UNKNOWN_DEED) / limits.max_parallel if limits.max_parallel else timedelta(0)
    step = max(interval, deed, _LEAST_TURN)
    turn = max(now + (step if is_full else _LEAST_TURN), passes_at if interval else now)
    if turns.queue_ends_at is not None and is_queue:
        turn = max(turn, turns.queue_ends_at + step)
    return replace(turns, queue_ends_at=turn), turn


@dataclass(frozen=True, slots=True)
class Return:
    """How far the return of what waited has got: when it began, and up to which moment its share is used."""

    began_at: datetime | None = None
    last_at: datetime | None = None


def let_go(progress: Return, *, normal_per_minute: int | None, now: datetime) -> tuple[Return, int]:
    """How many of those that waited may go now; 0 while the last ones have only just gone.

    It begins with one a second and doubles every five seconds, up to what the target had before its failures: together
    with what comes in meanwhile that is at most twice its normal rate (G9). Nothing known: as long as it takes them.
    """
    began, last = progress.began_at, progress.last_at
    if began is None or last is None or not timedelta(0) <= now - last < _BEGUN_ANEW:
        return Return(now, now), 1
    if now - last < _LEAST_STEP:
        return progress, 0
    rate = LEAST_PER_SECOND * 2.0 ** min((now - began) / _DOUBLES_AFTER, 20)
    if normal_per_minute is not None:
        rate = min(rate, max(LEAST_PER_SECOND, normal_per_minute / 60))
    due = rate * min(now - last, _LONGEST_STEP).total_seconds()
    count = min(int(due), _MOST_AT_ONCE)
    if not count:
        return progress, 0
    return Return(began, now - timedelta(seconds=min(due - count, 1) / rate)), count
