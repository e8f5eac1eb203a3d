"""Any engine: a Nachricht from plan to answer, its waits and verdicts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from intermediary.core.decide import Decision
from intermediary.core.ids import zustellung_key
from intermediary.core.states import IllegalTransition
from intermediary.core.values import Befund
from intermediary.store import NotFound, PlannedTarget, Store
from tests.conformance.store_kit import (
    DELIVERED,
    INSTALLATION,
    LATER,
    NOW,
    OPTIONAL,
    OUTPUT,
    REFUSED,
    SECOND,
    SECOND_TARGET,
    TARGET,
    Bench,
    N,
    Z,
    attempt,
    claimed,
    key_of,
    names,
    parked,
    planned,
)


def test_a_whole_life(store: Store) -> None:
    """Taken, planned, intended, delivered, answered: every step durable, and nothing is due at the end."""
    claim = planned(store)
    key = key_of(claim)
    claim = store.intend(claim, key, OUTPUT, NOW)
    claim = store.settle(claim, key, DELIVERED, now=NOW, proof={"file": "a.zip"})

    assert (N.ANSWERING, "accepted") == (claim.nachricht.state, claim.nachricht.verdict)

    store.answered(claim, N.COMPLETED, {"queue": "quittungen"}, NOW)
    record, [zustellung] = store.get(claim.nachricht.id), store.zustellungen(claim.nachricht.id)

    assert (N.COMPLETED, None, "") == (record.state, record.due_at, record.code)
    assert (Z.DELIVERED, {"file": "a.zip"}, 1) == (zustellung.state, zustellung.proof, zustellung.attempts)
    assert [] == store.claim("w1", LATER)
    assert names(store, claim) == [
        "intake.taken",
        "nachricht.planned",
        "delivery.intended",
        "delivery.delivered",
        "verdict.accepted",
        "answer.sent",
    ]


def test_every_step_survives_a_crash(bench: Bench) -> None:
    """A new Store on the same data sees exactly what the last committed step left, and work goes on from there."""
    claim = planned(bench.open())
    key = key_of(claim)
    claim = bench.open().intend(claim, key, OUTPUT, NOW)

    assert Z.INTENDED is bench.open().zustellungen(claim.nachricht.id)[0].state

    claim = bench.open().settle(claim, key, DELIVERED, now=NOW)

    assert N.ANSWERING is bench.open().get(claim.nachricht.id).state

    bench.open().answered(claim, N.COMPLETED, {}, NOW)

    assert N.COMPLETED is bench.open().get(claim.nachricht.id).state


def test_the_key_depends_on_nothing_but_the_zustellung(store: Store) -> None:
    """The idempotency key is the one of core.ids, whatever the content and the attempt (G3)."""
    claim = planned(store)
    wanted = zustellung_key(INSTALLATION, nachricht_id=claim.nachricht.id, target=TARGET.name, redelivery=0)
    retried = attempt(store, claim, Decision(Z.DUE, "target.unreachable", LATER))

    assert [wanted] == [record.key for record in retried.zustellungen]


def test_a_plan_is_kept(store: Store) -> None:
    """Route, pins and plan of the one judgement come back as they were given."""
    record = store.get(planned(store).nachricht.id)

    assert ("bauantrag", {"mapping": "bauantrag@1"}) == (record.route, record.pins)
    assert {"facts": {"root": "Antrag"}, "hashes": [OUTPUT]} == record.plan


@pytest.mark.parametrize("targets", [(), (OPTIONAL,), (TARGET, TARGET)], ids=["none", "only optional", "twice"])
def test_a_plan_needs_a_required_target(store: Store, targets: tuple[PlannedTarget, ...]) -> None:
    """Without a required target no verdict could ever be reached; the same target twice would share a key."""
    claim = claimed(store)

    with pytest.raises(ValueError, match="required target"):
        store.plan(claim, route="r", pins={}, plan={}, targets=targets, now=NOW)


def test_refused_before_a_route(store: Store) -> None:
    """A refusal leads to the negative answer, with all findings kept."""
    claim = store.refuse(claimed(store), "intake.id.missing", [Befund("x", path="/A/B[2]")], {"facts": {}}, NOW)
    answered = store.answered(claim, N.REJECTED, {}, NOW)

    assert ("rejected", "intake.id.missing") == (claim.nachricht.verdict, claim.nachricht.code)
    assert "/A/B[2]" == claim.nachricht.plan["findings"][0]["path"]
    assert (N.REJECTED, "intake.id.missing") == (answered.nachricht.state, answered.nachricht.code)


def test_the_answer_must_fit_the_verdict(store: Store) -> None:
    """No Quittung can say completed when the verdict is rejected, and none goes out before a verdict."""
    claim = planned(store)

    with pytest.raises(IllegalTransition):
        store.answered(claim, N.COMPLETED, {}, NOW)

    claim = attempt(store, claim, REFUSED)

    with pytest.raises(ValueError, match="verdict"):
        store.answered(claim, N.COMPLETED, {}, NOW)


def test_waiting_keeps_the_state(store: Store) -> None:
    """A wait sets due time and reason, counts the attempt if told so, and gives the lease back."""
    claim = store.wait(claimed(store), Decision(N.RECEIVED, "target.unreachable", LATER), NOW)

    assert (N.RECEIVED, "target.unreachable", LATER, 1) == (
        claim.nachricht.state,
        claim.nachricht.wait_reason,
        claim.nachricht.due_at,
        claim.nachricht.attempts,
    )
    assert [] == store.claim("w2", LATER - SECOND)

    [again] = store.claim("w2", LATER)
    again = store.wait(again, Decision(N.RECEIVED, "route.missing", LATER, counts=False), LATER)

    assert 1 == again.nachricht.attempts


def test_waiting_for_the_operator_is_told_once(store: Store) -> None:
    """Five-minute rechecks with the same reason do not fill the audit trail."""
    claim = claimed(store)
    for minute in range(3):
        moment = NOW + timedelta(minutes=minute)
        store.wait(claim, Decision(N.RECEIVED, "route.missing", moment, counts=False), moment)
        claim = store.claim_one(claim.nachricht.id, "w1", moment)

    assert ["intake.taken", "nachricht.waits"] == names(store, claim)


def test_a_decision_to_park_is_obeyed(store: Store) -> None:
    """`wait` with a parking decision parks; nobody but a person finds it again."""
    claim = store.wait(claimed(store), Decision(N.PARKED, "bug.unexpected"), NOW)

    assert (N.PARKED, "bug.unexpected", None) == (
        claim.nachricht.state,
        claim.nachricht.code,
        claim.nachricht.due_at,
    )
    assert [] == store.claim("w1", LATER)


def test_a_planned_nachricht_that_waits_holds_back_its_zustellungen(store: Store) -> None:
    """A missing mapping version keeps everything back until its moment, then the Zustellungen are due again."""
    claim = store.wait(planned(store), Decision(N.PLANNED, "mapping.version.missing", LATER, counts=False), NOW)

    assert LATER == claim.nachricht.due_at

    [again] = store.claim("w1", LATER)
    again = attempt(store, again, Decision(Z.DUE, "target.unreachable", LATER + SECOND), now=LATER)

    assert (LATER + SECOND, "target.unreachable") == (again.nachricht.due_at, again.nachricht.wait_reason)


def test_a_zustellung_is_tried_again(store: Store) -> None:
    """A failed attempt counts and sets the due time; one that waits for the operator gives the attempt back."""
    claim = attempt(store, planned(store), Decision(Z.DUE, "target.unreachable", LATER))

    assert (1, LATER) == (claim.zustellungen[0].attempts, claim.nachricht.due_at)

    claim = attempt(store, claim, Decision(Z.DUE, "target.misconfigured", LATER, counts=False))

    assert 1 == claim.zustellungen[0].attempts


def test_all_required_must_be_delivered(store: Store) -> None:
    """The verdict is open until the last required Zustellung is in; an optional one neither hastens nor hinders it."""
    claim = planned(store, TARGET, SECOND_TARGET, OPTIONAL)
    claim = attempt(store, claim, DELIVERED)

    assert N.PLANNED is claim.nachricht.state

    claim = attempt(store, claim, DELIVERED, SECOND_TARGET.name)

    assert N.ANSWERING is claim.nachricht.state

    claim = store.answered(claim, N.COMPLETED, {}, NOW)

    assert NOW == claim.nachricht.due_at

    [again] = store.claim("w1", NOW)
    again = attempt(store, again, DELIVERED, OPTIONAL.name)

    assert (N.COMPLETED, None) == (again.nachricht.state, again.nachricht.due_at)


def test_a_refusal_before_anything_was_sent_rejects(store: Store) -> None:
    """The others stay unsent: they are not due any more."""
    claim = attempt(store, planned(store, TARGET, SECOND_TARGET), REFUSED)

    assert ("rejected", "target.refused") == (claim.nachricht.verdict, claim.nachricht.verdict_code)
    assert [None, None] == [record.due_at for record in claim.zustellungen]

    claim = store.answered(claim, N.REJECTED, {}, NOW)

    assert [] == store.claim("w2", LATER)


def test_a_split_verdict_parks_without_an_answer(store: Store) -> None:
    """One delivered, one refused: a person decides, and nothing was told to the sender."""
    claim = attempt(store, planned(store, TARGET, SECOND_TARGET), DELIVERED)
    claim = attempt(store, claim, REFUSED, SECOND_TARGET.name)

    assert (N.PARKED, "split-verdict", "") == (claim.nachricht.state, claim.nachricht.code, claim.nachricht.verdict)


def test_a_verdict_that_comes_later(store: Store) -> None:
    """`awaiting` keeps its correlation and looks again; quiet looks leave no event, the verdict does."""
    claim = planned(store)
    key = key_of(claim)
    claim = store.intend(claim, key, OUTPUT, NOW)
    waiting = Decision(Z.AWAITING, due_at=NOW + SECOND)
    claim = store.settle(claim, key, waiting, now=NOW, correlation={"file": "a.ack"}, until=LATER)
    before = len(names(store, claim))
    claim = store.settle(claim, key, replace(waiting, due_at=LATER), now=NOW)

    assert (before, LATER) == (len(names(store, claim)), claim.nachricht.due_at)
    assert ({"file": "a.ack"}, LATER) == (claim.zustellungen[0].correlation, claim.zustellungen[0].until)

    claim = store.settle(claim, key, DELIVERED, now=LATER)

    assert N.ANSWERING is claim.nachricht.state


def test_a_failed_look_up_counts(store: Store) -> None:
    """The back-off of look-ups grows although nothing is intended; a repeat under the same key passes through due."""
    claim = attempt(store, planned(store), Decision(Z.UNCLEAR, "delivery.unclear", NOW))
    key = key_of(claim)
    claim = store.settle(claim, key, Decision(Z.UNCLEAR, "target.unreachable", LATER), now=NOW)

    assert 2 == claim.zustellungen[0].attempts

    claim = store.intend(claim, key, OUTPUT, NOW)

    assert (Z.INTENDED, 3) == (claim.zustellungen[0].state, claim.zustellungen[0].attempts)
    assert ["delivery.due", "delivery.intended"] == names(store, claim)[-2:]


def test_a_parked_zustellung_is_seen_at_its_nachricht(store: Store) -> None:
    """Its code is the Nachricht's wait reason, so that lists and counts show it."""
    claim = attempt(store, planned(store), Decision(Z.PARKED, "delivery.unclear"))

    assert (N.PLANNED, "delivery.unclear", None) == (
        claim.nachricht.state,
        claim.nachricht.wait_reason,
        claim.nachricht.due_at,
    )
    assert {(N.PLANNED, "delivery.unclear"): 1} == store.counts()
    assert [claim.nachricht.id] == [record.id for record in store.find(code="delivery.unclear")]


def test_what_the_tables_do_not_know_is_refused(store: Store) -> None:
    """A delivered Zustellung is never intended again, and a refusal leaves no trace."""
    claim = attempt(store, planned(store), DELIVERED)
    before = store.events(claim.nachricht.id)

    with pytest.raises(IllegalTransition):
        store.intend(claim, key_of(claim), OUTPUT, NOW)
    assert before == store.events(claim.nachricht.id)


def test_nothing_is_delivered_while_parked(store: Store) -> None:
    """Under a person's claim of a parked Nachricht no intent can be written."""
    claim = planned(store)
    key = key_of(claim)
    store.park(claim, "bug.unexpected", NOW)
    claim = store.claim_one(claim.nachricht.id, "person", NOW)

    with pytest.raises(IllegalTransition):
        store.intend(claim, key, OUTPUT, NOW)


def test_only_a_received_nachricht_is_judged(store: Store) -> None:
    """A judgement under a claim of a parked one is a defect, although a person may lead out of `parked`."""
    claim = parked(store)

    with pytest.raises(IllegalTransition):
        store.plan(claim, route="r", pins={}, plan={}, targets=[TARGET], now=NOW)
    with pytest.raises(IllegalTransition):
        store.refuse(claim, "intake.id.missing", [], {}, NOW)
    assert N.PARKED is store.get(claim.nachricht.id).state


def test_a_new_configuration_wakes_what_waits_for_the_operator(store: Store) -> None:
    """Only what waits with an operator's code becomes due; what waits for time keeps its moment."""
    route = store.wait(claimed(store, "a"), Decision(N.RECEIVED, "route.missing", LATER, counts=False), NOW)
    time = store.wait(claimed(store, "b"), Decision(N.RECEIVED, "target.unreachable", LATER), NOW)
    claim = attempt(store, planned(store, message_id="c"), Decision(Z.DUE, "target.misconfigured", LATER, counts=False))
    store.release(claim, NOW)
    woken = store.wake_misconfigured(NOW)

    assert 2 == woken
    assert {route.nachricht.id, claim.nachricht.id} == {one.nachricht.id for one in store.claim("w", NOW, limit=9)}
    assert LATER == store.get(time.nachricht.id).due_at


def test_unknown_ids(store: Store) -> None:
    """Asking for what is not there is `NotFound`, everywhere."""
    for ask in (store.get, store.headers, store.body, lambda one: store.claim_one(one, "w", NOW)):
        with pytest.raises(NotFound):
            ask("00000000-0000-0000-0000-000000000000")
