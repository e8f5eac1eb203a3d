"""Takes each due Zustellung one step on: intent, deed and verdict, each committed before the next (DESIGN §2.5).

An intent is committed before a connector is called; what a crash leaves behind is `unclear`, never "not sent". What an
outcome means is decided in `core/decide.py`, what it says of the target in `core/breaker.py`; this page only obeys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from intermediary.connect.places import Places
from intermediary.core.breaker import Probe, Sign, sign_of
from intermediary.core.decide import OVERDUE, Decision, Outcome, Situation, decide_zustellung, doubt, hold_zustellung
from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.core.ports import Awaiting, Connector, Delivered, Idempotency, NotDelivered, Refused
from intermediary.core.schedule import Schedule
from intermediary.core.states import ZustellungState
from intermediary.core.steps import Steps
from intermediary.core.targets import TargetRef
from intermediary.core.values import Ausgabe, MemoryContent, Zustellauftrag
from intermediary.store.records import Claim, ZustellungRecord
from intermediary.store.store import Store
from intermediary.store.targets import Hold, Pass

_Z = ZustellungState
_UNWOKEN = timedelta(hours=6)
_Said = Outcome | None
"""What a call of a connector came to; None when it was not called."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The times that govern attempts: the schedule, and how often what waits for an operator or a target is looked at."""

    schedule: Schedule
    recheck: timedelta


@dataclass(frozen=True, slots=True)
class OpenTarget:
    """A target ready for use: its connector, the schedule of its attempts, and whether tests may arrive there.

    `ref` is what all hosts know it by: it rests, is paused and limited under that id. `places` are those of its connector in
    this process.
    """

    connector: Connector
    schedule: Schedule
    ref: TargetRef
    takes_tests: bool = False
    places: Places = field(default_factory=lambda: Places(1))


class Deliverer:
    """Delivers; one per worker thread, so that a connector instance is never called twice at a time.

    `target(mandant, route, name)` opens a target or raises `Misconfigured`. `now` is read anew at each step, because a
    deed may take long; `jitter` draws from [0, 1).
    """

    def __init__(
        self,
        store: Store,
        *,
        target: Callable[[str, str, str], OpenTarget],
        timing: Timing,
        now: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self._store = store
        self._target = target
        self._timing = timing
        self._now = now
        self._jitter = jitter

    def advance(self, claim: Claim, render: Callable[[], Ausgabe], *, is_test: bool = False) -> Claim:
        """Bring every due Zustellung of the claim as far as it goes now.

        `render` makes the output (again); it is called only when something is to be sent. Stops early when a verdict has
        moved the Nachricht out of the state it was claimed in.
        """
        state = claim.nachricht.state
        for key in [zustellung.key for zustellung in claim.zustellungen]:
            while claim.nachricht.state is state and self._is_due(claim.zustellung(key)):
                claim = self._step(claim, claim.zustellung(key), render, is_test=is_test)
        return claim

    def _is_due(self, zustellung: ZustellungRecord) -> bool:
        return zustellung.due_at is not None and zustellung.due_at <= self._now()

    def _step(
        self, claim: Claim, zustellung: ZustellungRecord, render: Callable[[], Ausgabe], *, is_test: bool
    ) -> Claim:
        nachricht = claim.nachricht
        try:
            target = self._target(nachricht.mandant, nachricht.route, zustellung.target)
        except (Misconfigured, Transient) as fault:
            return self._settle(claim, zustellung, fault, None)
        connector = target.connector
        idempotency = connector.manifest.idempotency
        match zustellung.state:
            case _Z.AWAITING:
                return self._collect(claim, zustellung, target)
            case _Z.UNCLEAR if zustellung.code == OVERDUE:
                return self._park(claim, zustellung, OVERDUE)
            case _Z.UNCLEAR if idempotency is Idempotency.LOOKUP:
                step = partial(self._look_up, claim, zustellung, target)
                return self._call(claim, zustellung, target, step, is_look=True)
            case _Z.UNCLEAR if idempotency is Idempotency.NONE:
                return self._park(claim, zustellung, doubt(zustellung.code))
            case _ if is_test and not target.takes_tests:  # the route was changed since the plan (DESIGN §2.15)
                return self._settle(claim, zustellung, Misconfigured("test.message"), target)
            case _Z.UNCLEAR:
                return self._call(
                    claim, zustellung, target, partial(self._repeat, claim, zustellung, target, render, is_test)
                )
            case _:
                return self._call(
                    claim, zustellung, target, partial(self._send, claim, zustellung, target, render, is_test)
                )

    def _call(
        self,
        claim: Claim,
        zustellung: ZustellungRecord,
        target: OpenTarget,
        step: Callable[[], tuple[Claim, _Said]],
        *,
        is_look: bool = False,
    ) -> Claim:
        """Send to the target or look there, if it may be called now; then tell what that said about it.

        A look that found nothing tells nothing yet: the attempt that follows under the same claim does.
        """
        began = self._now()
        again = target.places.take(now=began, has_waited=zustellung.code == "target.limited")
        if again is not None:
            return self._hold(claim, zustellung, Hold("target.limited", again), target)
        try:
            return self._admitted(claim, zustellung, target, step, is_look=is_look)
        finally:
            target.places.leave(self._now() - began)

    def _admitted(
        self,
        claim: Claim,
        zustellung: ZustellungRecord,
        target: OpenTarget,
        step: Callable[[], tuple[Claim, _Said]],
        *,
        is_look: bool,
    ) -> Claim:
        leave = self._store.targets.admit(
            target.ref,
            claim,
            zustellung.key,
            now=self._now(),
            is_look=is_look,
            has_waited=zustellung.code == "target.limited",
        )
        if isinstance(leave, Hold):
            return self._hold(claim, zustellung, leave, target)
        claim, outcome = step()
        if not isinstance(outcome, NotDelivered):
            self._tell(leave, outcome)
        return claim

    def _hold(self, claim: Claim, zustellung: ZustellungRecord, held: Hold, target: OpenTarget) -> Claim:
        """Wait until the target is free. Should nobody wake it, it asks again within hours, not all at once."""
        situation = self._situation(zustellung, target)
        until = held.until or situation.now + _UNWOKEN * (1 + situation.jitter) / 2
        decision = hold_zustellung(zustellung.state, held.code, until, target.ref.id, situation)
        return self._store.settle(claim, zustellung.key, decision, now=situation.now)

    def _tell(self, leave: Pass, outcome: _Said) -> None:
        code = outcome.code if isinstance(outcome, Fault) else "delivery.unclear"
        asked = outcome.retry_after if isinstance(outcome, Transient) else None
        sign = Sign.NEITHER if outcome is None else sign_of(outcome)
        self._store.targets.report(leave, sign, code=code, asked=asked, now=self._now())

    def _send(
        self,
        claim: Claim,
        zustellung: ZustellungRecord,
        target: OpenTarget,
        render: Callable[[], Ausgabe],
        is_test: bool,
    ) -> tuple[Claim, _Said]:
        """A due Zustellung is certainly unsent: an output that changed since the plan is the one that is sent.

        Unless another target has the earlier one: then a person decides. What ends before the connector is called has no
        outcome.
        """
        try:
            ausgabe = render()
        except (Misconfigured, Transient) as fault:
            return self._settle(claim, zustellung, fault, target), None
        except Fault as fault:
            return self._park(claim, zustellung, fault.code), None
        except Exception:  # a mapping's code may raise anything: nothing was sent, a developer has to look
            return self._park(claim, zustellung, "bug.unexpected"), None
        manifest = target.connector.manifest
        steps = self._store.steps.open(claim, zustellung.key, manifest.steps, self._now)
        if self._is_split(claim, zustellung, ausgabe) or self._is_torn(zustellung, ausgabe, steps):
            return self._park(claim, zustellung, "output.changed"), None
        if _largest(ausgabe) > (manifest.max_document_bytes or _largest(ausgabe)):
            return self._settle(claim, zustellung, Misconfigured("target.document.too-large"), target), None
        claim = self._store.intend(claim, zustellung.key, output_sha256=ausgabe.package.content.sha256, now=self._now())
        intended = claim.zustellung(zustellung.key)
        if intended.state is not _Z.INTENDED:  # earlier ones of its Vorgang come first
            return claim, None
        auftrag = Zustellauftrag(
            nachricht_id=claim.nachricht.id,
            target=intended.target,
            key=intended.key,
            attempt=intended.attempts,
            mandant=claim.nachricht.mandant,
            package=ausgabe.package,
            dokumente=ausgabe.dokumente,
            is_test=is_test,
            business_keys=ausgabe.business_keys,
            nachricht=MemoryContent(ausgabe.nachricht),
            standard=ausgabe.standard,
            message=ausgabe.message,
        )
        outcome: Outcome
        try:
            steps.claim = claim
            outcome = target.connector.deliver(auftrag, steps, self._now())
        except Exception as failure:  # a vendor's code may raise anything: it counts as unclear
            outcome = failure
        return self._settle(steps.claim, intended, outcome, target), outcome

    def _is_split(self, claim: Claim, zustellung: ZustellungRecord, ausgabe: Ausgabe) -> bool:
        """Whether this target would get other bytes than another target has, or may have."""
        others = (one for one in claim.zustellungen if one.key != zustellung.key and one.redelivery == 0)
        changed = ausgabe.package.content.sha256 != zustellung.output_sha256
        return changed and any(one.intended_at is not None for one in others)

    def _is_torn(self, zustellung: ZustellungRecord, ausgabe: Ausgabe, steps: Steps) -> bool:
        """Whether this target has begun to take another output than this one."""
        return ausgabe.package.content.sha256 != zustellung.output_sha256 and any(True for _ in steps)

    def _look_up(self, claim: Claim, zustellung: ZustellungRecord, target: OpenTarget) -> tuple[Claim, _Said]:
        steps = self._store.steps.open(claim, zustellung.key, target.connector.manifest.steps, self._now)
        outcome: Outcome
        try:
            outcome = target.connector.lookup(zustellung.key, steps, self._now())
        except Exception as failure:  # as above
            outcome = failure
        return self._settle(steps.claim, zustellung, outcome, target), outcome

    def _collect(self, claim: Claim, zustellung: ZustellungRecord, target: OpenTarget) -> Claim:
        """A verdict is asked for while its target rests or is paused, too; but a target may ask for a rest here as well."""
        outcome = self._verdict(zustellung, target.connector)
        settled = self._settle(claim, zustellung, outcome, target)
        if isinstance(outcome, Transient) and outcome.retry_after is not None:
            probe = Probe(zustellung.key, claim.nachricht.id, claim.token)
            self._tell(Pass(target.ref, probe, self._now()), outcome)
        return settled

    def _verdict(self, zustellung: ZustellungRecord, connector: Connector) -> Outcome:
        now = self._now()
        until = zustellung.until or now
        try:
            verdict = connector.collect(zustellung.key, zustellung.correlation, now)
        except (Transient, Misconfigured) as fault:
            return fault if now < until else Unclear(OVERDUE)
        except Exception as failure:  # as above; past the time a look-up would only lead back here
            return failure if now < until else Unclear(OVERDUE)
        if verdict is not None:
            return verdict
        return Unclear(OVERDUE) if now >= until else Awaiting(until, zustellung.correlation)

    def _repeat(
        self,
        claim: Claim,
        zustellung: ZustellungRecord,
        target: OpenTarget,
        render: Callable[[], Ausgabe],
        is_test: bool,
    ) -> tuple[Claim, _Said]:
        """A native target gets the same bytes under the same key again, or nothing (DESIGN §2.5)."""
        try:
            ausgabe = render()
        except (Misconfigured, Transient) as fault:
            return self._settle(claim, zustellung, fault, target), None
        if ausgabe.package.content.sha256 != zustellung.output_sha256:
            return self._park(claim, zustellung, "output.changed"), None
        return self._send(claim, zustellung, target, lambda: ausgabe, is_test)

    def _settle(self, claim: Claim, zustellung: ZustellungRecord, outcome: Outcome, target: OpenTarget | None) -> Claim:
        """Commit what follows from an outcome; without a target (it cannot be opened) nothing was sent."""
        situation = self._situation(zustellung, target)
        now = situation.now
        idempotency = target.connector.manifest.idempotency if target else Idempotency.NONE
        decision = decide_zustellung(zustellung.state, outcome, idempotency, situation)
        proof: Mapping[str, str] = {}
        correlation: Mapping[str, str] = {}
        until: datetime | None = None
        if isinstance(outcome, Delivered | Refused):
            proof = {**outcome.proof, **({"reason": outcome.reason} if isinstance(outcome, Refused) else {})}
        elif isinstance(outcome, Fault) and outcome.where:
            proof = {"where": outcome.where}
        elif isinstance(outcome, Awaiting):
            correlation, until = outcome.correlation, outcome.until
        return self._store.settle(
            claim, zustellung.key, decision, now=now, proof=proof, correlation=correlation, until=until
        )

    def _situation(self, zustellung: ZustellungRecord, target: OpenTarget | None) -> Situation:
        return Situation(
            now=self._now(),
            received_at=zustellung.since,
            attempts=zustellung.attempts,
            schedule=target.schedule if target else self._timing.schedule,
            jitter=self._jitter(),
            recheck=self._timing.recheck,
        )

    def _park(self, claim: Claim, zustellung: ZustellungRecord, code: str) -> Claim:
        return self._store.settle(claim, zustellung.key, Decision(_Z.PARKED, code), now=self._now())


def _largest(ausgabe: Ausgabe) -> int:
    """The length of the largest file that a target would be handed."""
    return max(one.content.length for one in (ausgabe.package, *ausgabe.dokumente))
