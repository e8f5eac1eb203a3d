"""Any engine: a Nachricht whose holders die is opened alone, and parked when it kills that process twice (DESIGN 2.7)."""

from __future__ import annotations

import pytest

from intermediary.core.codes import CATALOGUE
from intermediary.core.decide import Decision
from intermediary.store import Claim, LeaseLost, Store
from tests.conformance.store_kit import (
    DELIVERED,
    LATER,
    LEASE,
    NOW,
    OPTIONAL,
    OUTPUT,
    TARGET,
    N,
    Z,
    attempt,
    claimed,
    eingang,
    key_of,
    names,
    planned,
)

WORKER = "host:boot:17:400"
ALONE = "host:boot:18:500"


def _suspect(store: Store) -> Claim:
    """A Nachricht whose worker has died, claimed by the process that opens it alone."""
    claimed(store, owner=f"{WORKER}:1")
    store.release_crashed(WORKER, NOW, alone=False)
    [claim] = store.claim_suspect(f"{ALONE}:1", NOW)
    return claim


def test_a_death_seen_by_the_parent_makes_suspects(store: Store) -> None:
    """Everything the process held is free at once and counted; what others hold stays with them; the dead are fenced."""
    one, two = claimed(store, "a", owner=f"{WORKER}:1"), claimed(store, "b", owner=f"{WORKER}:2")
    other = claimed(store, "c", owner=f"{WORKER}0:1")
    count = store.release_crashed(WORKER, NOW, alone=False)

    assert (2, [1, 1, 0]) == (count, [store.get(claim.nachricht.id).unexplained for claim in (one, two, other)])
    assert ["intake.taken", "claim.unexplained"] == names(store, one)
    assert other.token == store.extend(other, NOW).token
    with pytest.raises(LeaseLost):
        store.park(one, "suspect", NOW)


def test_a_death_without_a_lease_counts_nothing(store: Store) -> None:
    """A process that held nothing leaves no suspect."""
    store.take([eingang()])

    assert 0 == store.release_crashed(WORKER, NOW, alone=False)
    assert not store.has_suspect(NOW)
    assert 1 == len(store.claim("w", NOW))


def test_suspects_are_left_to_their_own_process(store: Store) -> None:
    """No ordinary worker opens a suspect; its own process opens nothing else, and only when it is due."""
    suspect = claimed(store, "a", owner=f"{WORKER}:1")
    store.take([eingang("b")])
    store.release_crashed(WORKER, NOW, alone=False)
    ordinary = store.claim("w", NOW, limit=9)

    assert suspect.nachricht.id not in [claim.nachricht.id for claim in ordinary]
    assert store.has_suspect(NOW)

    [alone] = store.claim_suspect("s", NOW)

    assert suspect.nachricht.id == alone.nachricht.id
    assert not store.has_suspect(NOW)
    assert [] == store.claim_suspect("s2", NOW)


def test_a_lease_that_ran_out_makes_a_suspect(store: Store) -> None:
    """A worker that hangs keeps its thread, and no second thread is lost to the same Nachricht."""
    claim = claimed(store)

    assert not store.has_suspect(NOW)
    assert [] == store.claim("w2", NOW + LEASE)
    assert store.has_suspect(NOW + LEASE)

    [alone] = store.claim_suspect("s", NOW + LEASE)

    assert (claim.nachricht.id, 1) == (alone.nachricht.id, alone.nachricht.unexplained)


def test_the_second_death_alone_parks(store: Store) -> None:
    """One death may be bad luck; the second parks it with a code of its own, and nobody claims it again."""
    claim = _suspect(store)
    store.release_crashed(ALONE, NOW, alone=True)

    assert N.RECEIVED is store.get(claim.nachricht.id).state

    store.claim_suspect(f"{ALONE}:1", NOW)
    store.release_crashed(ALONE, NOW, alone=True)
    record = store.get(claim.nachricht.id)

    assert (N.PARKED, "poison.crash", None, 3) == (record.state, record.code, record.due_at, record.unexplained)
    assert record.code in CATALOGUE
    assert ["claim.unexplained"] * 3 + ["nachricht.parked"] == names(store, claim)[1:]
    assert not store.has_suspect(LATER)


def test_deaths_of_ordinary_workers_park_nothing(store: Store) -> None:
    """It may have been the other thread's Nachricht: only a process that opened one and nothing else proves anything."""
    claim = _suspect(store)
    for _ in range(3):
        store.release_crashed(ALONE, NOW, alone=False)
        store.claim_suspect(f"{ALONE}:1", NOW)

    assert N.RECEIVED is store.get(claim.nachricht.id).state


def test_a_fact_forgives_a_death(store: Store) -> None:
    """A suspect that was judged is none any more, and its deaths do not add to later ones."""
    _suspect(store)
    store.release_crashed(ALONE, NOW, alone=True)
    [claim] = store.claim_suspect("s", NOW)
    claim = store.plan(claim, route="r", pins={}, plan={}, targets=[TARGET], search_keys={}, now=NOW)
    store.release(claim, NOW)
    [claim] = store.claim(f"{WORKER}:1", NOW)
    store.release_crashed(WORKER, NOW, alone=False)
    store.claim_suspect(f"{ALONE}:1", NOW)
    store.release_crashed(ALONE, NOW, alone=True)

    assert (N.PLANNED, 2) == (store.get(claim.nachricht.id).state, store.get(claim.nachricht.id).unexplained)


def test_a_person_forgives_all_deaths(store: Store) -> None:
    """After `resume` it is an ordinary Nachricht again, with two deaths ahead of it."""
    claim = _suspect(store)
    for _ in range(2):
        store.release_crashed(ALONE, NOW, alone=True)
        store.claim_suspect(f"{ALONE}:1", NOW)
    claim = store.claim_one(claim.nachricht.id, "person", NOW)
    store.release(store.resume(claim, actor="p", reason="r", now=NOW), NOW)
    [claim] = store.claim(f"{WORKER}:1", NOW)
    store.release_crashed(WORKER, NOW, alone=False)
    store.claim_suspect(f"{ALONE}:1", NOW)
    store.release_crashed(ALONE, NOW, alone=True)

    assert N.RECEIVED is store.get(claim.nachricht.id).state


def test_an_intent_is_unclear_in_a_parked_one(store: Store) -> None:
    """It may have arrived before the process died: the person who resumes is told so."""
    claim = planned(store)
    store.release(claim, NOW)
    [claim] = store.claim(f"{WORKER}:1", NOW)
    store.release_crashed(WORKER, NOW, alone=False)
    for _ in range(2):
        [claim] = store.claim_suspect(f"{ALONE}:1", NOW)
        if claim.zustellungen[0].state is Z.UNCLEAR:
            claim = store.settle(claim, key_of(claim), Decision(Z.DUE, due_at=NOW), now=NOW)
        store.intend(claim, key_of(claim), OUTPUT, NOW)
        store.release_crashed(ALONE, NOW, alone=True)

    assert (N.PARKED, Z.UNCLEAR) == (
        store.get(claim.nachricht.id).state,
        store.zustellungen(claim.nachricht.id)[0].state,
    )


def test_what_is_open_of_a_completed_one_is_parked_too(store: Store) -> None:
    """The optional Zustellung that kills its process is parked; the Nachricht stays completed."""
    claim = attempt(store, planned(store, TARGET, OPTIONAL), DELIVERED)
    store.answered(claim, N.COMPLETED, {}, NOW)
    store.claim(f"{WORKER}:1", NOW)
    store.release_crashed(WORKER, NOW, alone=False)
    for _ in range(2):
        store.claim_suspect(f"{ALONE}:1", NOW)
        store.release_crashed(ALONE, NOW, alone=True)

    assert (N.COMPLETED, "poison.crash") == (
        store.get(claim.nachricht.id).state,
        store.zustellungen(claim.nachricht.id)[1].code,
    )
