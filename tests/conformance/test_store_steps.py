"""Steps of a Zustellung: durable before the connector goes on, kept over attempts, erased with the payload."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from intermediary.audit.standing import differences
from intermediary.core.decide import Decision
from intermediary.core.faults import Transient, Unclear
from intermediary.core.states import IllegalTransition
from intermediary.store import Claim, LeaseLost, Store
from intermediary.store import steps as steps_of_store
from intermediary.store.beside import beside
from intermediary.store.steps import Ledger
from intermediary.store.tables import delivery_steps
from tests.conformance.store_kit import INSTALLATION, LATER, NOW, OUTPUT, Bench, Z, key_of, names, planned

STEPS = ("case", "document", "close")
CASE = {"number": "4711"}


def under_way(store: Store) -> Ledger:
    """A Zustellung that its connector has been called for."""
    claim = planned(store)
    return opened(store, store.intend(claim, key_of(claim), OUTPUT, NOW))


def opened(store: Store, claim: Claim) -> Ledger:
    return store.steps.open(claim, key_of(claim), STEPS, lambda: NOW)


def differing(bench: Bench) -> list[str]:
    """What `audit verify` finds between rows and events."""
    with bench.database().read() as tx:
        pairs = [one for one in beside(tx, str(INSTALLATION)) if one.row is not None]
        return [line for one in pairs for line in differences(one.events, one.row or {}, one.zustellungen)]


def test_a_step_is_there_for_the_next_attempt(bench: Bench) -> None:
    """In the order they were done, also after a crash, in another process; and the claim goes on."""
    ledger = under_way(bench.open())
    ledger.done("case", CASE)
    ledger.done("document/2")
    ledger.done("document/1", {"id": "ä-1"})

    store = bench.open()
    again = opened(store, ledger.claim)
    store.settle(again.claim, key_of(again.claim), Decision(Z.UNCLEAR, "delivery.unclear", NOW), now=NOW)

    assert ["case", "document/2", "document/1"] == list(again)
    assert (CASE, {}, {"id": "ä-1"}, None) == tuple(
        again.get(one) for one in ("case", "document/2", "document/1", "close")
    )
    assert ["delivery.step"] * 3 == names(store, again.claim)[-4:-1]
    assert [(1, "case"), (1, "document/2"), (1, "document/1")] == [
        (one.attempt, one.step) for one in store.steps.of(again.claim.nachricht.id)
    ]
    assert [] == differing(bench)


def test_a_step_is_done_once(store: Store) -> None:
    """The same again changes nothing, though the answer to the first commit was lost; other facts are a defect."""
    ledger = under_way(store)
    rival = opened(store, ledger.claim)
    ledger.done("case", CASE)
    ledger.done("case", CASE)
    rival.done("case", CASE)

    assert 1 == names(store, ledger.claim).count("delivery.step")
    for one in (ledger, opened(store, ledger.claim)):
        with pytest.raises(ValueError, match="other facts"):
            one.done("case", {"number": "4712"})


def test_who_lost_the_lease_commits_no_step(store: Store) -> None:
    """A worker that was overtaken cannot write what its successor relies on."""
    ledger = under_way(store)
    store.claim_one(ledger.claim.nachricht.id, "successor", LATER)

    with pytest.raises(LeaseLost):
        ledger.done("case", CASE)
    assert () == store.steps.of(ledger.claim.nachricht.id)


def test_a_step_that_cannot_be_committed_is_unclear(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has happened at the target: `Transient` would say that nothing was sent."""
    ledger = under_way(store)

    def away(*_arguments: object) -> Claim:
        raise Transient("store.unavailable")

    monkeypatch.setattr(steps_of_store, "commit_step", away)
    with pytest.raises(Unclear):
        ledger.done("case", CASE)
    assert ledger.get("case") is None


def test_no_step_without_an_intent(store: Store) -> None:
    """What is not under way has no connector that could have done something."""
    with pytest.raises(IllegalTransition):
        opened(store, planned(store)).done("case", CASE)


def test_steps_are_erased_with_the_payload(bench: Bench) -> None:
    """By a person as by a term: the trail keeps the hash, nobody keeps the facts."""
    store = bench.open()
    ledger = under_way(store)
    ledger.done("case", CASE)
    claim = store.settle(ledger.claim, key_of(ledger.claim), Decision(Z.DELIVERED), now=NOW)
    claim = store.answered(claim, claim.nachricht.state.__class__.COMPLETED, {}, NOW)
    claim = store.claim_one(claim.nachricht.id, "person", NOW)
    assert store.steps.of(claim.nachricht.id)
    store.erase(claim, actor="ada", reason="Löschantrag", now=NOW)

    assert () == store.steps.of(claim.nachricht.id)
    assert [] == differing(bench)


def test_a_changed_step_is_found(bench: Bench) -> None:
    """Who changes a step behind the store's back can make a document be left out: the events say otherwise."""
    ledger = under_way(bench.open())
    ledger.done("case", CASE)
    with bench.database().write() as tx:
        tx.execute(update(delivery_steps).values(facts={"number": "9999"}))

    assert [f"zustellung {key_of(ledger.claim)}: steps"] == differing(bench)
