"""What follows from an outcome: the next state, its code, and when to look again; pure, within the tables of `states`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from intermediary.core.codes import CATALOGUE, Healer
from intermediary.core.faults import Misconfigured, Rejected, Transient, Unclear
from intermediary.core.ports import Awaiting, Delivered, Idempotency, NotDelivered, Refused
from intermediary.core.schedule import Schedule
from intermediary.core.states import NachrichtState, ZustellungState

_N = NachrichtState
_Z = ZustellungState

DEADLINES = {
    "target.resting": "delivery.deadline.resting",
    "target.paused": "delivery.deadline.paused",
    "target.limited": "delivery.deadline.limited",
}
"""The codes with which a Zustellung waits for its target, each with the one it is parked with at the deadline."""

OVERDUE = "delivery.ack.overdue"
"""The code of one whose verdict did not come in time; should the target say later that it has arrived, it is believed."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the worker does after an outcome: the next state, why, and when it looks again.

    `due_at` None means: nothing to do until somebody or something acts. `counts` says whether the attempt is used up,
    `waits_for` names the target that a Zustellung is held back for.
    """

    state: StrEnum
    code: str = ""
    due_at: datetime | None = None
    counts: bool = True
    waits_for: str = ""

    @property
    def is_wait(self) -> bool:
        return self.due_at is not None


@dataclass(frozen=True, slots=True)
class Situation:
    """What `decide` may know of the work at hand: times, attempts so far, and the schedule that governs it.

    `jitter` is uniform in [0, 1) and drawn by the caller; `recheck` is how often the operator's configuration is looked
    at again.
    """

    now: datetime
    received_at: datetime
    attempts: int
    schedule: Schedule
    jitter: float
    recheck: timedelta = timedelta(minutes=5)

    def retry(self, at_least: timedelta | None = None) -> datetime:
        return self.schedule.next_try(attempts=self.attempts, now=self.now, jitter=self.jitter, at_least=at_least)

    def is_over(self) -> bool:
        return self.schedule.is_over(received_at=self.received_at, now=self.now)


_LASTING = frozenset({"payload.corrupt"})
"""What no later try finds otherwise: a person has to bring back what is lost."""


def decide_nachricht(state: NachrichtState, failure: Exception, situation: Situation) -> Decision:
    """What follows when judging or answering a Nachricht failed.

    Rejected while judging leads to the (negative) answer; everything that waits parks at the deadline.
    """
    match failure:
        case Rejected() if state is _N.RECEIVED:
            return Decision(_N.ANSWERING, failure.code, situation.now)
        case Misconfigured() if failure.code not in _LASTING and not situation.is_over():
            return Decision(state, failure.code, situation.now + situation.recheck, counts=False)
        case Transient() if not situation.is_over():
            return Decision(state, failure.code, situation.retry(failure.retry_after))
        case Transient() | Misconfigured() | Rejected() | Unclear():
            return Decision(_N.PARKED, failure.code)
        case _:
            return Decision(_N.PARKED, "bug.unexpected")


Outcome = Delivered | Awaiting | Refused | NotDelivered | Exception


def decide_zustellung(
    state: ZustellungState, outcome: Outcome, idempotency: Idempotency, situation: Situation
) -> Decision:
    """What follows from the outcome of one step of a Zustellung: an attempt, a look-up or a collection.

    An ambiguous outcome becomes `unclear` and is then looked up (`lookup`), repeated under the same key (`native`), or
    waits for a person (`none`). A crash is the outcome `Unclear`.
    """
    match outcome:
        case Delivered():
            return Decision(_Z.DELIVERED)
        case Refused():
            return Decision(_Z.REFUSED, "target.refused")
        case Awaiting():
            return Decision(_Z.AWAITING, due_at=min(outcome.until, situation.now + situation.recheck))
        case NotDelivered():
            return Decision(_Z.DUE, due_at=situation.now)
        case Rejected():
            return Decision(_Z.REFUSED, outcome.code)
        case Misconfigured() if outcome.code in _LASTING:
            return Decision(_Z.PARKED, outcome.code)
        case Misconfigured() | Transient() if situation.is_over() and state is not _Z.AWAITING:
            return Decision(_Z.PARKED, "delivery.unclear" if state is _Z.UNCLEAR else "delivery.deadline")
        case Misconfigured():
            return Decision(_resting(state), outcome.code, situation.now + situation.recheck, counts=False)
        case Transient():
            return Decision(_resting(state), outcome.code, situation.retry(outcome.retry_after))
        case _:
            return _decide_ambiguous(state, outcome, idempotency, situation)


def hold_zustellung(state: ZustellungState, code: str, until: datetime, target: str, situation: Situation) -> Decision:
    """What follows when `target` must not be called now, with the code that says why: waits, uses up no attempt.

    At the deadline it is parked with a code that names the reason; a person prolongs it by sending it again.
    """
    if situation.is_over():
        return Decision(_Z.PARKED, "delivery.unclear" if state is _Z.UNCLEAR else DEADLINES[code])
    deadline = situation.received_at + situation.schedule.deadline
    return Decision(state, code, min(until, deadline), counts=False, waits_for=target)


def _resting(state: ZustellungState) -> ZustellungState:
    """Where work waits that is certain to have sent nothing: an intent falls back to due, the rest stays."""
    return _Z.DUE if state is _Z.INTENDED else state


def doubt(code: str) -> str:
    """The code under which something may have arrived: one whose meaning is that somebody looks at the target (G4).

    A connector may call its `Unclear` by any code; under another one a replay would take it for certainly unsent.
    """
    return code if code in CATALOGUE and CATALOGUE[code].healer is Healer.TARGET else "delivery.unclear"


def _decide_ambiguous(
    state: ZustellungState, outcome: object, idempotency: Idempotency, situation: Situation
) -> Decision:
    code = doubt(outcome.code if isinstance(outcome, Unclear) else "")
    if state is _Z.AWAITING:
        return Decision(_Z.UNCLEAR, code, situation.now)
    if idempotency is Idempotency.NONE or situation.is_over():
        return Decision(_Z.PARKED, code)
    return Decision(_Z.UNCLEAR, code, situation.retry())


@dataclass(frozen=True, slots=True)
class Standing:
    """State of one Zustellung as composition sees it."""

    state: ZustellungState
    required: bool


def compose(standings: Iterable[Standing]) -> Decision | None:
    """What the Zustellungen together mean for their Nachricht, or None while the verdict is open.

    Only required Zustellungen count. All delivered: answered as accepted (empty code). Some delivered and some refused:
    parked as a split verdict, no Quittung. Any refused while the others were certainly never sent: answered as rejected,
    and the others stay unsent. Anything else stays open; a parked Zustellung waits for a person.
    """
    required = {standing.state for standing in standings if standing.required}
    if required == {_Z.DELIVERED}:
        return Decision(_N.ANSWERING)
    if _Z.REFUSED not in required:
        return None
    if _Z.DELIVERED in required:
        return Decision(_N.PARKED, "split-verdict")
    if required <= {_Z.REFUSED, _Z.DUE}:
        return Decision(_N.ANSWERING, "target.refused")
    return None
