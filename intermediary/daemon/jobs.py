"""Carries out jobs: holds those that nobody else holds, and moves their Nachrichten on, a few at a time, at their rates.

It opens no message and calls no target; it only makes due what the workers then do. Whatever ends it, another one on this
host or, after the lease, on any other goes on where the last transaction ended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from intermediary.core.faults import Fault, Transient
from intermediary.store.errors import JobLost
from intermediary.store.job_records import JobHold, Step
from intermediary.store.jobs import Jobs

log = structlog.get_logger(__name__)

BATCH = 50
"""So many in one transaction at most: intake and workers wait for it on SQLite."""

TICK = timedelta(milliseconds=100)
LONGEST = timedelta(seconds=1)
"""How long it rests at most, so that an order of a person, or another job, does not wait longer."""

AWAY_SECONDS = 1.0


class JobRunner:
    """Carries out every job it can hold, by turns, under the name `owner`.

    `is_alive` tells of another holder whether it may still be at work.
    """

    def __init__(self, jobs: Jobs, *, owner: str, is_alive: Callable[[str], bool], now: Callable[[], datetime]) -> None:
        self._jobs = jobs
        self._owner = owner
        self._is_alive = is_alive
        self._now = now
        self._holds: dict[str, JobHold] = {}
        self._looked: dict[str, datetime] = {}

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set or there is nothing to carry out; what is held is given back."""
        while not stop.is_set():
            started = time.perf_counter()
            try:
                wait = self.step()
            except Transient as fault:  # the store does not answer: the leases run on, or are found again
                log.error("store.away", code=fault.code)
                stop.wait(AWAY_SECONDS)
                continue
            if wait is None:
                break
            # Half of the time belongs to the others: SQLite has one writer, and no queue for it between processes.
            stop.wait(max(wait.total_seconds(), time.perf_counter() - started))
        self._release()

    def step(self) -> timedelta | None:
        """One step of every job; how long nothing is due, or None when there is nothing to carry out."""
        for hold in self._jobs.take(self._owner, self._is_alive, self._now()):
            self._holds[hold.job_id] = hold
            log.info("job.held", count=len(self._holds))
        if not self._holds:
            return None
        waits = [self._advance(hold) for hold in list(self._holds.values())]
        return min(LONGEST, *waits) if self._holds else timedelta(0)

    def _advance(self, hold: JobHold) -> timedelta:
        now = self._now()
        looked = self._looked.get(hold.job_id)
        is_look = looked is None or not timedelta(0) <= now - looked < LONGEST
        if is_look:
            self._looked[hold.job_id] = now
        try:
            step = self._carry_out(hold, now, is_look=is_look)
        except JobLost:
            step = Step(is_over=True)
        if step.is_over:
            del self._holds[hold.job_id]
            self._looked.pop(hold.job_id, None)
            log.info("job.left", count=len(self._holds))
            return timedelta(0)
        return timedelta(0) if step.handled else max(step.wait, TICK)

    def _carry_out(self, hold: JobHold, now: datetime, *, is_look: bool) -> Step:
        """A batch; where one of it raises what nobody expected, one after the other, and that one is left out."""
        try:
            return self._jobs.carry_out(hold, now=now, most=BATCH, is_look=is_look)
        except (Fault, JobLost):
            raise
        except Exception as unexpected:  # of one Nachricht: the others of the job go on
            log.error("job.batch.failed", failure=type(unexpected).__name__)
        try:
            return self._jobs.carry_out(hold, now=now, most=1, is_look=False)
        except (Fault, JobLost):
            raise
        except Exception as unexpected:  # as above
            log.error("job.item.failed", failure=type(unexpected).__name__)
            self._jobs.give_up(hold, "bug.unexpected", now=now)
            return Step(handled=1)

    def _release(self) -> None:
        for hold in self._holds.values():
            try:
                self._jobs.release(hold)
            except Transient as fault:
                log.error("job.abandoned", code=fault.code)
        self._holds.clear()
