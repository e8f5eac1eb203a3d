"""States: tables, decisions and composition."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from intermediary.core.decide import Situation, Standing, compose, decide_nachricht, decide_zustellung
from intermediary.core.faults import Misconfigured, Rejected, Transient, Unclear
from intermediary.core.ports import Awaiting, Delivered, Idempotency, NotDelivered, Refused
from intermediary.core.schedule import Schedule
from intermediary.core.states import (
    FINAL,
    NACHRICHT_TRANSITIONS,
    ZUSTELLUNG_TRANSITIONS,
    IllegalTransition,
    NachrichtState,
    ZustellungState,
    check_nachricht,
    check_zustellung,
)

N, Z = NachrichtState, ZustellungState
RECEIVED_AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def situation(*, age: timedelta = timedelta(minutes=1), attempts: int = 1, jitter: float = 0.5) -> Situation:
    return Situation(
        now=RECEIVED_AT + age, received_at=RECEIVED_AT, attempts=attempts, schedule=Schedule(), jitter=jitter
    )


LATE = situation(age=timedelta(hours=72))


def test_final_states_are_left_by_nobody():
    """No transition leads out of completed, rejected or discarded."""
    assert {old for old, _ in NACHRICHT_TRANSITIONS}.isdisjoint(FINAL)


def test_every_state_is_reachable_from_the_first():
    """Nothing in the tables is unreachable from received or due."""
    for table, first, states in ((NACHRICHT_TRANSITIONS, N.RECEIVED, N), (ZUSTELLUNG_TRANSITIONS, Z.DUE, Z)):
        reached = {first}
        for _ in states:
            reached |= {new for old, new in table if old in reached}
        assert set(states) == reached


def test_a_delivered_zustellung_is_never_sent_again():
    """No transition leaves a verdict."""
    assert not [pair for pair in ZUSTELLUNG_TRANSITIONS if pair[0] in {Z.DELIVERED, Z.REFUSED}]


def test_an_intent_is_never_forgotten():
    """From intended only outcomes follow; back to due only when an outcome proved that nothing was sent."""
    after = {new for old, new in ZUSTELLUNG_TRANSITIONS if old is Z.INTENDED}

    assert after == {Z.DELIVERED, Z.REFUSED, Z.AWAITING, Z.UNCLEAR, Z.DUE, Z.PARKED}


@pytest.mark.parametrize(("old", "new"), [(N.COMPLETED, N.PLANNED), (N.RECEIVED, N.COMPLETED)])
def test_illegal_nachricht_transitions_are_refused(old, new):
    """A transition outside the table is a defect of the caller."""
    with pytest.raises(IllegalTransition):
        check_nachricht(old, new)


def test_illegal_zustellung_transition_is_refused():
    """A delivered Zustellung cannot become due."""
    with pytest.raises(IllegalTransition):
        check_zustellung(Z.DELIVERED, Z.DUE)


@pytest.mark.parametrize(
    ("state", "failure", "at", "expected"),
    [
        (N.RECEIVED, Rejected("validate.input.invalid"), situation(), (N.ANSWERING, "validate.input.invalid", True)),
        (N.RECEIVED, Misconfigured("route.missing"), situation(), (N.RECEIVED, "route.missing", False)),
        (N.RECEIVED, Misconfigured("route.missing"), LATE, (N.PARKED, "route.missing", True)),
        (N.ANSWERING, Transient("receipt.unreachable"), situation(), (N.ANSWERING, "receipt.unreachable", True)),
        (N.ANSWERING, Transient("receipt.unreachable"), LATE, (N.PARKED, "receipt.unreachable", True)),
        (N.PLANNED, Rejected("mapping.input.refused"), situation(), (N.PARKED, "mapping.input.refused", True)),
        (N.RECEIVED, ValueError("x"), situation(), (N.PARKED, "bug.unexpected", True)),
    ],
)
def test_failures_of_a_nachricht(state, failure, at, expected):
    """Each class of fault leads where its healer can act."""
    decision = decide_nachricht(state, failure, at)

    assert expected == (decision.state, decision.code, decision.counts)


@pytest.mark.parametrize(
    ("outcome", "idempotency", "at", "expected"),
    [
        (Delivered(), Idempotency.NONE, situation(), (Z.DELIVERED, "")),
        (Refused("x"), Idempotency.NONE, situation(), (Z.REFUSED, "target.refused")),
        (NotDelivered(), Idempotency.LOOKUP, situation(), (Z.DUE, "")),
        (Rejected("target.refused"), Idempotency.NONE, situation(), (Z.REFUSED, "target.refused")),
        (Transient("target.unreachable"), Idempotency.NONE, situation(), (Z.DUE, "target.unreachable")),
        (Transient("target.unreachable"), Idempotency.NONE, LATE, (Z.PARKED, "delivery.deadline")),
        (Misconfigured("target.misconfigured"), Idempotency.NONE, situation(), (Z.DUE, "target.misconfigured")),
        (Unclear("delivery.unclear"), Idempotency.NONE, situation(), (Z.PARKED, "delivery.unclear")),
        (Unclear("target.unreachable"), Idempotency.NONE, situation(), (Z.PARKED, "delivery.unclear")),
        (Unclear("target.misconfigured"), Idempotency.LOOKUP, situation(), (Z.UNCLEAR, "delivery.unclear")),
        (Unclear("target.unreachable"), Idempotency.LOOKUP, LATE, (Z.PARKED, "delivery.unclear")),
        (Unclear("delivery.ack.overdue"), Idempotency.NONE, situation(), (Z.PARKED, "delivery.ack.overdue")),
        (Unclear("delivery.unclear"), Idempotency.LOOKUP, situation(), (Z.UNCLEAR, "delivery.unclear")),
        (Unclear("delivery.unclear"), Idempotency.NATIVE, situation(), (Z.UNCLEAR, "delivery.unclear")),
        (Unclear("delivery.unclear"), Idempotency.LOOKUP, LATE, (Z.PARKED, "delivery.unclear")),
        (RuntimeError("x"), Idempotency.LOOKUP, situation(), (Z.UNCLEAR, "delivery.unclear")),
    ],
)
def test_outcomes_of_an_attempt(outcome, idempotency, at, expected):
    """An ambiguous attempt is never simply repeated, an unknown exception counts as ambiguous."""
    decision = decide_zustellung(Z.INTENDED, outcome, idempotency, at)

    assert expected == (decision.state, decision.code)
    check_zustellung(Z.INTENDED, decision.state)


def test_awaiting_is_looked_at_again_before_its_deadline():
    """The next look is the earlier of the recheck interval and the end of the waiting time."""
    at = situation()
    decision = decide_zustellung(Z.INTENDED, Awaiting(until=at.now + timedelta(seconds=7)), Idempotency.LOOKUP, at)

    assert (Z.AWAITING, at.now + timedelta(seconds=7)) == (decision.state, decision.due_at)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([Z.DELIVERED, Z.DELIVERED], (N.ANSWERING, "")),
        ([Z.DELIVERED, Z.DUE], None),
        ([Z.REFUSED, Z.DUE], (N.ANSWERING, "target.refused")),
        ([Z.REFUSED, Z.UNCLEAR], None),
        ([Z.REFUSED, Z.AWAITING], None),
        ([Z.REFUSED, Z.INTENDED], None),
        ([Z.REFUSED, Z.PARKED], None),
        ([Z.REFUSED, Z.DELIVERED], (N.PARKED, "split-verdict")),
        ([Z.REFUSED, Z.DELIVERED, Z.DUE], (N.PARKED, "split-verdict")),
        ([Z.PARKED, Z.DELIVERED], None),
    ],
)
def test_composition_of_required_zustellungen(states, expected):
    """No Quittung before the verdict, and none at all while verdicts disagree."""
    for order in itertools.permutations(states):
        decision = compose(Standing(state, required=True) for state in order)

        assert expected == (decision and (decision.state, decision.code))


def test_optional_zustellungen_do_not_decide():
    """A refused optional target does not spoil the acceptance, an open one does not delay it."""
    standings = [
        Standing(Z.DELIVERED, required=True),
        Standing(Z.REFUSED, required=False),
        Standing(Z.DUE, required=False),
    ]

    decision = compose(standings)

    assert decision is not None
    assert decision.state is N.ANSWERING


CERTAIN = [Misconfigured("target.misconfigured"), Transient("target.unreachable")]
AMBIGUOUS = [Unclear("delivery.unclear"), RuntimeError("x")]


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        *itertools.product([Z.INTENDED, Z.UNCLEAR, Z.AWAITING], CERTAIN + AMBIGUOUS),
        *itertools.product([Z.DUE], CERTAIN),
    ],
)
@pytest.mark.parametrize("idempotency", list(Idempotency))
@pytest.mark.parametrize("at", [situation(), LATE])
def test_no_failure_leads_outside_the_table(state, outcome, idempotency, at):
    """Whatever fails, in whatever state and however late: the decision is a transition the table knows."""
    decision = decide_zustellung(state, outcome, idempotency, at)

    check_zustellung(state, decision.state)


def test_an_unclear_zustellung_never_parks_as_merely_late():
    """What may have arrived keeps saying so: a person must look at the target before it is sent again."""
    decision = decide_zustellung(Z.UNCLEAR, Transient("target.unreachable"), Idempotency.LOOKUP, LATE)

    assert (Z.PARKED, "delivery.unclear") == (decision.state, decision.code)


def told(decision):
    """State and code of a decision."""
    return decision.state, decision.code


def test_changed_bytes_wait_for_nobody():
    """What rests wrong is not tried again and again until the deadline: it is parked at once, and nothing is sent."""
    corrupt, missing = Misconfigured("payload.corrupt"), Misconfigured("payload.missing")
    at = situation()

    assert (N.PARKED, "payload.corrupt") == told(decide_nachricht(N.RECEIVED, corrupt, at))
    assert (Z.PARKED, "payload.corrupt") == told(decide_zustellung(Z.DUE, corrupt, Idempotency.LOOKUP, at))
    assert (N.RECEIVED, "payload.missing") == told(decide_nachricht(N.RECEIVED, missing, at))
    assert (Z.DUE, "payload.missing") == told(decide_zustellung(Z.DUE, missing, Idempotency.LOOKUP, at))
