"""The time of an installation: it runs evenly, whatever is done to a wall clock (promise G12).

Within one boot of a host, time is CLOCK_BOOTTIME plus one moment, the *zero*: when the host would have been started by
that reckoning. The store remembers the zero, so that all processes of a host agree and a restart of the daemon changes
nothing. The wall clock (SQLite) or the clock of the database server (PostgreSQL) is the *reference*: small differences
are followed, a jump is not. Then the clock is doubted, nothing is taken or delivered, and time runs on as before, until
the reference is back or a person accepts it. `docs/decisions/0009-time-of-the-installation.md` says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MOST_JUMP = timedelta(minutes=10)
MOST_ABSENCE = timedelta(days=30)
SLEW = 0.05
"""How fast a zero moves towards the wall clock, per second: a lease of 120 s is off by 6 s at most."""

_NOTHING = timedelta(0)


class Doubt(StrEnum):
    """Why a clock is not believed."""

    JUMPED = "jumped"
    BEHIND = "behind"
    AHEAD = "ahead"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Reading:
    """All clocks at one moment. `boot` is CLOCK_BOOTTIME; `server` is the database's clock where it has one.

    `error` bounds by how much `server` may be wrong: half of the time it took to ask.
    """

    boot: timedelta
    wall: datetime
    server: datetime | None = None
    error: timedelta = _NOTHING

    @property
    def reference(self) -> datetime:
        """The clock that the installation follows."""
        return self.wall if self.server is None else self.server


@dataclass(frozen=True, slots=True)
class Memory:
    """What the store remembers: the zero of this boot of this host, if it has one, and the newest moment ever seen."""

    zero: datetime | None = None
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a reading says: the zero that time is told by, and the doubt about the reference, if there is one.

    `off` is the reference minus the time that is told; for `DIFFERS` the wall clock minus it.
    """

    zero: datetime
    doubt: Doubt | None = None
    off: timedelta = _NOTHING


def judge(reading: Reading, memory: Memory) -> Judgement:
    """Whether the reference is believed; pure.

    Within a boot it must not leave CLOCK_BOOTTIME by more than `MOST_JUMP`. Across boots it must not be before the newest
    moment seen, nor more than `MOST_ABSENCE` behind it: time goes on from there until somebody says that it is right.
    The wall clock, which certificates are judged by, must agree with a server's.
    """
    zero = reading.reference - reading.boot
    if memory.zero is not None:
        off = zero - memory.zero
        if abs(off) > MOST_JUMP:
            return Judgement(memory.zero, Doubt.JUMPED, off)
        if reading.server is None:
            return Judgement(memory.zero, off=off)
    elif memory.newest is not None:
        off = reading.reference - memory.newest
        if off < -MOST_JUMP or off > MOST_ABSENCE:
            goes_on = memory.newest
            return Judgement(goes_on, Doubt.BEHIND if off < _NOTHING else Doubt.AHEAD, zero - goes_on)
    wall_off = reading.wall - reading.reference
    if abs(wall_off) > MOST_JUMP:
        return Judgement(zero, Doubt.DIFFERS, wall_off)
    return Judgement(zero)


def slewed(zero: datetime, *, off: timedelta, elapsed: timedelta) -> datetime:
    """The zero after `elapsed`, moved by `SLEW` towards a reference that it is `off` from; never past it."""
    most = max(_NOTHING, elapsed) * SLEW
    return zero + max(-most, min(most, off))


class Clock:
    """The time of the installation, as one process tells it; usable from any thread.

    `now` is read for everything that is due, leased or remembered. It never goes backwards by itself: `follow` moves it only
    to a judgement. Until the first one it is the wall clock.
    """

    def __init__(
        self, *, wall: Callable[[], datetime], boot: Callable[[], timedelta], zero: datetime | None = None
    ) -> None:
        self._wall = wall
        self._boot = boot
        self._judged = Judgement(zero if zero is not None else wall() - boot())

    def now(self) -> datetime:
        """The present moment."""
        return self._judged.zero + self._boot()

    @property
    def doubt(self) -> Doubt | None:
        """Why nothing may be taken or delivered now; None while the time is certain."""
        return self._judged.doubt

    @property
    def judged(self) -> Judgement:
        """The last judgement."""
        return self._judged

    @property
    def wall_off(self) -> timedelta:
        """The wall clock of this host minus the time that is told."""
        return self._wall() - self.now()

    def read(self) -> Reading:
        """All clocks of this host, at one moment."""
        before = self._boot()
        wall = self._wall()
        return Reading(boot=before + (self._boot() - before) / 2, wall=wall)

    def follow(self, judgement: Judgement) -> None:
        """Tell the time by this judgement from now on."""
        self._judged = judgement
