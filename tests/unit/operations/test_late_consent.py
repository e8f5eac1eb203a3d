"""What approvals hold back when things change between the question and the deed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from intermediary.core.decide import Decision
from intermediary.core.states import NachrichtState
from intermediary.operations.act import Decide, Replay
from intermediary.operations.approvals import ApprovalNeeded, Approvals, Denied
from intermediary.operations.jobs import BulkReplay, How
from intermediary.operations.person import Request
from intermediary.operations.selection import Selection
from intermediary.settings.approvals import VERBS
from intermediary.settings.approvals import Approvals as Rules
from intermediary.store import Store
from intermediary.store.foresee import GROUNDS
from tests.conformance.store_kit import (
    DELIVERED,
    NOW,
    SECOND_TARGET,
    TARGET,
    Z,
    attempt,
    bench_in,
    key_of,
    names,
    parked,
    planned,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An installation on SQLite."""
    bench = bench_in(tmp_path)
    yield bench.open()
    bench.close()


def test_what_could_not_be_approved_is_not_replayed(store: Store) -> None:
    """Nothing was to be done when a second person would have been asked; what is parked meanwhile waits for one."""
    numbers = count(1)
    rules = Rules(required=("replay",))
    approvals = Approvals(store, rules, now=lambda: NOW, new_id=lambda: f"approval-{next(numbers)}")
    replay = Replay(store, now=lambda: NOW, approvals=approvals)
    claims = [planned(store, message_id=f"antrag-{number}") for number in range(2)]
    for claim in claims:
        store.release(claim, NOW)
    wanted = Selection(ids=tuple(claim.nachricht.id for claim in claims))
    effects = replay.carry_out(wanted, Request("adler", "geprüft", "adler"))
    first = next(effects)
    [late] = [claim for claim in claims if claim.nachricht.id != first.nachricht_id]
    store.park(store.claim_one(late.nachricht.id, "worker", NOW), "bug.unexpected", NOW)

    second = next(effects)

    assert ("nothing", "nothing") == (first.action, second.action)
    assert "parked" == store.get(late.nachricht.id).state
    assert "person.denied" == names(store, late)[-1]


ASKER = Request("adler", "geprüft", "adler")
SECOND_PERSON = Request("bussard", "nachgesehen", "bussard")


@pytest.fixture
def approvals(store: Store) -> Approvals:
    """Everything needs a second person."""
    numbers = count(1)
    rules = Rules(required=VERBS)
    return Approvals(store, rules, now=lambda: NOW, new_id=lambda: f"approval-{next(numbers)}")


def _approved(approvals: Approvals, ask: Callable[[], object]) -> Request:
    """The request of who asks, once a second person has approved what `ask` wants."""
    with pytest.raises(ApprovalNeeded) as needed:
        ask()
    approvals.decide(needed.value.approval.id, SECOND_PERSON, approves=True)
    return replace(ASKER, approval=needed.value.approval.id)


def _parked_anew(store: Store, nachricht_id: str, code: str) -> None:
    """Somebody has moved it on meanwhile, and it waits for another reason now."""
    claim = store.claim_one(nachricht_id, "person", NOW)
    claim = store.resume(claim, actor="carla", reason="weiter", now=NOW)
    store.park(claim, code, NOW)


def test_a_replay_does_what_was_shown(store: Store, approvals: Approvals) -> None:
    """Parked for another reason since the second person looked: it is not resumed by that approval."""
    one, other = (parked(store, message_id=name) for name in ("antrag-1", "antrag-2"))
    for claim in (one, other):
        store.release(claim, NOW)
    replay = Replay(store, now=lambda: NOW, approvals=approvals)
    wanted = Selection(state=NachrichtState.PARKED)
    request = _approved(approvals, lambda: list(replay.carry_out(wanted, ASKER)))
    _parked_anew(store, other.nachricht.id, "poison.crash")

    effects = {effect.nachricht_id: effect.action for effect in replay.carry_out(wanted, request)}

    assert {one.nachricht.id: "resume", other.nachricht.id: "nothing"} == effects
    assert "poison.crash" == store.get(other.nachricht.id).code
    assert "person.denied" == names(store, other)[-1]


def test_a_redelivery_is_the_one_that_was_shown(store: Store, approvals: Approvals) -> None:
    """Sent again by somebody else meanwhile: the approval makes no third one."""
    claim = attempt(store, planned(store), DELIVERED)
    store.answered(claim, NachrichtState.COMPLETED, {}, NOW)
    replay = Replay(store, now=lambda: NOW, approvals=approvals)
    wanted = Selection(ids=(claim.nachricht.id,))
    again = {"redeliver": "fachverfahren", "repeat_anyway": True}
    request = _approved(approvals, lambda: list(replay.carry_out(wanted, ASKER, **again)))
    held = store.claim_one(claim.nachricht.id, "person", NOW)
    held = store.redeliver(held, "fachverfahren", actor="carla", reason="verloren", now=NOW)
    store.release(attempt(store, held, DELIVERED), NOW)

    (effect,) = replay.carry_out(wanted, request, **again)

    assert "nothing" == effect.action
    assert 2 == len(store.zustellungen(claim.nachricht.id))


def test_a_decision_is_about_the_target_that_was_shown(store: Store, approvals: Approvals) -> None:
    """Approved without a name for the only target that waited: not carried out at another one that waits now."""
    unsent = Decision(Z.PARKED, "delivery.unclear")
    claim = attempt(store, planned(store, TARGET, SECOND_TARGET), unsent)
    store.release(claim, NOW)
    decide = Decide(store, now=lambda: NOW, approvals=approvals)
    ask = partial(decide.carry_out, "send-again", claim.nachricht.id, "", "")
    request = _approved(approvals, lambda: ask(ASKER))
    held = store.claim_one(claim.nachricht.id, "person", NOW)
    held = store.confirm_delivered(held, key_of(held), actor="carla", reason="nachgesehen", proof="Az. 1", now=NOW)
    store.release(attempt(store, held, unsent, SECOND_TARGET.name), NOW)

    with pytest.raises(Denied):
        ask(request)

    assert ["delivered", "parked"] == [one.state for one in store.zustellungen(claim.nachricht.id)]


def test_a_decision_about_several_is_for_the_reason_that_was_shown(store: Store, approvals: Approvals) -> None:
    """A selection by conditions: whoever is parked for another reason by now stays, and is named."""
    one, other = (parked(store, message_id=name) for name in ("antrag-1", "antrag-2"))
    for claim in (one, other):
        store.release(claim, NOW)
    decide = Decide(store, now=lambda: NOW, approvals=approvals)
    wanted = Selection(state=NachrichtState.PARKED)
    request = _approved(approvals, lambda: list(decide.carry_out_all("discard", wanted, ASKER)))
    _parked_anew(store, other.nachricht.id, "poison.crash")

    told = {found.id: refusal for found, refusal in decide.carry_out_all("discard", wanted, request)}

    assert told[one.nachricht.id] is None
    assert GROUNDS["other"] == str(told[other.nachricht.id])
    assert ("discarded", "parked") == (store.get(one.nachricht.id).state, store.get(other.nachricht.id).state)


def test_a_job_does_only_what_was_shown(store: Store, approvals: Approvals) -> None:
    """The second person saw what would be done, in numbers: what nobody was told of is left alone."""
    one, other = (parked(store, message_id=name) for name in ("antrag-1", "antrag-2"))
    for claim in (one, other):
        store.release(claim, NOW)
    bulk = BulkReplay(store, now=lambda: NOW, new_id=lambda: "j-1", approvals=approvals)
    order = partial(bulk.start, Selection(state=NachrichtState.PARKED), How(rate=0))
    request = _approved(approvals, lambda: order(ASKER))
    held = store.resume(store.claim_one(other.nachricht.id, "person", NOW), actor="carla", reason="weiter", now=NOW)
    store.wait(held, Decision(NachrichtState.RECEIVED, "route.unknown", NOW + timedelta(hours=1)), NOW)

    order(request)
    [hold] = store.jobs.take("runner", lambda _owner: True, NOW)
    while not store.jobs.carry_out(hold, now=NOW, most=50, is_look=False).is_over:
        pass

    report = bulk.report("j-1")
    assert ({"resume": 1}, {"other": 1}) == (dict(report.done), dict(report.idle))
    assert NOW < (store.get(other.nachricht.id).due_at or NOW)
