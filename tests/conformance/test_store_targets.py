"""Any engine: what all hosts know of a target, who may call it, and how what waited for it returns."""

from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import event

from intermediary.core.breaker import RestRules, Sign, TargetState
from intermediary.core.decide import Decision
from intermediary.core.targets import TargetRef
from intermediary.core.turns import Limits
from intermediary.store import Claim, Store
from intermediary.store.targets import Hold, Pass
from tests.conformance.store_kit import (
    DELIVERED,
    LATER,
    LEASE,
    NOW,
    SECOND,
    SECOND_TARGET,
    TARGET,
    Bench,
    Z,
    attempt,
    key_of,
    names,
    planned,
)

ID = "musterstadt/bauantrag/fachverfahren"
RULES = RestRules(after_failures=3, first_rest=30 * SECOND, longest_rest=300 * SECOND)
REF = TargetRef(ID, frozenset({ID}), rules=RULES)
FAR = NOW + timedelta(hours=5)
AFTER_REST = NOW + 31 * SECOND


def claim_of(store: Store, number: int = 0) -> Claim:
    """A claimed Nachricht whose Zustellung is due."""
    return planned(store, message_id=f"antrag-{number}")


def fail(store: Store, claim: Claim, times: int = 1, asked: timedelta | None = None) -> None:
    """So many failed attempts, one after the other."""
    for _ in range(times):
        leave = store.targets.admit(REF, claim, key_of(claim), now=NOW)
        assert isinstance(leave, Pass)
        store.targets.report(leave, Sign.ILL, code="target.unreachable", asked=asked, now=NOW)


def held(store: Store, number: int, code: str = "target.resting") -> Claim:
    """A Nachricht that waits for the target, and nobody has in hand."""
    claim = claim_of(store, number)
    decision = Decision(Z.DUE, code, FAR, counts=False, waits_for=ID)
    claim = store.settle(claim, key_of(claim), decision, now=NOW)
    store.release(claim, NOW)
    return claim


def state_of(store: Store) -> TargetState:
    """How the target stands durably."""
    return store.targets.standing().records[ID].health.state


def told(store: Store, name: str) -> list[dict[str, object]]:
    """The fields of such events of the installation."""
    return [dict(one.event.fields) for one in store.events_of_installation() if one.event.name == name]


def test_failures_of_all_processes_count_together(bench: Bench) -> None:
    """Three failures in three processes make one rest, told once in the audit trail, known to a fourth at once."""
    stores = [bench.open() for _ in range(4)]
    claim = claim_of(stores[0])
    for store in stores[:3]:
        fail(store, claim)

    assert Hold("target.resting") == stores[3].targets.admit(REF, claim, key_of(claim), now=NOW)
    assert [{"target": ID, "code": "target.unreachable", "failures": 3}] == [
        {name: one[name] for name in ("target", "code", "failures")} for one in told(stores[3], "target.rested")
    ]


def test_failures_at_the_same_time_are_each_counted_once(bench: Bench) -> None:
    """Eight threads on two stores fail forty times: forty are counted, and one rest began."""
    stores = [bench.open(), bench.open()]
    claim = claim_of(stores[0])
    passes = [store.targets.admit(REF, claim, key_of(claim), now=NOW) for store in stores for _ in range(4)]
    barrier = threading.Barrier(8)

    def run(store: Store, leave: Pass | Hold) -> None:
        assert isinstance(leave, Pass)
        barrier.wait(10)
        for _ in range(5):
            store.targets.report(leave, Sign.ILL, code="target.unreachable", now=NOW)

    threads = [threading.Thread(target=run, args=(stores[n // 4], passes[n])) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert 40 == stores[0].targets.standing().records[ID].health.failures
    assert 1 == len(told(stores[0], "target.rested"))


def test_one_over_all_hosts_tries(bench: Bench) -> None:
    """Of eight that come when the rest is over, in two processes, exactly one passes; its success lets everybody pass."""
    stores = [bench.open(), bench.open()]
    claims = [claim_of(stores[0], number) for number in range(8)]
    fail(stores[0], claims[0], 3)
    barrier, answers = threading.Barrier(8), {}

    def come(number: int) -> None:
        barrier.wait(10)
        claim = claims[number]
        answers[number] = stores[number % 2].targets.admit(REF, claim, key_of(claim), now=AFTER_REST)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    [leave] = [one for one in answers.values() if isinstance(one, Pass)]
    stores[0].targets.report(leave, Sign.WELL, now=AFTER_REST)

    assert leave.is_probe
    assert TargetState.WORKS is state_of(stores[1])
    assert [{"target": ID, "rested": 31}] == told(stores[0], "target.recovered")
    for store in stores:
        assert isinstance(store.targets.admit(REF, claims[1], key_of(claims[1]), now=AFTER_REST + SECOND), Pass)


def test_a_probe_whose_claim_is_lost_gives_way(store: Store) -> None:
    """While its lease lasts nobody else tries; afterwards the next one may, and the late verdict of the first is nothing."""
    first, second = claim_of(store, 1), claim_of(store, 2)
    fail(store, first, 3)
    leave = store.targets.admit(REF, first, key_of(first), now=AFTER_REST)
    during = store.targets.admit(REF, second, key_of(second), now=AFTER_REST + SECOND)
    store.extend(second, LATER)
    after = store.targets.admit(REF, second, key_of(second), now=NOW + LEASE + SECOND)
    assert isinstance(leave, Pass)
    store.targets.report(leave, Sign.WELL, now=NOW + LEASE + SECOND)

    assert (Hold("target.resting"), True) == (during, isinstance(after, Pass))
    assert TargetState.PROBING is state_of(store)


def test_the_one_that_tries_may_look_first(store: Store) -> None:
    """A look and the attempt that follows under the same claim are one probe."""
    claim = claim_of(store)
    fail(store, claim, 3)
    look = store.targets.admit(REF, claim, key_of(claim), now=AFTER_REST, is_look=True)
    send = store.targets.admit(REF, claim, key_of(claim), now=AFTER_REST + 2 * SECOND)

    assert isinstance(look, Pass)
    assert isinstance(send, Pass)
    assert (True, True) == (look.is_probe, send.is_probe)


def test_health_survives_a_restart(bench: Bench) -> None:
    """A process that starts finds the target resting."""
    store = bench.open()
    claim = claim_of(store)
    fail(store, claim, 1, asked=timedelta(hours=2))
    store.close()

    assert Hold("target.resting") == bench.open().targets.admit(REF, claim, key_of(claim), now=NOW + 7000 * SECOND)


def test_health_costs_no_statement(bench: Bench) -> None:
    """A hundred attempts at a target that works write nothing, and read once a second at most."""
    store = bench.open()
    claim = claim_of(store)
    statements: list[str] = []
    event.listen(store._db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    for number in range(100):
        leave = store.targets.admit(REF, claim, key_of(claim), now=NOW + SECOND * number / 200)
        assert isinstance(leave, Pass)
        store.targets.report(leave, Sign.WELL, now=NOW + SECOND * number / 200)

    assert 2 == sum(one.startswith("SELECT") for one in statements)
    assert {"SELECT", "BEGIN"} >= {one.split()[0] for one in statements}


def test_what_waits_for_a_rest_is_left_alone(store: Store) -> None:
    """Held back it is no attempt, is told once, and nobody claims it until its target is free."""
    claim = held(store, 1)
    fail(store, claim_of(store, 2), 3)
    tended = [store.targets.tend([REF], NOW + second * SECOND) for second in range(30)]
    store.settle(
        store.claim_one(claim.nachricht.id, "person", NOW),
        key_of(claim),
        Decision(Z.DUE, "target.resting", FAR, counts=False, waits_for=ID),
        now=NOW,
    )

    assert [0] * 30 == tended
    assert [] == store.claim("w", NOW + 29 * SECOND)
    assert 0 == store.zustellungen(claim.nachricht.id)[0].attempts
    assert 1 == names(store, claim).count("delivery.waits")
    assert {ID: 1} == store.targets.standing().waiting


def test_the_return_after_a_rest(store: Store) -> None:
    """One is woken to try; if it does not come another is; after its success they return one a second, the oldest first."""
    claims = [held(store, number) for number in range(6)]
    lazy = claim_of(store, 99)
    fail(store, lazy, 3)
    store.release(lazy, NOW)
    [first, again, second] = [store.targets.tend([REF], AFTER_REST + n * SECOND) for n in (0, 2, 6)]
    woken = [claim.nachricht.id for claim in store.claim("w", AFTER_REST + 6 * SECOND, limit=9)]

    assert (1, 0, 1) == (first, again, second)
    assert {claims[0].nachricht.id, claims[1].nachricht.id, lazy.nachricht.id} == set(woken)

    claim = store.claim_one(claims[2].nachricht.id, "p", AFTER_REST)
    leave = store.targets.admit(REF, claim, key_of(claim), now=AFTER_REST + 7 * SECOND)
    assert isinstance(leave, Pass)
    store.targets.report(leave, Sign.WELL, now=AFTER_REST + 7 * SECOND)
    store.release(claim, AFTER_REST + 7 * SECOND)
    counts = [store.targets.tend([REF], AFTER_REST + (8 + n) * SECOND) for n in range(4)]

    assert [1, 1, 1, 1] == counts
    assert 0 == store.targets.tend([REF], AFTER_REST + 12 * SECOND)


def test_what_is_in_somebodys_hands_is_woken_afterwards(store: Store) -> None:
    """Its target is free again while another one is being sent to: what waits for it does not wait for hours."""
    probe = claim_of(store)
    fail(store, probe, 3)
    claim = planned(store, TARGET, SECOND_TARGET, message_id="zwei")
    waits = Decision(Z.DUE, "target.resting", FAR, counts=False, waits_for=ID)
    claim = store.settle(claim, key_of(claim, TARGET.name), waits, now=NOW)
    leave = store.targets.admit(REF, probe, key_of(probe), now=AFTER_REST)
    assert isinstance(leave, Pass)
    store.targets.report(leave, Sign.WELL, now=AFTER_REST)

    before = store.targets.tend([REF], AFTER_REST + SECOND)
    claim = attempt(store, claim, DELIVERED, SECOND_TARGET.name, now=AFTER_REST + SECOND)
    store.release(claim, AFTER_REST + SECOND)
    after = store.targets.tend([REF], AFTER_REST + 2 * SECOND)

    assert (0, 1) == (before, after)
    assert [claim.nachricht.id] == [one.nachricht.id for one in store.claim("w2", AFTER_REST + 2 * SECOND)]


def test_one_in_somebodys_hands_does_not_keep_the_others_from_trying(store: Store) -> None:
    """The oldest that waits is in long hands when the rest is over: the next one is woken to try the target."""
    fail(store, claim_of(store), 3)
    oldest = held(store, 1)
    next_one = held(store, 2)
    store.claim_one(oldest.nachricht.id, "person", AFTER_REST)

    assert 1 == store.targets.tend([REF], AFTER_REST)
    assert [next_one.nachricht.id] == [one.nachricht.id for one in store.claim("w2", AFTER_REST, limit=5)]


def test_each_that_waits_tries_in_its_turn(store: Store) -> None:
    """Two that fail for themselves, whose attempts do not count, are not asked for all the others again and again."""
    waiting = [held(store, number) for number in range(4)]
    first = claim_of(store, 99)
    fail(store, first, 3)
    store.release(first, NOW)
    tried, now = [], AFTER_REST
    for _ in range(6):
        store.targets.tend([REF], now)
        (claim,) = [one for one in store.claim("w", now, limit=9) if one.nachricht.id != first.nachricht.id]
        leave = store.targets.admit(REF, claim, key_of(claim), now=now)
        assert isinstance(leave, Pass)
        tried.append(claim.nachricht.id)
        again = Decision(Z.DUE, "target.resting", FAR, counts=False, waits_for=ID)
        store.release(store.settle(claim, key_of(claim), again, now=now), now)
        store.targets.report(leave, Sign.ILL, code="target.http", now=now)
        now += 301 * SECOND

    assert [one.nachricht.id for one in (*waiting, *waiting[:2])] == tried


def test_two_daemons_let_go_no_more_than_one(bench: Bench) -> None:
    """Both tend the same targets: together they keep the rate."""
    stores = [bench.open(), bench.open()]
    for number in range(10):
        held(stores[0], number)
    stores[0].targets.pause(ID, actor="chef", reason="Umzug", until=None, now=NOW)
    stores[0].targets.admit(REF, claim_of(stores[0], 50), "other", now=NOW)
    stores[0].targets.resume(ID, actor="chef", reason="fertig", now=NOW)
    counts = [stores[n % 2].targets.tend([REF], NOW + n * SECOND / 2) for n in range(8)]

    assert 4 <= sum(counts) <= 5


def test_a_pause_holds_back_what_is_sent(bench: Bench) -> None:
    """It is known to other processes, concerns no look, is in the audit trail with who and why, and ends by a word."""
    here, there = bench.open(), bench.open()
    claim = claim_of(here)
    here.targets.pause("musterstadt", actor="chef", reason="Umzug", until=None, now=NOW)
    sending = there.targets.admit(REF, claim, key_of(claim), now=NOW)
    looking = there.targets.admit(REF, claim, key_of(claim), now=NOW, is_look=True)

    assert Hold("target.paused") == sending
    assert isinstance(looking, Pass)
    assert [{"target": "musterstadt", "reason": "Umzug", "until": ""}] == told(here, "target.paused")
    assert here.targets.resume("musterstadt", actor="chef", reason="fertig", now=NOW)
    assert not here.targets.resume("musterstadt", actor="chef", reason="fertig", now=NOW)
    assert isinstance(there.targets.admit(REF, claim, key_of(claim), now=NOW + 2 * SECOND), Pass)


def test_a_pause_concerns_what_it_names(store: Store) -> None:
    """A target by any of its names, a route, a Mandant; nothing whose name only begins alike."""
    claim = claim_of(store)
    other = "musterstadt/aenderung/eakte"
    ref = TargetRef(ID, frozenset({ID, other}))
    for scope, paused in (
        (other, True),
        (ID, True),
        ("musterstadt/aenderung", True),
        ("musterstadt", True),
        ("muster", False),
        ("musterstadt/aenderung/eak", False),
        ("beispielhausen", False),
    ):
        store.targets.pause(scope, actor="chef", reason="Umzug", until=None, now=NOW)

        assert paused is isinstance(store.targets.admit(ref, claim, key_of(claim), now=NOW), Hold)
        store.targets.resume(scope, actor="chef", reason="fertig", now=NOW)


def test_a_pause_with_an_end_ends_by_itself(store: Store) -> None:
    """At its end it is taken away with an event of its own, and what waited goes on."""
    claim = held(store, 1, "target.paused")
    store.targets.pause(ID, actor="chef", reason="Wartung", until=NOW + 60 * SECOND, now=NOW)
    store.targets.admit(REF, claim, key_of(claim), now=NOW)

    assert (0, 1) == (store.targets.tend([REF], NOW + 59 * SECOND), store.targets.tend([REF], NOW + 60 * SECOND))
    assert [{"target": ID, "reason": ""}] == told(store, "target.resumed")
    assert () == store.targets.standing().pauses


def test_no_more_in_a_minute_than_allowed(bench: Bench) -> None:
    """Over two processes, in any minute; who must wait is told a moment of its own."""
    stores = [bench.open(), bench.open()]
    claim = claim_of(stores[0])
    ref = TargetRef(ID, frozenset({ID}), Limits(max_per_minute=6))
    answers = [
        stores[n % 2].targets.admit(ref, claim, f"key-{n}", now=NOW + n * SECOND, has_waited=True) for n in range(60)
    ]
    passed = [one for one in answers if isinstance(one, Pass)]
    moments = [one.until for one in answers if isinstance(one, Hold)]

    assert 5 <= len(passed) <= 6
    assert all(isinstance(moment, type(NOW)) for moment in moments)


def test_no_more_at_the_same_time_than_allowed(bench: Bench) -> None:
    """Over two processes; a delivery that ends makes room, and so does one whose claim is lost."""
    stores = [bench.open(), bench.open()]
    claims = [claim_of(stores[0], number) for number in range(4)]
    ref = TargetRef(ID, frozenset({ID}), Limits(max_parallel=2))

    def come(number: int, later: timedelta = timedelta(0)) -> Pass | Hold:
        store, claim = stores[number % 2], claims[number]
        return store.targets.admit(ref, claim, key_of(claim), now=NOW + later, has_waited=True)

    first, second, third = come(0), come(1), come(2)
    assert isinstance(first, Pass)
    stores[0].targets.report(first, Sign.WELL, now=NOW + SECOND)

    assert (True, True) == (isinstance(second, Pass), isinstance(third, Hold))
    assert isinstance(come(2, SECOND), Pass)
    assert isinstance(come(3, SECOND), Hold)
    stores[0].release(claims[1], NOW + SECOND)
    assert isinstance(come(3, SECOND), Pass)


def test_what_a_target_took_before(store: Store) -> None:
    """When it begins to rest, its normal rate is what arrived there in the ten minutes before."""
    for number in range(40):
        claim = planned(store, message_id=f"antrag-{number}", now=NOW - timedelta(minutes=number / 4))
        attempt(store, claim, DELIVERED)
    fail(store, claim_of(store, 99), 3)

    assert 4 == store.targets.standing().records[ID].normal_per_minute
