"""Any engine: the order of a Vorgang (promise G5): who waits for whom, who is woken when, and what a person may say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from intermediary.core.codes import CATALOGUE
from intermediary.core.decide import Decision
from intermediary.keys.wrap import KekFiles, MandantKeys, create_kek
from intermediary.store import Claim, LeaseLost, NotPossible, PlannedTarget, Store
from intermediary.store.order import REMEMBERED
from intermediary.store.tables import nachrichten, vorgaenge
from tests.conformance.store_kit import (
    DELIVERED,
    LATER,
    MANDANTEN,
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
    eingang,
    key_of,
    names,
)

VORGANG = "2026/4711"
WHO = {"actor": "otto", "reason": "Frist"}


def take(store: Store, name: str, vorgang: str = VORGANG, mandant: str = MANDANTEN[0]) -> str:
    """The id of a freshly taken Nachricht of a Vorgang."""
    return store.take([eingang(name, vorgang=vorgang, mandant=mandant)])[0].nachricht_id


def judge(store: Store, claim: Claim, *targets: PlannedTarget, vorgang: str | None = "", route: str = "r") -> Claim:
    """Judged by a route that keeps the order (None: by one that does not)."""
    asked = {"route": route, "pins": {}, "plan": {}, "targets": targets or (TARGET,), "now": NOW}
    return store.plan(claim, **asked, vorgang=vorgang)


def planned(store: Store, name: str, *targets: PlannedTarget, vorgang: str = VORGANG) -> Claim:
    """Taken, claimed and judged by a route that keeps the order."""
    return judge(store, store.claim_one(take(store, name, vorgang), "w", NOW), *targets)


def tried(store: Store, claim: Claim, target: str = TARGET.name) -> Claim:
    """The intent to deliver was asked for, and the claim given back where it waits."""
    claim = store.intend(claim, key_of(claim, target), OUTPUT, NOW)
    if claim.zustellung(key_of(claim, target)).state is not Z.INTENDED:
        store.release(claim, NOW)
    return claim


def is_waiting(store: Store, claim: Claim, target: str = TARGET.name) -> bool:
    """Whether it waits for earlier ones at a target, without being due."""
    record = next(one for one in store.zustellungen(claim.nachricht.id) if one.target == target)
    return (record.state, record.code, record.due_at) == (Z.DUE, "order.waits", None)


def due(store: Store) -> list[str]:
    """Which Nachrichten a worker gets now."""
    found = store.claim("probe", NOW, limit=99)
    for claim in found:
        store.release(claim, NOW)
    return [claim.nachricht.id for claim in found]


def test_a_later_one_waits_for_an_earlier_one(store: Store) -> None:
    """It uses up no attempt, is not due, tells why, and no worker gets it again."""
    first, second = planned(store, "a-1"), planned(store, "a-2")
    second = tried(store, second)
    store.release(first, NOW)
    record = store.get(second.nachricht.id)

    assert is_waiting(store, second)
    assert (N.PLANNED, "order.waits", None) == (record.state, record.wait_reason, record.due_at)
    assert (0, None) == (store.zustellungen(record.id)[0].attempts, store.zustellungen(record.id)[0].intended_at)
    assert [first.nachricht.id] == due(store)
    assert "delivery.waits" == names(store, second)[-1]
    assert record.wait_reason in CATALOGUE
    assert [record.id] == [found.id for found in store.find(code="order.waits")]


def test_the_end_of_the_earlier_one_wakes_the_next_at_once(store: Store) -> None:
    """In the transaction of its verdict; only the next one, whose own end then wakes the one behind it."""
    claims = [planned(store, f"a-{number}") for number in range(3)]
    for claim in claims[1:]:
        tried(store, claim)
    attempt(store, claims[0], DELIVERED)

    assert not is_waiting(store, claims[1])
    assert is_waiting(store, claims[2])
    assert [claims[1].nachricht.id] == due(store)

    attempt(store, store.claim_one(claims[1].nachricht.id, "w", NOW), DELIVERED)

    assert not is_waiting(store, claims[2])


def test_numbers_are_given_at_intake_not_when_judged(store: Store) -> None:
    """The later one is judged first, and still waits: where the earlier one goes nobody knows before it is judged."""
    first = take(store, "a-1")
    second = tried(store, planned(store, "a-2"))

    assert is_waiting(store, second)

    judge(store, store.claim_one(first, "w", NOW), SECOND_TARGET)

    assert not is_waiting(store, second)


def test_a_batch_is_numbered_in_its_order(store: Store) -> None:
    """Also where Vorgaenge and Mandanten are mixed in one commit."""
    wanted = [("v-1", 0), ("v-2", 0), ("v-1", 0), ("v-1", 1), ("", 0), ("v-1", 0), ("v-2", 0)]
    batch = [eingang(f"a-{n}", vorgang=key, mandant=MANDANTEN[m]) for n, (key, m) in enumerate(wanted)]
    ids = [taken.nachricht_id for taken in store.take(batch)]
    records = [store.get(one) for one in ids]

    assert [1, 1, 2, 1, 0, 3, 2] == [record.vorgang_number for record in records]
    assert 4 == len({record.vorgang_hash for record in records})
    assert 4 == store.get(take(store, "later", "v-1")).vorgang_number


HELD_BACK_BY: dict[str, Callable[[Store, Claim], object]] = {
    "judged but not tried": lambda s, c: s.release(c, NOW),
    "parked": lambda s, c: s.park(c, "bug.unexpected", NOW),
    "waiting for its next try": lambda s, c: attempt(s, c, Decision(Z.DUE, "target.unreachable", LATER)),
    "unclear": lambda s, c: attempt(s, c, Decision(Z.UNCLEAR, "delivery.unclear", LATER)),
    "awaiting": lambda s, c: attempt(s, c, Decision(Z.AWAITING, due_at=LATER)),
    "delivery parked": lambda s, c: attempt(s, c, Decision(Z.PARKED, "delivery.unclear")),
    "under way": lambda s, c: s.intend(c, key_of(c), OUTPUT, NOW),
}


@pytest.mark.parametrize("stand", HELD_BACK_BY.values(), ids=HELD_BACK_BY)
def test_whatever_is_undecided_holds_back(store: Store, stand: Callable[[Store, Claim], object]) -> None:
    """An earlier one that is not decided at the target blocks later ones of its own Vorgang, and no other Vorgang."""
    first = planned(store, "a-1")
    stand(store, first)
    second, other = planned(store, "a-2"), planned(store, "b-1", vorgang="another")

    assert is_waiting(store, tried(store, second))
    assert Z.INTENDED is tried(store, other).zustellungen[0].state


RELEASED_BY: dict[str, Callable[[Store, Claim], object]] = {
    "delivered": lambda s, c: attempt(s, c, DELIVERED),
    "refused by the target": lambda s, c: attempt(s, c, REFUSED),
    "rejected by a person": lambda s, c: s.reject(c, **WHO, now=NOW),
    "discarded by a person": lambda s, c: s.discard(_parked(s, c), **WHO, now=NOW),
    "confirmed by a person": lambda s, c: s.confirm_delivered(_unclear(s, c), key_of(c), **WHO, proof="p", now=NOW),
    "let pass": lambda s, c: s.order.let_pass(c, **WHO, now=NOW),
    "parked and let pass": lambda s, c: s.order.let_pass(_parked(s, c), **WHO, now=NOW),
}


def _parked(store: Store, claim: Claim) -> Claim:
    return store.claim_one(store.park(claim, "bug.unexpected", NOW).nachricht.id, "person", NOW)


def _unclear(store: Store, claim: Claim) -> Claim:
    return attempt(store, claim, Decision(Z.PARKED, "delivery.unclear"))


@pytest.mark.parametrize("end", RELEASED_BY.values(), ids=RELEASED_BY)
def test_whatever_ends_it_wakes(store: Store, end: Callable[[Store, Claim], object]) -> None:
    """Each end of an earlier one makes the later one due in the same transaction, without a look of anybody."""
    first = planned(store, "a-1")
    second = tried(store, planned(store, "a-2"))
    end(store, first)

    assert not is_waiting(store, second)
    assert second.nachricht.id in due(store)
    second = store.claim_one(second.nachricht.id, "w", NOW)
    assert Z.INTENDED is tried(store, second).zustellungen[0].state


def test_a_refusal_before_any_route_wakes(store: Store) -> None:
    """What the sender has to change never comes to the target; the next one goes."""
    first = take(store, "a-1")
    second = tried(store, planned(store, "a-2"))
    store.refuse(store.claim_one(first, "w", NOW), "intake.id.missing", [], {}, NOW)

    assert not is_waiting(store, second)


def test_a_route_that_keeps_no_order_holds_back_nobody(store: Store) -> None:
    """Judged by such a route, a Nachricht neither waits nor blocks, although its Vorgang is known."""
    first = take(store, "a-1")
    second = tried(store, planned(store, "a-2"))
    judge(store, store.claim_one(first, "w", NOW), vorgang=None)
    third = judge(store, store.claim_one(take(store, "a-3"), "w", NOW), vorgang=None)

    assert not is_waiting(store, second)
    assert Z.INTENDED is tried(store, third).zustellungen[0].state


def test_each_target_has_its_own_order(store: Store) -> None:
    """What is decided at one target lets later ones go there, whatever becomes of the other."""
    both = (TARGET, SECOND_TARGET)
    first, second = planned(store, "a-1", *both), planned(store, "a-2", *both)
    for target in both:
        second = store.intend(second, key_of(second, target.name), OUTPUT, NOW)
    store.release(second, NOW)
    first = attempt(store, first, DELIVERED)
    attempt(store, first, Decision(Z.PARKED, "delivery.unclear"), SECOND_TARGET.name)

    assert not is_waiting(store, second)
    assert is_waiting(store, second, SECOND_TARGET.name)


def test_an_optional_target_keeps_the_order_too(store: Store) -> None:
    """The first is answered and completed; its optional Zustellung that is still open holds back the second there."""
    both = (TARGET, OPTIONAL)
    first = attempt(store, planned(store, "a-1", *both), DELIVERED)
    store.answered(first, N.COMPLETED, {}, NOW)
    second = planned(store, "a-2", *both)
    second = store.intend(second, key_of(second, OPTIONAL.name), OUTPUT, NOW)

    assert is_waiting(store, second, OPTIONAL.name)
    assert Z.INTENDED is store.intend(second, key_of(second), OUTPUT, NOW).zustellungen[0].state


def test_mandanten_have_vorgaenge_of_their_own(store: Store) -> None:
    """The same key at two Mandanten is two Vorgaenge."""
    planned(store, "a-1")
    other = judge(store, store.claim_one(take(store, "a-2", mandant=MANDANTEN[1]), "w", NOW))

    assert Z.INTENDED is tried(store, other).zustellungen[0].state


def test_keys_found_by_opening_count_from_the_plan(store: Store) -> None:
    """Where the door knew no key, the one judged first goes first; a key of the door goes before what opening finds."""
    late, early = (store.claim_one(take(store, name, ""), "w", NOW) for name in ("a-1", "a-2"))
    early = judge(store, early, vorgang=VORGANG)
    late = tried(store, judge(store, late, vorgang=f" {VORGANG} "))
    known = judge(store, store.claim_one(take(store, "a-3", "of the door"), "w", NOW), vorgang=VORGANG)

    assert (1, 2, 1) == tuple(one.nachricht.vorgang_number for one in (early, late, known))
    assert is_waiting(store, late)

    attempt(store, early, DELIVERED)

    assert not is_waiting(store, late)
    assert Z.INTENDED is tried(store, known).zustellungen[0].state


def test_a_key_of_the_door_and_one_found_by_opening_are_one_vorgang(store: Store) -> None:
    """Whoever names the Vorgang, it is the same."""
    planned(store, "a-1")
    second = judge(store, store.claim_one(take(store, "a-2", ""), "w", NOW), vorgang=VORGANG)

    assert 2 == second.nachricht.vorgang_number
    assert is_waiting(store, tried(store, second))


def test_blank_keys_are_none(store: Store) -> None:
    """Nothing waits for a Vorgang without a name."""
    first = planned(store, "a-1", vorgang="  ")
    second = judge(store, store.claim_one(take(store, "a-2", ""), "w", NOW), vorgang="  ")

    assert ("", "") == (first.nachricht.vorgang_hash, second.nachricht.vorgang_hash)
    assert Z.INTENDED is tried(store, second).zustellungen[0].state


def test_what_was_tried_once_waits_for_nobody(store: Store) -> None:
    """A second attempt of the one at the head asks nobody again, and a redelivery is out of order: a person wished it."""
    first = attempt(store, planned(store, "a-1"), DELIVERED)
    second = attempt(store, planned(store, "a-2"), Decision(Z.DUE, "target.unreachable", NOW))
    store.release(store.redeliver(first, TARGET.name, **WHO, now=NOW), NOW)

    assert Z.INTENDED is tried(store, second).zustellungen[0].state

    third = tried(store, planned(store, "a-3"))
    first = store.claim_one(first.nachricht.id, "w", NOW)

    assert Z.INTENDED is store.intend(first, key_of(first), OUTPUT, NOW).zustellung(key_of(first)).state
    assert is_waiting(store, third)


def test_its_time_begins_when_it_is_woken(store: Store) -> None:
    """The deadline of what waited in order counts from the moment it may go: it was not its own fault."""
    first, second = planned(store, "a-1"), tried(store, planned(store, "a-2"))
    later = NOW + timedelta(days=30)
    key = key_of(first)
    store.settle(store.intend(first, key, OUTPUT, NOW), key, DELIVERED, now=later)
    record = store.zustellungen(second.nachricht.id)[0]

    assert (later, later, "") == (record.due_at, record.since, record.code)


def test_ended_while_it_waits(store: Store) -> None:
    """A person rejects the one that waits: nothing of it is sent, it is no longer listed, and the one behind it waits on."""
    first, second, third = (planned(store, f"a-{number}") for number in range(3))
    second, third = tried(store, second), tried(store, third)
    store.reject(store.claim_one(second.nachricht.id, "person", NOW), **WHO, now=NOW)

    assert is_waiting(store, third)
    assert [third.nachricht.id] == [found.id for found in store.find(code="order.waits")]

    attempt(store, first, DELIVERED)

    assert not is_waiting(store, third)


def test_judged_anew_keeps_its_number(store: Store) -> None:
    """A number from intake stays; one of a key found by opening is given anew with the next plan."""
    first = judge(store, store.claim_one(take(store, "a-1"), "w", NOW), SECOND_TARGET)
    second = tried(store, planned(store, "a-2"))

    assert Z.INTENDED is second.zustellungen[0].state

    first = store.judge_anew(first, **WHO, now=NOW)
    third = tried(store, planned(store, "a-3"))
    again = judge(store, first)
    opened = judge(store, store.claim_one(take(store, "b-1", ""), "w", NOW), vorgang="b")
    opened = judge(store, store.judge_anew(opened, **WHO, now=NOW), vorgang="b")

    assert 1 == again.nachricht.vorgang_number
    assert is_waiting(store, third)
    assert 2 == opened.nachricht.vorgang_number


def test_what_was_let_pass_stays_in_line_itself(store: Store) -> None:
    """A parked one is passed by those behind it, in their order; when it goes on it waits for whoever came before it."""
    first, second, third, fourth = (planned(store, f"a-{number}") for number in range(4))
    second, third, fourth = (tried(store, one) for one in (second, third, fourth))
    person = store.claim_one(second.nachricht.id, "person", NOW)
    store.release(store.order.let_pass(person, **WHO, now=NOW), NOW)

    assert [True] * 3 == [is_waiting(store, one) for one in (second, third, fourth)]

    attempt(store, first, DELIVERED)

    assert [False, False, True] == [is_waiting(store, one) for one in (second, third, fourth)]
    assert "person.let-pass" in names(store, second)

    attempt(store, store.claim_one(third.nachricht.id, "w", NOW), DELIVERED)

    assert not is_waiting(store, fourth)


def test_letting_pass_needs_somebody_to_be_held_back(store: Store) -> None:
    """Twice, without a Vorgang, or after its end there is nothing to decide."""
    alone = judge(store, store.claim_one(take(store, "b-1", ""), "w", NOW))
    done = attempt(store, planned(store, "a-1"), DELIVERED)
    passed = store.order.let_pass(planned(store, "a-2"), **WHO, now=NOW)

    for claim in (alone, done, passed):
        with pytest.raises(NotPossible):
            store.order.let_pass(claim, **WHO, now=NOW)


def test_the_standing_names_who_is_waited_for(store: Store) -> None:
    """By target; and how many wait behind. What belongs to no Vorgang has none."""
    first, second = planned(store, "a-1"), tried(store, planned(store, "a-2"))
    tried(store, planned(store, "a-3"))
    standing, head = store.order.standing(second.nachricht.id), store.order.standing(first.nachricht.id)

    assert standing is not None
    assert head is not None
    assert (2, {TARGET.name: first.nachricht.id}, 1) == (standing.number, standing.waits_for, standing.behind)
    assert (1, {}, 2) == (head.number, head.waits_for, head.behind)
    assert store.order.standing(take(store, "b-1", "")) is None


def test_a_zombie_is_fenced_here_too(store: Store) -> None:
    """A holder whose lease was taken over neither waits nor wakes."""
    first = planned(store, "a-1")
    second = tried(store, planned(store, "a-2"))
    store.claim_suspect("w2", NOW + timedelta(hours=1))

    with pytest.raises(LeaseLost):
        store.order.let_pass(first, **WHO, now=NOW)
    assert is_waiting(store, second)


def test_what_a_program_without_order_left_is_woken(store: Store) -> None:
    """A worker of the version before ends the first and wakes nobody: the daemon's care does, and finds nothing twice."""
    first, second = planned(store, "a-1"), tried(store, planned(store, "a-2"))
    with store._db.write() as tx:
        gone = nachrichten.update().where(nachrichten.c.id == first.nachricht.id)
        tx.execute(gone.values(state="discarded", due_at=None))

    assert 1 == store.order.care(NOW)
    assert 0 == store.order.care(NOW)
    assert not is_waiting(store, second)


def test_care_wakes_nobody_who_has_to_wait(store: Store) -> None:
    """However long it lasts."""
    planned(store, "a-1")
    second = tried(store, planned(store, "a-2"))

    assert 0 == store.order.care(LATER + REMEMBERED)
    assert is_waiting(store, second)


def test_old_vorgaenge_are_forgotten(store: Store) -> None:
    """The keyed hash of a Vorgang goes after a while; while something of it is open it stays."""
    done = planned(store, "a-1", vorgang="done")
    attempt(store, done, DELIVERED)
    planned(store, "a-2", vorgang="open")
    store.order.care(NOW + REMEMBERED + SECOND)
    with store._db.read() as tx:
        left = [row.hash for row in tx.execute(vorgaenge.select())]

    assert done.nachricht.vorgang_hash not in left
    assert 1 == len(left)


def test_an_erased_one_is_in_no_vorgang(store: Store) -> None:
    """With the payload goes the keyed hash, and whoever waited for an optional delivery goes on."""
    both = (TARGET, OPTIONAL)
    first = attempt(store, planned(store, "a-1", *both), DELIVERED)
    first = attempt(store, first, Decision(Z.PARKED, "delivery.unclear"), OPTIONAL.name)
    store.answered(first, N.COMPLETED, {}, NOW)
    second = planned(store, "a-2", *both)
    second = store.intend(second, key_of(second, OPTIONAL.name), OUTPUT, NOW)
    store.release(second, NOW)
    store.erase(store.claim_one(first.nachricht.id, "person", NOW), **WHO, now=NOW)

    assert "" == store.get(first.nachricht.id).vorgang_hash
    assert not is_waiting(store, second, OPTIONAL.name)


def test_a_vorgang_outlives_the_change_of_a_kek(bench: Bench) -> None:
    """What was taken under the KEK before holds back what comes under the new one."""
    first = planned(bench.open(), "a-1")
    folder = bench.data.parent
    files = {}
    for mandant in MANDANTEN:
        create_kek(folder / f"{mandant}-2.kek")
        files[mandant] = KekFiles(folder / f"{mandant}-2.kek", (folder / f"{mandant}.kek",))
    bench.keys = MandantKeys(files)
    store = bench.open()
    second = planned(store, "a-2")

    assert (first.nachricht.vorgang_hash, 2) == (second.nachricht.vorgang_hash, second.nachricht.vorgang_number)
    assert is_waiting(store, tried(store, second))


def test_nobody_is_missed_by_those_who_end_and_those_who_begin_to_wait(bench: Bench) -> None:
    """Ends and first looks of one Vorgang at the same moment, on two stores: nobody waits for what is over (write skew)."""
    stores = [bench.open(), bench.open()]
    for turn in range(12):
        first, second = (planned(stores[0], f"a-{turn}-{n}", vorgang=f"v-{turn}") for n in range(2))
        gate = threading.Barrier(2)

        def end(claim: Claim = first, gate: threading.Barrier = gate) -> None:
            key = key_of(claim)
            claim = stores[0].intend(claim, key, OUTPUT, NOW)
            gate.wait(10)
            stores[0].settle(claim, key, DELIVERED, now=NOW)

        def begin(claim: Claim = second, gate: threading.Barrier = gate) -> None:
            gate.wait(10)
            tried(stores[1], claim)

        threads = [threading.Thread(target=end), threading.Thread(target=begin)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert not is_waiting(stores[0], second)


def test_intakes_at_once_are_numbered_without_a_gap(bench: Bench) -> None:
    """Four doors take of one Vorgang at the same time, each in its own order."""
    stores = [bench.open(), bench.open()]
    gate = threading.Barrier(4)
    ids: dict[int, list[str]] = {}

    def door(number: int) -> None:
        gate.wait(10)
        ids[number] = [take(stores[number % 2], f"a-{number}-{turn}") for turn in range(8)]

    threads = [threading.Thread(target=door, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    numbers = [[stores[0].get(one).vorgang_number for one in ids[number]] for number in range(4)]

    assert list(range(1, 33)) == sorted(one for of_door in numbers for one in of_door)
    assert all(of_door == sorted(of_door) for of_door in numbers)
