"""The time of the installation in one process: reads the clocks of the host, asks the store, has the clock follow."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from intermediary.core.clock import Clock, Judgement, Memory, Reading, judge, slewed
from intermediary.core.faults import Transient
from intermediary.store.pulse import Pulse

log = structlog.get_logger(__name__)

KEEP_EVERY = timedelta(seconds=10)

_WORST_ERROR = timedelta(seconds=1)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def utc_now() -> datetime:
    """The wall clock of this host; the only place that reads it. What is due is told by `Installation.now` instead."""
    return datetime.now(UTC)


def boot_time() -> timedelta:
    """CLOCK_BOOTTIME: how long ago this host was started, sleep included."""
    return timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))


def boot_id() -> str:
    """Which boot of which host this is."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


@dataclass(frozen=True, slots=True)
class HostClocks:
    """The clocks of a host; a test gives its own."""

    wall: Callable[[], datetime] = utc_now
    boot: Callable[[], timedelta] = boot_time
    boot_id: Callable[[], str] = boot_id


class Timekeeper:
    """Has the clock of one process follow the time of the installation; called by one thread, about once a second.

    The clock is of use before the first look: it then tells the wall clock.
    """

    def __init__(self, pulse: Pulse, clocks: HostClocks | None = None) -> None:
        clocks = clocks or HostClocks()
        self._pulse = pulse
        self._boot = clocks.boot
        self._boot_id = clocks.boot_id()
        self.clock = Clock(wall=clocks.wall, boot=clocks.boot)
        self._memory = Memory()
        self._server: tuple[datetime, timedelta] | None = None
        self._kept: timedelta | None = None

    @property
    def boot_id(self) -> str:
        """Which boot of which host this is."""
        return self._boot_id

    def look(self) -> Judgement:
        """Ask the store and follow. `Transient` when it does not answer: then the clocks of this host alone are judged."""
        asked = self._boot()
        try:
            beat = self._pulse.feel(self._boot_id)
        except Transient:
            self._follow()
            raise
        half = (self._boot() - asked) / 2
        self._memory = beat.memory
        if beat.server is not None:
            self._note(beat.server - (asked + half), half)
        return self._follow()

    def keep(self) -> None:
        """For the one process of a host that remembers the time for all: every `KEEP_EVERY`, while it is certain.

        To be called after a `look`; may be called more often. `Transient` when the store does not answer.
        """
        now, judged = self._boot(), self.clock.judged
        if judged.doubt is not None or (self._kept is not None and now - self._kept < KEEP_EVERY):
            return
        zero = judged.zero
        if self._server is None:
            zero = slewed(zero, off=judged.off, elapsed=now - self._kept if self._kept is not None else KEEP_EVERY)
        self._pulse.remember(self._boot_id, zero=zero, now=zero + now)
        self._kept = now
        self._memory = replace(self._memory, zero=zero)
        self._follow()

    def _note(self, zero: datetime, error: timedelta) -> None:
        """The server's clock as measured: what lies within the error of a slow answer says nothing new."""
        if self._server is not None and (error > _WORST_ERROR or abs(zero - self._server[0]) <= error):
            return
        self._server = (zero, error)

    def _follow(self) -> Judgement:
        judged = judge(self.reading(), self._memory)
        before = self.clock.doubt
        self.clock.follow(judged)
        if judged.doubt is not before:
            seconds = round(judged.off.total_seconds())
            if judged.doubt is not None:
                log.error("clock.untrusted", code="clock.untrusted", reason=judged.doubt.value, seconds=seconds)
            else:
                log.warning("clock.trusted", seconds=seconds)
        return judged

    def reading(self) -> Reading:
        """All clocks at this moment; the server's as it was measured last."""
        reading = self.clock.read()
        if self._server is None:
            return reading
        zero, error = self._server
        return replace(reading, server=zero + reading.boot, error=error)
