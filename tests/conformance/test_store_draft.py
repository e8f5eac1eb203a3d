"""Any engine: a judgement that goes on at once is written with what comes next, wholly or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from intermediary.core.decide import Decision
from intermediary.core.faults import Transient, Unclear
from intermediary.store import Claim, LeaseLost, Store, steps
from intermediary.store.doubt import Doubt
from intermediary.store.records import NachrichtRecord
from tests.conformance.store_kit import (
    LATER,
    LEASE,
    NOW,
    OPTIONAL,
    OUTPUT,
    SECOND,
    TARGET,
    Bench,
    N,
    Z,
    claimed,
    eingang,
    key_of,
    names,
)

AKTENZEICHEN = "MH-2026-117"


def drafted(store: Store, claim: Claim) -> Claim:
    """Judged by somebody who goes on under the claim."""
    return store.plan(
        claim,
        route="bauantrag",
        pins={"mapping": "bauantrag@1"},
        plan={"facts": {"root": "Antrag"}},
        targets=(TARGET, OPTIONAL),
        search_keys={"aktenzeichen": AKTENZEICHEN},
        now=NOW,
        at_once=False,
    )


def at_rest(store: Store, claim: Claim) -> NachrichtRecord:
    return store.get(claim.nachricht.id)


def test_nothing_is_written_before_the_next(store: Store) -> None:
    """Its holder goes on with a planned Nachricht; everybody else sees one that is being judged."""
    claim = drafted(store, claimed(store))

    assert (N.PLANNED, 2) == (claim.nachricht.state, len(claim.zustellungen))
    assert N.RECEIVED is at_rest(store, claim).state
    assert () == store.zustellungen(claim.nachricht.id)
    assert ["intake.taken"] == names(store, claim)
    assert [] == list(store.find(search_key=AKTENZEICHEN))


def test_the_first_intent_writes_both(store: Store) -> None:
    """Each event has its own moment, the rows stand as after the last of them, and it can be found."""
    claim = drafted(store, claimed(store))
    after = store.intend(claim, key_of(claim), OUTPUT, NOW + SECOND)
    told = store.events(claim.nachricht.id)

    assert ["intake.taken", "nachricht.planned", "delivery.intended"] == [one.event.name for one in told]
    assert [NOW, NOW, NOW + SECOND] == [one.event.at for one in told]
    assert (after.nachricht, after.zustellungen) == (at_rest(store, claim), store.zustellungen(claim.nachricht.id))
    assert [Z.INTENDED, Z.DUE] == [one.state for one in after.zustellungen]
    assert [claim.nachricht.id] == [one.id for one in store.find(search_key=AKTENZEICHEN)]


def test_a_settlement_without_an_attempt_writes_both(store: Store) -> None:
    """A target that cannot be opened: the plan stands, and what it waits for."""
    claim = drafted(store, claimed(store))
    wait = Decision(Z.DUE, "target.misconfigured", due_at=LATER)
    after = store.settle(claim, key_of(claim), wait, now=NOW)

    assert ["intake.taken", "nachricht.planned", "delivery.waits"] == names(store, claim)
    assert (N.PLANNED, "target.misconfigured") == (at_rest(store, claim).state, at_rest(store, claim).wait_reason)
    assert after.zustellungen == store.zustellungen(claim.nachricht.id)


def test_giving_the_lease_back_writes_it(store: Store) -> None:
    """Nothing could be done after the judgement: it is kept, and the next holder goes on from there."""
    claim = drafted(store, claimed(store))
    store.release(claim, NOW)
    [again] = store.claim("w2", NOW)

    assert ["intake.taken", "nachricht.planned"] == names(store, claim)
    assert (N.PLANNED, 2) == (again.nachricht.state, len(again.zustellungen))


def test_what_came_in_between_stands_before(store: Store) -> None:
    """A duplicate is told while the draft is open: the chain goes on after it."""
    claim = drafted(store, claimed(store))
    store.take([eingang("antrag-1")])
    store.intend(claim, key_of(claim), OUTPUT, NOW)

    assert ["intake.taken", "intake.duplicate", "nachricht.planned", "delivery.intended"] == names(store, claim)


def test_the_old_holder_writes_nothing(bench: Bench) -> None:
    """Whoever took over judges anew; of the draft nothing is left, and giving back what is lost is no matter."""
    old, new = bench.open(), bench.open()
    claim = drafted(old, claimed(old))
    [taken_over] = new.claim_suspect("w2", NOW + LEASE)
    with pytest.raises(LeaseLost):
        old.intend(claim, key_of(claim), OUTPUT, NOW + LEASE)
    old.release(claim, NOW + LEASE)

    assert (N.RECEIVED, ()) == (taken_over.nachricht.state, new.zustellungen(claim.nachricht.id))
    assert ["intake.taken", "claim.unexplained"] == names(new, claim)


def test_a_release_whose_answer_is_lost_is_repeated(store: Store) -> None:
    """The worker gives back once more after a fault of the store: the plan is written once."""
    claim = drafted(store, claimed(store))
    store.release(claim, NOW)
    store.release(claim, NOW)

    assert ["intake.taken", "nachricht.planned"] == names(store, claim)


def test_a_commit_whose_answer_is_lost_is_not_repeated(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is noted by a look-up after a restore and its answer is lost (F5): the verdict is added to what is written."""
    monkeypatch.setattr(store, "_db", replace(store._db, doubt=Doubt(NOW, LATER)))
    claim = drafted(store, claimed(store))
    key = key_of(claim)
    ledger = store.steps.open(claim, key, ["request"], lambda: NOW)
    commit = steps.commit_step

    def lost(*asked: Any) -> Claim:
        commit(*asked)
        raise Transient("store.unavailable", where="database")

    monkeypatch.setattr(steps, "commit_step", lost)
    with pytest.raises(Unclear):
        ledger.done("request/1", {"id": "4711"})
    wait = Decision(Z.UNCLEAR, "target.unreachable", due_at=LATER)
    after = store.settle(ledger.claim, key, wait, now=NOW)
    doubted = ["nachricht.planned", "delivery.unclear", "delivery.unclear"]

    assert ["intake.taken", *doubted, "delivery.step", "delivery.waits"] == names(store, claim)
    assert (after.nachricht, after.zustellungen) == (at_rest(store, claim), store.zustellungen(claim.nachricht.id))


def test_a_note_under_the_claim_writes_it_once(store: Store) -> None:
    """Whoever notes something and goes on with the claim as it was finds the plan written."""
    claim = drafted(store, claimed(store))
    store.record(claim, "person.dry-run", now=NOW, actor="person", fields={"reason": "Probe", "result": "accepted"})
    after = store.intend(claim, key_of(claim), OUTPUT, NOW)

    assert ["intake.taken", "nachricht.planned", "person.dry-run", "delivery.intended"] == names(store, claim)
    assert after.zustellungen == store.zustellungen(claim.nachricht.id)


def test_parking_forgets_it(store: Store) -> None:
    """After a failure nobody expected the Nachricht is parked as it rests: it is judged anew when a person goes on."""
    claim = drafted(store, claimed(store))
    store.park(claim, "bug.unexpected", NOW)
    held = store.claim_one(claim.nachricht.id, "person", NOW)
    resumed = store.resume(held, actor="person", reason="Probe", now=NOW)

    assert ["intake.taken", "nachricht.parked", "person.resumed"] == names(store, claim)
    assert (N.RECEIVED, ()) == (resumed.nachricht.state, store.zustellungen(claim.nachricht.id))
