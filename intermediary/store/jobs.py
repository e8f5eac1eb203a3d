"""Jobs: orders over many Nachrichten, one row each; carried out in steps under a lease, by whichever daemon comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select

from intermediary.core.values import EMPTY
from intermediary.store import job_items, job_orders, job_steps
from intermediary.store import job_report as reporting
from intermediary.store import survey as surveying
from intermediary.store.choose import Chosen, conditions
from intermediary.store.database import Database
from intermediary.store.errors import JobNotFound
from intermediary.store.job_records import JobHold, JobOrder, JobRecord, JobReport, JobState, Step
from intermediary.store.job_row import record
from intermediary.store.records import NachrichtRecord
from intermediary.store.survey import Found
from intermediary.store.tables import jobs, nachrichten

_C = jobs.c


class Jobs:
    """The jobs of one store, reached by `Store.jobs`. `now` is always an argument; every step is one transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def count(self, chosen: Chosen, *, most: int) -> int:
        """How many Nachrichten are chosen at present; counting ends at `most`."""
        if chosen.ids:
            return min(most, len(set(chosen.ids)))
        some = select(nachrichten.c.id).where(*conditions(self._db, chosen)).limit(most).subquery()
        with self._db.read() as tx:
            return tx.execute(select(func.count()).select_from(some)).scalar_one()

    def survey(self, chosen: Chosen) -> Iterator[Found]:
        """Every Nachricht that is chosen at present with its Zustellungen, for a dry run; changes nothing."""
        return surveying.survey(self._db, chosen)

    def examples_of(self, chosen: Chosen) -> list[NachrichtRecord]:
        """One of the chosen for every Mandant and route among them."""
        return surveying.examples_of(self._db, chosen)

    def create(self, order: JobOrder, *, job_id: str, now: datetime) -> JobRecord:
        """Write a job and freeze whom it is about; it begins by itself, unless the order `waits`.

        `JobOpen` when an equal one is open (whoever ordered it), or an equal redelivery was ordered only just now;
        `NothingChosen` when nobody is chosen.
        """
        return job_orders.create(self._db, order, job_id, now)

    def get(self, prefix: str) -> JobRecord:
        """The job whose id begins so, or `JobNotFound`."""
        chosen = select(jobs).where(_C.id.startswith(prefix, autoescape=True)).limit(2)
        with self._db.read() as tx:
            found = tx.execute(chosen).all()
        if len(found) != 1 or not prefix:
            raise JobNotFound(prefix)
        return record(found[0])

    def find(self) -> list[JobRecord]:
        """All jobs, newest first."""
        with self._db.read() as tx:
            return [record(row) for row in tx.execute(select(jobs).order_by(_C.created_at.desc(), _C.id))]

    def report(self, job_id: str) -> JobReport:
        """What became of its Nachrichten, as of now."""
        job = self.get(job_id)
        with self._db.read() as tx:
            return reporting.report(tx, job)

    def start(
        self, job_id: str, *, actor: str, reason: str, now: datetime, approved: Mapping[str, str] = EMPTY
    ) -> JobRecord:
        """Asked → running: a second person has approved; `approved` is told in the chain of each Nachricht it moves."""
        states = {JobState.ASKED}
        return job_orders.move(
            self._db, job_id, states, JobState.RUNNING, actor=actor, reason=reason, now=now, approved=approved
        )

    def pause(self, job_id: str, *, actor: str, reason: str, now: datetime) -> JobRecord:
        """Running → paused: when this returns, nothing more of it is done until `resume`."""
        return job_orders.move(
            self._db, job_id, {JobState.RUNNING}, JobState.PAUSED, actor=actor, reason=reason, now=now
        )

    def resume(
        self, job_id: str, *, actor: str, reason: str, now: datetime, interval: timedelta | None = None
    ) -> JobRecord:
        """Paused → running, with another rate if `interval` is given; the brake on errors begins anew."""
        states = {JobState.PAUSED}
        return job_orders.move(
            self._db, job_id, states, JobState.RUNNING, actor=actor, reason=reason, now=now, interval=interval
        )

    def stop(self, job_id: str, *, actor: str, reason: str, now: datetime) -> JobRecord:
        """End it for good: what had its turn stays done, the rest stays as it is."""
        states = {JobState.ASKED, JobState.RUNNING, JobState.PAUSED}
        return job_orders.move(self._db, job_id, states, JobState.STOPPED, actor=actor, reason=reason, now=now)

    def claimed_by(self, nachricht_id: str, target: str) -> str:
        """The open job that redelivers this Nachricht to this target, or has done so; empty when there is none."""
        with self._db.read() as tx:
            return job_items.claimed_by(tx, nachricht_id, target)

    # --- for who carries jobs out ---

    def is_waiting(self, is_alive: Callable[[str], bool], now: datetime) -> bool:
        """Whether a job is to be carried out that nobody holds."""
        return bool(job_steps.free(self._db, is_alive, now))

    def take(self, owner: str, is_alive: Callable[[str], bool], now: datetime) -> list[JobHold]:
        """Lease every running job that nobody holds: no lease, one that ran out, or one of a holder known to be dead."""
        return job_steps.take(self._db, owner, is_alive, now)

    def carry_out(self, hold: JobHold, *, now: datetime, most: int, is_look: bool) -> Step:
        """Move on as many as the rate allows now, at most `most`; effects and their marks in one transaction.

        `is_look`: look at the latest first, which pauses the job for too many errors, or lets it wait for targets that
        take nothing. `JobLost` when somebody else holds it. Any exception but a Fault comes from one Nachricht: step with
        `most=1`, and `give_up` the one that raises again.
        """
        step = job_steps.carry_out(self._db, hold, now, most, is_look)
        if step.handled:
            self._db.bell.ring()
        return step

    def give_up(self, hold: JobHold, code: str, *, now: datetime) -> None:
        """Write down that the next one failed with `code`, and go on behind it."""
        job_steps.give_up(self._db, hold, code, now)

    def release(self, hold: JobHold) -> None:
        """Give a job back, so that another one need not wait for the lease."""
        job_steps.release(self._db, hold)
