"""Claims due Nachrichten and takes each as far as it goes now: judge, deliver, answer.

A claim is a lease with a fencing token: every commit under it fails with `LeaseLost` once somebody else holds it, and
the work is simply dropped. The one `try` around a claim is the only place that meets exceptions nobody expected.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter

import structlog

from intermediary.core.codes import CATALOGUE, Healer
from intermediary.core.decide import Decision, Situation, decide_nachricht
from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient
from intermediary.core.states import FINAL, NachrichtState
from intermediary.core.values import Ausgabe, Befund, Content
from intermediary.deliver import Deliverer, Timing
from intermediary.heartbeat import Heartbeat
from intermediary.mapping.run import InvalidOutput
from intermediary.osci.passive.verdict import OSCI_CODE
from intermediary.pipeline import Judgement, Sendung, Werkbank, judge_opened, open_sendung, render
from intermediary.receipt import Receipts
from intermediary.scan import Scanned, Scanner
from intermediary.store.content import Kept
from intermediary.store.errors import Busy, LeaseLost
from intermediary.store.records import Claim, NachrichtRecord, PlannedTarget
from intermediary.store.store import Store
from intermediary.unseal import NotOpened
from intermediary.unseal.described import describe
from intermediary.unseal.refusal import Refusal

log = structlog.get_logger(__name__)

_N = NachrichtState
_DELIVERING = frozenset({_N.PLANNED, _N.ANSWERING, _N.COMPLETED, _N.REJECTED})
_PEOPLE = frozenset({Healer.OPERATOR, Healer.DEVELOPER, Healer.TARGET})


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a worker waits: the lease it takes, how long it rests when nothing is due, and when the store is away."""

    lease: timedelta = timedelta(seconds=120)
    rest: timedelta = timedelta(milliseconds=200)
    away: timedelta = timedelta(seconds=1)


RHYTHM = Rhythm()


@dataclass(frozen=True, slots=True)
class Bench:
    """What a worker works with; built by `wiring`, one per worker thread, or for a door.

    `bank` gives the current generation of the configuration and is asked once per claim. With a `scanner` nothing is judged
    that it has not called clean.
    """

    store: Store
    bank: Callable[[], Werkbank]
    deliverer: Deliverer
    receipts: Receipts
    timing: Timing
    now: Callable[[], datetime]
    jitter: Callable[[], float]
    scanner: Scanner | None = None
    heartbeat: Heartbeat = field(default_factory=Heartbeat)


class Worker:
    """One thread of work under the name `owner`, which says where a lease is held."""

    def __init__(
        self, bench: Bench, *, owner: str, rhythm: Rhythm = RHYTHM, may_work: Callable[[], bool] = lambda: True
    ) -> None:
        self._may_work = may_work
        self._is_away = False
        self._bench = bench
        self._owner = owner
        self._rhythm = rhythm
        self._is_unsure = False

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; a claim in hand is finished first. While it may not work, nothing is claimed."""
        while not stop.is_set():
            if not self._may_work():
                stop.wait(self._rhythm.away.total_seconds())
                continue
            try:
                is_busy = self.work_once()
            except Transient as fault:  # the store does not answer: nothing can be taken up now
                self._say_away(fault)
                self._is_unsure = True
                stop.wait(self._rhythm.away.total_seconds())
                continue
            self._is_away = False
            if not is_busy:
                self._bench.store.wait_for_work(self._rhythm.rest, stop)

    def _say_away(self, fault: Transient) -> None:
        """Once for each outage, not with every attempt."""
        if not self._is_away:
            self._is_away = True
            log.error("store.away", code=fault.code)

    def work_once(self) -> bool:
        """Take one due Nachricht as far as it goes; False when nothing was due.

        After a time without the store, what this worker may still hold is given back first: the answer to its last claim or
        release can be lost although the change happened.
        """
        if self._is_unsure:
            self._bench.store.release_all_of(self._owner, now=self._bench.now())
            self._is_unsure = False
        claims = self._bench.store.claim(self._owner, now=self._bench.now(), lease=self._rhythm.lease)
        for claim in claims:
            self.advance(claim)
        return bool(claims)

    def drain(self) -> int:
        """Work until nothing is due now; the number of claims worked on. For the demo, tests and one-shot runs."""
        done = 0
        while self.work_once():
            done += 1
        return done

    def judge_one(self, nachricht_id: str) -> None:
        """Judge exactly this Nachricht, for a door that answers with the verdict (DESIGN §2.1); delivers nothing.

        Does nothing if it is judged already, waits for something, is a suspect, or somebody is at it. Faults are those of
        `store.claim_one`.
        """
        try:
            claim = self._bench.store.claim_one(
                nachricht_id, self._owner, now=self._bench.now(), lease=self._rhythm.lease
            )
        except Busy:
            return
        if _is_unjudged(claim.nachricht, self._bench.now()):
            self._go(claim, lambda errand: errand.judge_only())
        else:
            self._bench.store.release(claim, now=self._bench.now())

    def advance(self, claim: Claim) -> None:
        """Take one claimed Nachricht as far as it goes and give the lease back; logs the one summary line."""
        self._go(claim, lambda errand: errand.run())

    def _go(self, claim: Claim, run: Callable[[_Errand], Claim]) -> None:
        started = perf_counter()
        before = claim.nachricht.state
        failure = ""
        with structlog.contextvars.bound_contextvars(nachricht_id=claim.nachricht.id, mandant=claim.nachricht.mandant):
            try:
                with self._bench.heartbeat.keeping(
                    self._bench.store, claim, lease=self._rhythm.lease, now=self._bench.now
                ):
                    claim = run(_Errand(self._bench, claim))
                self._bench.store.release(claim, now=self._bench.now())
            except LeaseLost:
                log.warning("claim.lost")
                return
            except (Transient, Misconfigured) as fault:  # of the store itself: what is durable decides how it goes on
                log.error("claim.interrupted", code=fault.code, where=fault.where)
                self._give_back(claim)
                return
            except Exception as unexpected:  # the single try of the worker (HOUSE §7)
                failure = type(unexpected).__name__
                claim = self._fail(claim, unexpected)
            code = claim.nachricht.code or claim.nachricht.wait_reason
            needs_people = code in CATALOGUE and CATALOGUE[code].healer in _PEOPLE
            log.log(
                logging.WARNING if needs_people and claim.nachricht.state not in FINAL else logging.INFO,
                "claim.done",
                before=before.value,
                after=claim.nachricht.state.value,
                code=code,
                zustellungen={z.target: z.state.value for z in claim.zustellungen},
                failure=failure,
                seconds=round(perf_counter() - started, 4),
            )

    def _give_back(self, claim: Claim) -> None:
        try:
            self._bench.store.release(claim, now=self._bench.now())
        except Fault as fault:
            self._is_unsure = True
            log.error("claim.abandoned", code=fault.code)

    def _fail(self, claim: Claim, failure: Exception) -> Claim:
        """What nobody expected parks the Nachricht. The traceback is logged without values: frames only."""
        log.error("claim.failed", failure=type(failure).__name__, at=_where(failure))
        try:
            return self._bench.store.park(claim, code="bug.unexpected", now=self._bench.now())
        except Exception as second:  # the store itself is gone: the claim is given back when it is there again
            self._is_unsure = True
            log.error("claim.abandoned", failure=type(second).__name__)
            return claim


class _Errand:
    """One claim on its way; holds the output of this run so that planning and delivering make it once."""

    def __init__(self, bench: Bench, claim: Claim) -> None:
        self._bench = bench
        self._claim = claim
        self._bank = bench.bank()
        self._ausgabe: Ausgabe | None = None
        self._content: Kept | None = None

    def run(self) -> Claim:
        """Judge, deliver, answer: whatever of it is due. An answer that is due does not wait for optional targets."""
        if self._claim.nachricht.state is _N.RECEIVED:
            self._judge(at_once=False)
        if not self._owes_answer() and self._claim.nachricht.state in _DELIVERING:
            self._claim = self._bench.deliverer.advance(self._claim, self._render, is_test=self._is_test())
        if self._owes_answer():
            self._answer()
        return self._claim

    def judge_only(self) -> Claim:
        """Judge, and leave the rest to whoever claims it next."""
        self._judge(at_once=True)
        return self._claim

    def _owes_answer(self) -> bool:
        nachricht = self._claim.nachricht
        due = nachricht.own_due_at
        return nachricht.state is _N.ANSWERING and due is not None and due <= self._bench.now()

    def _judge(self, *, at_once: bool) -> None:
        try:
            sendung = sendung_of(self._claim.nachricht, self._kept().body)
            opened = open_sendung(sendung, self._bank)
            scanned = self._bench.scanner.scan(opened) if self._bench.scanner else None
            judgement = judge_opened(sendung, opened, self._bank)
        except (Fault, InvalidOutput) as failure:
            self._after_failure(failure)
            return
        self._ausgabe = judgement.ausgabe
        self._claim = self._bench.store.plan(
            self._claim,
            route=judgement.route.name,
            pins=judgement.pins,
            plan=_plan(judgement, scanned),
            search_keys=_search_keys(judgement),
            vorgang=judgement.ausgabe.vorgang if judgement.route.order == "vorgang" else None,
            targets=[
                PlannedTarget(t.name, t.required, judgement.ausgabe.package.content.sha256)
                for t in judgement.route.targets
            ],
            now=self._bench.now(),
            at_once=at_once,
        )

    def _answer(self) -> None:
        try:
            self._claim = self._bench.receipts.answer(self._claim, lambda: self._kept().headers, self._bench.now())
        except Fault as failure:
            self._after_failure(failure)

    def _after_failure(self, failure: Fault | InvalidOutput) -> None:
        claim = self._claim
        now = self._bench.now()
        situation = Situation(
            now=now,
            received_at=claim.nachricht.since,
            attempts=claim.nachricht.attempts,
            schedule=self._bench.timing.schedule,
            jitter=self._bench.jitter(),
            recheck=self._bench.timing.recheck,
        )
        if isinstance(failure, InvalidOutput):
            decision = Decision(_N.PARKED, failure.code)
        else:
            decision = decide_nachricht(claim.nachricht.state, failure, situation)
        if decision.state is _N.ANSWERING and isinstance(failure, Rejected):
            self._claim = self._bench.store.refuse(
                claim, code=decision.code, findings=failure.findings, plan=_known(failure), now=now
            )
        else:
            self._claim = self._bench.store.wait(claim, decision, now=now, findings=_explained(failure))

    def _render(self) -> Ausgabe:
        if self._ausgabe is None:
            nachricht = self._claim.nachricht
            self._ausgabe = render(sendung_of(nachricht, self._kept().body), nachricht.pins, self._bank)
        return self._ausgabe

    def _kept(self) -> Kept:
        if self._content is None:
            self._content = self._bench.store.kept(self._claim.nachricht.id)
        return self._content

    def _is_test(self) -> bool:
        return bool(self._claim.nachricht.plan.get("facts", {}).get("test", False))


def _is_unjudged(nachricht: NachrichtRecord, now: datetime) -> bool:
    """Whether a door may judge it now. A suspect is opened alone, in a process of its own (DESIGN §2.7)."""
    due = nachricht.own_due_at
    return nachricht.state is _N.RECEIVED and due is not None and due <= now and not nachricht.unexplained


def _known(failure: Rejected) -> dict[str, object]:
    """What was established before the refusal, for `show`; the sender is told the code and the findings only.

    The protocol's own code is kept for doors that answer in it, so that a repetition is told the same.
    """
    if not isinstance(failure, NotOpened):
        return dict(failure.known) if isinstance(failure, Refusal) else {}
    known: dict[str, object] = {"facts": describe(failure.known)} if failure.known is not None else {}
    return known | {OSCI_CODE: failure.osci_code} if failure.osci_code else known


def _explained(failure: Fault | InvalidOutput) -> tuple[Befund, ...]:
    """The findings of a failure; without any, the place it names is one, so that `explain` can show it."""
    where = getattr(failure, "where", "")
    return failure.findings or ((Befund(failure.code, hint=where),) if where else ())


def sendung_of(nachricht: NachrichtRecord, body: Content) -> Sendung:
    """A taken Nachricht as the pipeline sees it; also for dry runs."""
    return Sendung(
        nachricht_id=nachricht.id,
        mandant=nachricht.mandant,
        content_type=nachricht.content_type,
        received_at=nachricht.received_at,
        body=body,
        revision=nachricht.revision,
        channel=nachricht.channel,
    )


def _plan(judgement: Judgement, scanned: Scanned | None) -> dict[str, object]:
    ausgabe = judgement.ausgabe
    return {
        **({"scan": scanned.facts()} if scanned is not None else {}),
        "facts": judgement.facts,
        "findings": [],
        **({"remarks": dict(judgement.remarks)} if judgement.remarks else {}),
        "output": {
            "standard": ausgabe.standard,
            "message": ausgabe.message,
            "nachricht_length": len(ausgabe.nachricht),
            "package_length": ausgabe.package.content.length,
            "package_sha256": ausgabe.package.content.sha256,
            "dokumente": len(ausgabe.dokumente),
            "leaves": len(ausgabe.herkunft),
            "unread": len(ausgabe.unread),
        },
    }


def _search_keys(judgement: Judgement) -> dict[str, str]:
    """What operators look for: the LeikaId and whatever the mapping calls a business key."""
    return {**judgement.ausgabe.business_keys, "leika": str(judgement.facts["leika"])}


def _where(failure: BaseException) -> str:
    """The innermost frame of an exception, as file and line: what a developer needs, and nothing of the content."""
    frame = failure.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return ""
    return f"{frame.tb_frame.f_code.co_filename.rsplit('/', 2)[-1]}:{frame.tb_lineno}"
