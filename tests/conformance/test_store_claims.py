"""Any engine: leases, fences, and what a lost holder leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from intermediary.core.decide import Decision
from intermediary.core.states import UNEXPLAINED_LIMIT, IllegalTransition
from intermediary.store import Busy, Claim, LeaseLost, Store
from intermediary.store.tables import nachrichten
from tests.conformance.store_kit import (
    DELIVERED,
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
    attempt,
    claimed,
    eingang,
    key_of,
    names,
    planned,
)

EXPIRED = NOW + LEASE


def test_the_longest_due_comes_first(store: Store) -> None:
    """Claims follow the due time, not the order of intake; the limit is kept; nothing is handed out early."""
    for number, offset in enumerate((3, 1, 2)):
        store.take([eingang(f"antrag-{number}", at=NOW + offset * SECOND)])
    first = store.claim("w", NOW + 2 * SECOND, limit=2)
    early = store.claim("w", NOW + 2 * SECOND, limit=9)
    rest = store.claim("w", NOW + 3 * SECOND, limit=9)
    due = [claim.nachricht.due_at for claim in (*first, *rest)]

    assert [NOW + SECOND, NOW + 2 * SECOND, NOW + 3 * SECOND] == due
    assert [] == early


def test_a_lease_belongs_to_one(bench: Bench) -> None:
    """While it lasts nobody else gets it, in whatever process; a person is told `Busy`."""
    one, other = bench.open(), bench.open()
    claim = claimed(one)

    assert [] == other.claim("w2", EXPIRED - SECOND)
    with pytest.raises(Busy):
        other.claim_one(claim.nachricht.id, "person", EXPIRED - SECOND)


def test_many_claimers_share_without_overlap(bench: Bench) -> None:
    """Four threads on two stores empty the queue; every Nachricht is handed out once."""
    stores = [bench.open(), bench.open()]
    stores[0].take([eingang(f"antrag-{number}") for number in range(60)])
    got: list[str] = []
    barrier = threading.Barrier(4)

    def work(store: Store, owner: str) -> None:
        barrier.wait(10)
        while claims := store.claim(owner, NOW, limit=3):
            got.extend(claim.nachricht.id for claim in claims)

    workers = [threading.Thread(target=work, args=(stores[n % 2], f"w{n}")) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)

    assert (60, 60) == (len(got), len(set(got)))


WRITES: dict[str, Callable[[Store, Claim], object]] = {
    "plan": lambda s, c: s.plan(c, route="r", pins={}, plan={}, targets=[TARGET], now=EXPIRED),
    "refuse": lambda s, c: s.refuse(c, "intake.id.missing", [], {}, EXPIRED),
    "wait": lambda s, c: s.wait(c, Decision(N.RECEIVED, "route.missing", LATER), EXPIRED),
    "park": lambda s, c: s.park(c, "suspect", EXPIRED),
    "reject": lambda s, c: s.reject(c, actor="p", reason="r", now=EXPIRED),
    "record": lambda s, c: s.record(c, "person.read", now=EXPIRED, actor="p", fields={"reason": "r", "what": "b"}),
    "extend": lambda s, c: s.extend(c, EXPIRED),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_stale_token_writes_nothing(store: Store, write: Callable[[Store, Claim], object]) -> None:
    """A holder that slept through its lease finds every write fenced, and the new holder is not disturbed."""
    stale = claimed(store)
    [fresh] = store.claim_suspect("w2", EXPIRED)
    before = (store.get(stale.nachricht.id), store.events(stale.nachricht.id))

    with pytest.raises(LeaseLost):
        write(store, stale)
    store.release(stale, EXPIRED)

    assert before == (store.get(stale.nachricht.id), store.events(stale.nachricht.id))
    assert fresh.token == store.extend(fresh, EXPIRED).token


def _intended(store: Store, claim: Claim) -> Claim:
    return store.intend(claim, key_of(claim), OUTPUT, NOW)


def _unclear(store: Store, claim: Claim) -> Claim:
    unclear = Decision(Z.UNCLEAR, "delivery.unclear", NOW)
    return store.settle(_intended(store, claim), key_of(claim), unclear, now=NOW)


DELIVERY_WRITES: dict[str, tuple[Callable[[Store, Claim], Claim], Callable[[Store, Claim, str], object], Z]] = {
    "intend": (lambda _, c: c, lambda s, c, k: s.intend(c, k, OUTPUT, EXPIRED), Z.DUE),
    "settle": (_intended, lambda s, c, k: s.settle(c, k, DELIVERED, now=EXPIRED), Z.UNCLEAR),
    "confirm": (
        _unclear,
        lambda s, c, k: s.confirm_delivered(c, k, actor="p", reason="r", proof="p", now=EXPIRED),
        Z.UNCLEAR,
    ),
    "send again": (_unclear, lambda s, c, k: s.send_again(c, k, actor="p", reason="r", now=EXPIRED), Z.UNCLEAR),
}


@pytest.mark.parametrize("case", DELIVERY_WRITES.values(), ids=DELIVERY_WRITES)
def test_a_stale_token_settles_nothing(
    store: Store, case: tuple[Callable[[Store, Claim], Claim], Callable[[Store, Claim, str], object], Z]
) -> None:
    """The same for a delivery: a zombie's step, legal for all it knows, is not written (F4)."""
    prepare, write, state = case
    stale = prepare(store, planned(store))
    key = key_of(stale)
    store.claim_suspect("w2", EXPIRED)
    events = store.events(stale.nachricht.id)

    with pytest.raises(LeaseLost):
        write(store, stale, key)

    assert state is store.zustellungen(stale.nachricht.id)[0].state
    assert events == store.events(stale.nachricht.id)


def test_what_is_parked_after_a_failure_is_parked_as_it_stands(store: Store) -> None:
    """The one who parks after an exception may hold an old claim: states and Zustellungen are those of the last commit."""
    old = claimed(store)
    new = store.plan(old, route="r", pins={}, plan={}, targets=[TARGET], now=NOW)
    store.intend(new, key_of(new), OUTPUT, NOW)

    store.park(old, "bug.unexpected", NOW)

    [*_, last] = store.events(old.nachricht.id)
    assert ("nachricht.parked", N.PLANNED) == (last.event.name, last.event.fields["state"])
    assert (N.PARKED, "r") == (store.get(old.nachricht.id).state, store.get(old.nachricht.id).route)
    assert Z.INTENDED is store.zustellungen(old.nachricht.id)[0].state


def test_an_old_claim_moves_nothing_else(store: Store) -> None:
    """A holder that forgot what it committed itself is a defect, and changes nothing."""
    old = claimed(store)
    store.plan(old, route="r", pins={}, plan={}, targets=[TARGET], now=NOW)

    with pytest.raises(IllegalTransition):
        store.refuse(old, "intake.id.missing", [], {}, NOW)

    assert N.PLANNED is store.get(old.nachricht.id).state


@pytest.mark.parametrize("vorgang", ["", "v-1"])
def test_a_token_given_out_twice_is_held_by_one(store: Store, vorgang: str) -> None:
    """A claim is not flushed: when the server falls its token comes again, and the holder's name tells them apart."""
    store.take([replace(eingang("antrag-1"), vorgang=vorgang)])
    [old] = store.claim("w1", NOW)
    with store._db.write() as tx:
        lost = {"lease_owner": None, "lease_until": None, "lease_token": nachrichten.c.lease_token - 1}
        tx.execute(update(nachrichten).values(**lost))
    [new] = store.claim("w2", NOW)

    with pytest.raises(LeaseLost):
        store.plan(old, route="r", pins={}, plan={}, targets=[TARGET], vorgang=vorgang or None, now=NOW)

    assert old.token == new.token
    assert N.RECEIVED is store.get(new.nachricht.id).state


def test_a_duplicate_that_comes_in_under_a_claim_stands_in_the_chain(store: Store) -> None:
    """Doors add to the chain without a lease; its holder chains what it writes behind that, and loses nothing."""
    claim = planned(store)
    store.take([eingang("antrag-1")])

    intended = store.intend(claim, key_of(claim), OUTPUT, NOW)
    store.take([eingang("antrag-1")])
    store.settle(intended, key_of(claim), DELIVERED, now=NOW)

    names = [entry.event.name for entry in store.events(claim.nachricht.id)]
    assert ["intake.duplicate", "delivery.intended", "intake.duplicate", "delivery.delivered"] == names[2:6]
    assert [entry.event.seq for entry in store.events(claim.nachricht.id)] == list(range(1, len(names) + 1))


def test_an_ended_claim_writes_nothing_more(store: Store) -> None:
    """After wait, park, answered or release the old claim is of no use."""
    claim = claimed(store)
    store.release(claim, NOW)

    with pytest.raises(LeaseLost):
        store.park(claim, "suspect", NOW)

    claim = store.wait(store.claim_one(claim.nachricht.id, "w", NOW), Decision(N.RECEIVED, "route.missing", NOW), NOW)

    with pytest.raises(LeaseLost):
        store.park(claim, "suspect", NOW)


def test_an_intent_without_a_verdict_becomes_unclear(bench: Bench) -> None:
    """After a crash the next holder is told: it may have arrived. Never `not sent` (DESIGN 2.5)."""
    claim = planned(bench.open())
    bench.open().intend(claim, key_of(claim), OUTPUT, NOW)
    store = bench.open()
    [again] = store.claim_suspect("w2", EXPIRED)

    assert (Z.UNCLEAR, "delivery.unclear", 1) == (
        again.zustellungen[0].state,
        again.zustellungen[0].code,
        again.nachricht.unexplained,
    )
    assert ["claim.unexplained", "delivery.unclear"] == names(store, again)[-2:]
    assert "crash" == store.events(again.nachricht.id)[-1].event.fields["reason"]


def test_a_person_too_finds_it_unclear(store: Store) -> None:
    """The same transition happens when a person claims first."""
    claim = planned(store)
    store.intend(claim, key_of(claim), OUTPUT, NOW)
    claim = store.claim_one(claim.nachricht.id, "person", EXPIRED)

    assert Z.UNCLEAR is claim.zustellungen[0].state


def test_a_released_intent_is_unclear_too(store: Store) -> None:
    """Giving the lease back does not make an intent undone, and does not count as unexplained."""
    claim = planned(store)
    store.release(store.intend(claim, key_of(claim), OUTPUT, NOW), NOW)
    [again] = store.claim("w2", NOW)

    assert (Z.UNCLEAR, 0) == (again.zustellungen[0].state, again.nachricht.unexplained)


def test_ten_unexplained_ends_park(store: Store) -> None:
    """A Nachricht whose claims end again and again without a fact is parked `suspect`, not handed out once more."""
    nachricht_id = store.take([eingang()])[0].nachricht_id
    moment = NOW
    store.claim("w", moment)
    for _ in range(UNEXPLAINED_LIMIT - 1):
        moment += LEASE
        assert 1 == len(store.claim_suspect("w", moment))
    moment += LEASE

    assert [] == store.claim_suspect("w", moment)
    assert [] == store.claim("w", moment)
    record = store.get(nachricht_id)
    assert (N.PARKED, "suspect", UNEXPLAINED_LIMIT) == (record.state, record.code, record.unexplained)


def test_a_suspect_does_not_hide_the_next_one(store: Store) -> None:
    """The claim that parks a suspect goes on to the next suspect in the same call."""
    [suspect] = store.take([eingang("a", at=NOW - SECOND)])
    moment = NOW
    store.claim("w", moment)
    for _ in range(UNEXPLAINED_LIMIT - 1):
        moment += LEASE
        store.claim_suspect("w", moment)
    [other] = store.take([eingang("b", at=moment)])
    store.claim("w", moment)
    moment += LEASE

    assert [other.nachricht_id] == [claim.nachricht.id for claim in store.claim_suspect("w", moment)]
    assert N.PARKED is store.get(suspect.nachricht_id).state


def test_what_is_open_of_a_completed_one_is_parked(store: Store) -> None:
    """A completed Nachricht stays completed; its optional Zustellung that kills workers is parked instead."""
    claim = attempt(store, planned(store, TARGET, OPTIONAL), DELIVERED)
    claim = store.answered(claim, N.COMPLETED, {}, NOW)
    moment = NOW
    store.claim("w", moment)
    for _ in range(UNEXPLAINED_LIMIT):
        moment += LEASE
        store.claim_suspect("w", moment)
    optional = store.zustellungen(claim.nachricht.id)[1]

    assert (N.COMPLETED, Z.PARKED, "suspect") == (
        store.get(claim.nachricht.id).state,
        optional.state,
        optional.code,
    )


@pytest.mark.parametrize("fact", ["plan", "wait"])
def test_a_fact_clears_the_suspicion(store: Store, fact: str) -> None:
    """Only claims in a row that end without any fact count: random kills park no good Nachricht (G6)."""
    store.take([eingang()])
    store.claim("w", NOW)
    [claim] = store.claim_suspect("w", EXPIRED)

    assert 1 == claim.nachricht.unexplained

    if fact == "plan":
        claim = store.plan(claim, route="r", pins={}, plan={}, targets=[TARGET], now=EXPIRED)
    else:
        claim = store.wait(claim, Decision(N.RECEIVED, "target.unreachable", LATER), EXPIRED)

    assert 0 == claim.nachricht.unexplained


def test_an_intent_is_no_fact_that_clears(store: Store) -> None:
    """A connector that kills its process is found out although every round commits an intent and a look-up."""
    claim = planned(store)
    key, moment = key_of(claim), NOW
    for _ in range(UNEXPLAINED_LIMIT - 1):
        store.intend(claim, key, OUTPUT, moment)
        moment += LEASE
        [claim] = store.claim_suspect("w", moment)
        claim = store.settle(claim, key, Decision(Z.DUE, due_at=moment), now=moment)
    store.intend(claim, key, OUTPUT, moment)

    assert [] == store.claim_suspect("w", moment + LEASE)
    assert "suspect" == store.get(claim.nachricht.id).code


def test_leases_of_dead_owners_are_freed_at_start(bench: Bench) -> None:
    """Without waiting for the lease, without counting; the zombie is fenced; the living keep theirs."""
    store = bench.open()
    dead, alive = claimed(store, "a", owner="dead"), claimed(store, "b", owner="alive")
    freed = bench.open().release_dead(lambda owner: owner == "alive", NOW)
    [again] = store.claim("w", NOW, limit=9)

    assert (1, dead.nachricht.id, 0) == (freed, again.nachricht.id, again.nachricht.unexplained)
    with pytest.raises(LeaseLost):
        store.park(dead, "suspect", NOW)
    assert alive.token == store.extend(alive, NOW).token


def test_an_extended_lease_holds_longer(store: Store) -> None:
    """Long work keeps its Nachricht."""
    claim = store.extend(claimed(store), EXPIRED - SECOND)

    assert [] == store.claim_suspect("w2", EXPIRED)
    assert 1 == len(store.claim_suspect("w2", EXPIRED + LEASE))
    with pytest.raises(LeaseLost):
        store.extend(claim, EXPIRED + LEASE)


def test_a_holder_gives_back_what_it_may_hold(store: Store) -> None:
    """After a lost answer a worker frees all of its own at once; nobody else's, nothing counted, and fenced."""
    store.take([eingang("a-1"), eingang("a-2"), eingang("a-3")])
    mine = store.claim("w1", NOW, LEASE, limit=2)
    [theirs] = store.claim("w2", NOW, LEASE, limit=2)

    assert 2 == store.release_all_of("w1", NOW)
    assert 0 == store.release_all_of("w1", NOW)
    again = store.claim("w3", NOW, LEASE, limit=3)
    assert {one.nachricht.id for one in mine} == {one.nachricht.id for one in again}
    assert {0} == {one.nachricht.unexplained for one in again}
    with pytest.raises(LeaseLost):
        store.extend(mine[0], NOW, LEASE)
    store.extend(theirs, NOW, LEASE)
