"""Replays of many Nachrichten as a job of the daemons: count first, order once, pause, resume, stop, report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from intermediary.operations.approvals import ApprovalNeeded, Approvals, Consent, Wish
from intermediary.operations.person import Request
from intermediary.operations.repeats import TwiceHurts
from intermediary.operations.selection import Selection
from intermediary.settings.approvals import ApprovalVerb
from intermediary.store.errors import JobOpen
from intermediary.store.foresee import GROUNDS, act_of, foresee
from intermediary.store.job_records import SECOND, JobOrder, JobRecord, JobReport, JobState
from intermediary.store.store import Store

THRESHOLD = 100
"""Selections of more Nachrichten than that become a job by themselves."""

RATE = 20.0
"""Nachrichten per second, where nobody says otherwise: 100,000 in an hour and a half."""

ERROR_PERCENT = 20
"""A job stops where more of its latest Nachrichten fail or come back."""


@dataclass(frozen=True, slots=True)
class How:
    """What a job does with each Nachricht, and how fast: `rate` per second, 0 for as fast as it goes."""

    redeliver: str = ""
    with_current: bool = False
    repeat_anyway: bool = False
    rate: float = RATE
    error_percent: int = ERROR_PERCENT
    again: bool = False

    @property
    def verb(self) -> ApprovalVerb:
        return "redeliver" if self.redeliver else "replay"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a replay would do, in numbers: moved by action, left alone by ground (words of `foresee.GROUNDS`).

    `acts` are all that a second person agrees to by it (`foresee.act_of`).
    """

    total: int
    moved: Mapping[str, int]
    left: Mapping[str, int]
    acts: frozenset[str] = frozenset()

    def lines(self) -> tuple[str, ...]:
        """In German, the most frequent first."""
        moved = [f"{_number(count)} {word}: {GROUNDS[word]}" for word, count in self.moved.items()]
        left = [f"{_number(count)} nichts: {GROUNDS[word]}" for word, count in self.left.items()]
        return tuple(moved + left)


class JobOpenAlready(Exception):
    """An equal job is open, or an equal redelivery was ordered only just now; `job` is that one."""

    def __init__(self, job: JobRecord) -> None:
        super().__init__(job.id)
        self.job = job


@dataclass(frozen=True, slots=True)
class BulkReplay:
    """Everything a face of the program needs for jobs. `new_id` draws an id nobody has had.

    `approvals` knows what needs a second person, `twice_hurts` which targets cannot tell a second delivery; without them
    nothing does (tests).
    """

    store: Store
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    approvals: Approvals | None = field(default=None)
    twice_hurts: TwiceHurts | None = field(default=None)

    def is_large(self, selection: Selection) -> bool:
        """Whether it is too much for one command."""
        return self.store.jobs.count(selection.chosen(self.store), most=THRESHOLD + 1) > THRESHOLD

    def forecast(self, selection: Selection, how: How) -> Forecast:
        """The dry run of many: what would be done at present, counted; opens no payload and changes nothing."""
        chosen = selection.chosen(self.store)
        safe = self._tell_doubles(selection, how)
        moved: Counter[str] = Counter()
        left: Counter[str] = Counter()
        acts: set[str] = set()
        total = 0
        for nachricht, zustellungen in self.store.jobs.survey(chosen):
            total += 1
            hurts = not how.repeat_anyway and (nachricht.mandant, nachricht.route) not in safe
            effects = foresee(
                nachricht,
                zustellungen,
                redeliver=how.redeliver,
                with_current=how.with_current,
                twice_hurts=hurts,
            )
            acts.update(act_of(one, nachricht, zustellungen) for one in effects if one.action != "nothing")
            done = next((effect.action for effect in effects if effect.action != "nothing"), "")
            if done:
                moved[done] += 1
            else:
                left[effects[0].ground] += 1
        return Forecast(total, dict(moved.most_common()), dict(left.most_common()), frozenset(acts))

    def start(self, selection: Selection, how: How, request: Request) -> JobRecord:
        """Order a job; the daemons begin at once, or when a second person has approved.

        The selection is frozen here. `JobOpenAlready` for an equal one that is open (a double click, another operator),
        `NothingChosen`, and what `Approvals.demand` raises; after `ApprovalNeeded` the same order with `request.approval`
        starts the job that waits.
        """
        waits = self.approvals is not None and self.approvals.needs(how.verb)
        forecast = self.forecast(selection, how) if waits and not request.approval else Forecast(0, {}, {})
        order = JobOrder(
            chosen=selection.chosen(self.store),
            actor=request.actor,
            reason=request.reason,
            interval=interval_of(how.rate),
            error_percent=how.error_percent,
            redeliver=how.redeliver,
            with_current=how.with_current,
            repeat_anyway=how.repeat_anyway,
            tells_doubles=tuple(sorted(self._tell_doubles(selection, how))),
            waits=waits,
            acts=tuple(sorted(forecast.acts)) if waits else None,
            forgets=how.again,
        )
        try:
            job = self.store.jobs.create(order, job_id=self.new_id(), now=self.now())
        except JobOpen as open_:
            known = self.store.jobs.get(str(open_))
            if known.state is JobState.ASKED and request.approval:
                return self.begin(known.id, request)
            raise JobOpenAlready(known) from open_
        return self._ask(job, request, forecast) if waits else job

    def begin(self, job_id: str, request: Request) -> JobRecord:
        """Start a job that waits for an approval, with it; raises like `Approvals.demand`."""
        job = self.store.jobs.get(job_id)
        consent = None
        if self.approvals is not None and job.state is JobState.ASKED:
            consent = self.approvals.demand(_wish(job, ()), request)
        return self._begun(job, request, consent)

    def pause(self, prefix: str, request: Request) -> JobRecord:
        """When this returns, nothing more is done until `resume`."""
        job_id = self.store.jobs.get(prefix).id
        return self.store.jobs.pause(job_id, actor=request.actor, reason=request.reason, now=self.now())

    def resume(self, prefix: str, request: Request, *, rate: float | None = None) -> JobRecord:
        """Let it go on, at another rate if one is given; one that waits for an approval begins with it."""
        job = self.store.jobs.get(prefix)
        if job.state is JobState.ASKED:
            return self.begin(job.id, request)
        interval = None if rate is None else interval_of(rate)
        return self.store.jobs.resume(
            job.id, actor=request.actor, reason=request.reason, now=self.now(), interval=interval
        )

    def stop(self, prefix: str, request: Request) -> JobRecord:
        """End it for good; what had its turn stays done."""
        job_id = self.store.jobs.get(prefix).id
        return self.store.jobs.stop(job_id, actor=request.actor, reason=request.reason, now=self.now())

    def find(self) -> list[JobRecord]:
        """All jobs, newest first."""
        return self.store.jobs.find()

    def report(self, prefix: str) -> JobReport:
        """A job and what became of its Nachrichten, as of now; `JobNotFound`."""
        return self.store.jobs.report(self.store.jobs.get(prefix).id)

    def _ask(self, job: JobRecord, request: Request, forecast: Forecast) -> JobRecord:
        """The frozen selection waits for a second person; where nobody can be asked, it is dropped again."""
        if self.approvals is None:
            return job
        try:
            consent = self.approvals.demand(_wish(job, forecast.lines()), request)
        except ApprovalNeeded:
            raise
        except Exception:
            self.store.jobs.stop(job.id, actor=request.actor, reason=request.reason, now=self.now())
            raise
        return self._begun(job, request, consent)

    def _begun(self, job: JobRecord, request: Request, consent: Consent | None) -> JobRecord:
        approved = {}
        if consent is not None and consent.approval:
            approved = {
                "approval": consent.approval,
                "verb": consent.verb,
                "requested_by": consent.requested_by,
                "approved_by": consent.approved_by,
            }
        return self.store.jobs.start(
            job.id, actor=request.actor, reason=request.reason, now=self.now(), approved=approved
        )

    def _tell_doubles(self, selection: Selection, how: How) -> set[tuple[str, str]]:
        """Mandanten and routes whose target can tell a second delivery from the first."""
        if not how.redeliver or how.repeat_anyway:
            return set()
        hurts = self.twice_hurts
        return {
            (one.mandant, one.route)
            for one in self.store.jobs.examples_of(selection.chosen(self.store))
            if hurts is None or not hurts(one, how.redeliver)
        }


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".")


def interval_of(rate: float) -> timedelta:
    """The time between two at a rate per second; zero for no limit."""
    return SECOND / rate if rate else timedelta(0)


def row(job: JobRecord) -> dict[str, Any]:
    """A job for machines; names as in `jobs list --json`."""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state.value,
        "code": job.code,
        "selection": dict(job.selection),
        "redeliver": job.options.get("redeliver", ""),
        "withCurrent": bool(job.options.get("with_current")),
        "repeatAnyway": bool(job.options.get("repeat_anyway")),
        "rate": job.rate,
        "errorPercent": job.error_percent,
        "actor": job.actor,
        "reason": job.reason,
        "total": job.total,
        "done": job.done,
        "nothing": job.idle,
        "failed": job.failed,
        "createdAt": job.created_at,
        "startedAt": job.started_at,
        "endedAt": job.ended_at,
    }


def report_row(report: JobReport) -> dict[str, Any]:
    """A job with its report for machines; names as in `jobs show --json`."""
    return row(report.job) | {
        "doneBy": dict(report.done),
        "nothingBecause": dict(report.idle),
        "failedBecause": dict(report.failed),
        "waitsFor": [{"target": target, "code": code, "count": count} for (target, code), count in report.held.items()],
        "since": {fate.value: count for fate, count in report.fates.items()},
    }


def _wish(job: JobRecord, lines: tuple[str, ...]) -> Wish:
    """What the second person approves: this very job, whose selection is frozen."""
    verb: ApprovalVerb = "redeliver" if job.options.get("redeliver") else "replay"
    asked = {
        "job": job.id,
        "selection": {name: value for name, value in job.selection.items() if name != "ids"},
        "redeliver": job.options.get("redeliver", ""),
        "with_current": bool(job.options.get("with_current")),
        "repeat_anyway": bool(job.options.get("repeat_anyway")),
        "total": job.total,
    }
    return Wish(verb, asked, count=job.total, lines=lines)
