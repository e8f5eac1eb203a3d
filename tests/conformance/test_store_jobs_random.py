"""Any engine: whatever order of crashes, lost leases, second runners and people, each job has one effect per Nachricht."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from intermediary.store.choose import Chosen
from intermediary.store.errors import Busy, JobLost, JobOpen, NotPossible
from intermediary.store.job_records import JobHold, JobState
from intermediary.store.job_steps import LEASE
from intermediary.store.work import Work
from tests.conformance.job_kit import ORDER, delivered_again, several
from tests.conformance.store_kit import ENGINES, NOW, SECOND, TARGET, Bench, Z, bench_in

COUNT = 5


class Crash(BaseException):
    """The process is gone in the middle of a transaction."""


class Jobs(RuleBasedStateMachine):
    """Two stores on one database stand for two hosts; holds are what their runners believe to have."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="jobs-")
        self._bench: Bench = bench_in(Path(self._folder.name), type(self).url)
        self.stores = [self._bench.open(), self._bench.open()]
        self.store = self.stores[0]
        self.ids = several(self.store, COUNT)
        self.now = NOW + timedelta(minutes=1)
        self.number = 0
        self.hands: dict[str, Any] = {}
        self._held: list[list[JobHold]] = [[], []]
        self.by_hand: dict[str, int] = dict.fromkeys(self.ids, 0)

    @rule(first=st.integers(0, COUNT - 1), count=st.integers(1, COUNT), twice=st.booleans())
    def order(self, first: int, count: int, twice: bool) -> None:
        """An operator orders some of them; the click may come twice, and others may order the same."""
        chosen = Chosen(ids=tuple(self.ids[first : first + count]))
        for _ in range(1 + twice):
            self.number += 1
            with suppress(JobOpen):
                self.store.jobs.create(replace(ORDER, chosen=chosen), job_id=f"j-{self.number}", now=self.now)

    @rule(where=st.integers(0, 1), most=st.integers(1, 3))
    def carry_out(self, where: int, most: int) -> None:
        """A runner takes what it can hold and goes a step with all it believes to hold."""
        self._take(where)
        for hold in self._held[where][:]:
            self._step(where, hold, most)

    @rule(where=st.integers(0, 1), most=st.integers(1, 3), place=st.integers(0, 2))
    def crash(self, where: int, most: int, place: int) -> None:
        """A runner dies before the commit, in the middle of its items; what it held is not given back."""
        self._take(where)
        saved, left = Work.save, [place]

        def save(work: Work) -> Any:
            if left[0] == 0:
                raise Crash
            left[0] -= 1
            return saved(work)

        Work.save = save  # type: ignore[method-assign]
        try:
            for hold in self._held[where][:]:
                self._step(where, hold, most)
        except Crash:
            self._held[where].clear()
        finally:
            Work.save = saved  # type: ignore[method-assign]

    @rule(seconds=st.sampled_from([1, 20]))
    def pass_time(self, seconds: int) -> None:
        """Leases run out, or nearly; those that were busy are due again."""
        self.now += seconds * SECOND

    @rule(place=st.integers(0, COUNT - 1))
    def deliver(self, place: int) -> None:
        """A worker delivers what was made due."""
        nachricht_id = self.ids[place]
        if self.store.zustellungen(nachricht_id)[-1].state is Z.DUE:
            with suppress(Busy):
                delivered_again(self.store, nachricht_id, at=self.now)

    @rule(place=st.integers(0, COUNT - 1))
    def hold(self, place: int) -> None:
        """A worker has it in hand, or gives it back."""
        nachricht_id = self.ids[place]
        if claim := self.hands.pop(nachricht_id, None):
            self.store.release(claim, self.now)
        else:
            with suppress(Busy):
                self.hands[nachricht_id] = self.store.claim_one(nachricht_id, "worker", self.now, timedelta(days=1))

    @rule(place=st.integers(0, COUNT - 1))
    def redeliver(self, place: int) -> None:
        """A person repeats one beside all jobs."""
        nachricht_id = self.ids[place]
        if self.store.jobs.claimed_by(nachricht_id, TARGET.name):
            return
        with suppress(Busy, NotPossible):
            claim = self.store.claim_one(nachricht_id, "person", self.now)
            try:
                self.store.redeliver(claim, TARGET.name, actor="bob", reason="einzeln", now=self.now)
                self.by_hand[nachricht_id] += 1
            finally:
                self.store.release(claim, self.now)

    @rule(verb=st.sampled_from(["pause", "resume", "stop"]), pick=st.integers(0, 3))
    def person(self, verb: str, pick: int) -> None:
        """A person pauses, resumes or stops one."""
        jobs = [job for job in self.store.jobs.find() if job.is_open]
        if pick < len(jobs):
            with suppress(NotPossible):
                getattr(self.store.jobs, verb)(jobs[pick].id, actor="bob", reason="x", now=self.now)

    @invariant()
    def one_effect_per_job_and_nachricht(self) -> None:
        """Every redelivery is told by one job or one person, no job tells of two, and its count is their number."""
        by_job: dict[str, int] = {}
        for nachricht_id in self.ids:
            told = [
                entry.event.fields.get("job", "")
                for entry in self.store.events(nachricht_id)
                if entry.event.name == "person.redelivered"
            ]
            jobs = [job for job in told if job]
            assert len(jobs) == len(set(jobs))
            assert told.count("") == self.by_hand[nachricht_id]
            assert len(told) == len(self.store.zustellungen(nachricht_id)) - 1
            for job in jobs:
                by_job[job] = by_job.get(job, 0) + 1
        assert by_job == {job.id: job.done for job in self.store.jobs.find() if job.done}

    def teardown(self) -> None:
        """In the end every open job comes to its end, and each of its Nachrichten had its turn once."""
        for claim in self.hands.values():
            self.store.release(claim, self.now)
        for job in self.store.jobs.find():
            if job.state is JobState.PAUSED:
                self.store.jobs.resume(job.id, actor="bob", reason="x", now=self.now)
        self.now += LEASE + timedelta(minutes=2)
        for _ in range(3 * COUNT):
            self._take(0)
            for hold in self._held[0][:]:
                self._step(0, hold, 2)
        self.one_effect_per_job_and_nachricht()
        for job in self.store.jobs.find():
            assert not job.is_open
            assert job.state is JobState.STOPPED or job.handled == job.total
        self._bench.close()
        self._folder.cleanup()

    def _take(self, where: int) -> None:
        self._held[where] += self.stores[where].jobs.take(f"runner-{where}", lambda _owner: True, self.now)

    def _step(self, where: int, hold: JobHold, most: int) -> None:
        try:
            is_over = self.stores[where].jobs.carry_out(hold, now=self.now, most=most, is_look=False).is_over
        except JobLost:
            is_over = True
        if is_over:
            self._held[where].remove(hold)


@pytest.mark.parametrize("engine", ENGINES)
def test_each_job_has_one_effect_per_nachricht(engine: str, request: pytest.FixtureRequest) -> None:
    """Orders, double clicks, crashes, two runners, workers and people in any order: nothing is moved twice by one order."""
    postgres = request.getfixturevalue("postgres") if engine == "postgresql" else None

    class OnEngine(Jobs):
        def __init__(self) -> None:
            type(self).url = postgres.database() if postgres else ""
            super().__init__()

    examples = 15 if engine == "sqlite" else 6
    run_state_machine_as_test(OnEngine, settings=settings(max_examples=examples, stateful_step_count=25))
