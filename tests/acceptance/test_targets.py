"""Outage and recovery of a target over two hosts, on both engines: few calls, no attempt used up, no storm (G9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest

from intermediary.core.breaker import TargetState
from intermediary.core.faults import Misconfigured, Rejected, Transient, Unclear
from intermediary.core.ports import Idempotency
from intermediary.core.turns import Limits
from intermediary.core.values import MemoryContent, Zustellauftrag
from intermediary.operations.act import Replay
from intermediary.operations.person import Request
from intermediary.operations.selection import Selection
from intermediary.store import Store
from tests.acceptance.target_hall import SECOND, TARGET, Hall, Killed, away, outage
from tests.conformance.store_kit import ENGINES, N, Z, bench_in


@pytest.fixture(params=ENGINES)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Store]]:
    """Two hosts on one database, on each engine in turn."""
    url = request.getfixturevalue("postgres").database() if request.param == "postgresql" else ""
    bench = bench_in(tmp_path, url)
    yield [bench.open(), bench.open()]
    bench.close()


def health(hall: Hall) -> TargetState:
    """How the target stands durably."""
    return hall.stores[0].targets.standing().records[TARGET].health.state


def test_many_wait_for_a_target(stores: list[Store]) -> None:
    """A dozen calls in ten minutes without it, no attempt or claim for nothing; afterwards twice as much at most."""
    figures = outage(Hall(stores), 200)

    assert figures.calls == figures.attempts <= 12
    assert figures.claims <= 200 + 30
    assert 185 <= figures.waiting <= 200
    assert figures.arrived == 320
    assert figures.busiest_minute <= 2 * 120
    assert {N.COMPLETED} == {one.state for one in stores[0].find()}


def test_a_target_learns_the_business_keys(stores: list[Store]) -> None:
    """A connector that files by Aktenzeichen finds it in the Zustellauftrag, and in no repr of it."""
    hall, seen = Hall(stores[:1]), list[Zustellauftrag]()
    hall.ausgabe = replace(hall.ausgabe, business_keys={"aktenzeichen": "BV-2026-17"})
    hall.target.mood = seen.append
    hall.take(1)
    hall.work()

    assert [{"aktenzeichen": "BV-2026-17"}] == [dict(auftrag.business_keys) for auftrag in seen]
    assert "BV-2026-17" not in repr(seen)


def test_a_target_may_take_the_bare_message(stores: list[Store]) -> None:
    """A Zustellauftrag carries the target XML beside its package, and says what it is."""
    hall, seen = Hall(stores[:1]), list[Zustellauftrag]()
    hall.target.mood = seen.append
    hall.take(1)
    hall.work()

    assert [("xdomea 3.1.0", "0401")] == [(one.standard, one.message) for one in seen]
    assert [b"<a/>"] == [one.nachricht.open().read() for one in seen if one.nachricht is not None]


def test_new_ones_go_on_while_the_old_return(stores: list[Store]) -> None:
    """What comes in after the recovery is not held up, and with the returning is at most twice the normal rate."""
    hall = Hall(stores)
    hall.pass_seconds(60, each=2)
    hall.target.mood = away
    hall.pass_seconds(40, each=2)
    hall.target.mood = lambda _: None
    hall.pass_seconds(60)
    begin = hall.clock.now
    hall.pass_seconds(60, each=2)
    meanwhile = sum(at >= begin for at in hall.target.effects.values())
    hall.pass_seconds(60)

    assert TargetState.WORKS is health(hall)
    assert meanwhile >= 120
    assert hall.target.busiest_minute(begin - 60 * SECOND) <= 2 * 120
    assert 120 + 80 + 120 == len(hall.target.effects)


def test_a_probe_that_dies_is_replaced(stores: list[Store]) -> None:
    """Killed in the middle of the probe: nobody else tries while its lease lasts, then another does; nothing is doubled."""
    hall = Hall(stores)
    hall.target.mood = away
    hall.take(20)
    hall.pass_seconds(5)

    def die(auftrag: Zustellauftrag) -> None:
        hall.target.effects[auftrag.key] = hall.clock.now
        raise Killed

    hall.target.mood = die
    begin = hall.clock.now
    hall.pass_seconds(60)
    at_once = hall.target.calls_between(begin, hall.clock.now)
    hall.target.mood = lambda _: None
    still = health(hall)
    hall.pass_seconds(61)
    between = hall.target.calls_between(begin, hall.clock.now)
    hall.pass_seconds(120)

    assert (1, TargetState.PROBING) == (at_once, still)
    assert between <= 2
    assert TargetState.WORKS is health(hall)
    hall.pass_seconds(30)

    assert 1 == len(stores[0].claim_suspect("s", hall.clock.now))
    assert 20 == len(hall.target.effects)


def test_one_answer_stops_everybody(stores: list[Store]) -> None:
    """Retry-After of one delivery is a rest of the target: the other forty wait for it, and use up no attempt."""
    hall = Hall(stores)

    def full(_auftrag: Zustellauftrag) -> None:
        raise Transient("target.full", retry_after=timedelta(minutes=10))

    hall.target.mood = full
    hall.take(40)
    hall.pass_seconds(5)
    hall.target.mood = lambda _: None
    hall.pass_seconds(118, step=5)
    before = len(hall.target.calls)
    hall.pass_seconds(200)

    assert 1 == before
    assert 40 == len(hall.target.effects)


def test_refusals_and_wrong_output_open_nothing(stores: list[Store]) -> None:
    """A hundred refusals are a hundred verdicts, an output nobody can use is no fault of the target: it does not rest."""
    hall = Hall(stores)

    def refuse(_auftrag: Zustellauftrag) -> None:
        raise Rejected("target.refused")

    def differ(_auftrag: Zustellauftrag) -> None:
        raise Misconfigured("mapping.output.invalid", where="package.file_name")

    hall.target.mood = refuse
    hall.take(60)
    hall.pass_seconds(3)
    hall.target.mood = differ
    hall.take(40)
    hall.pass_seconds(3)

    assert 100 == len(hall.target.calls)
    assert {} == dict(stores[0].targets.standing().records)
    assert {"target.refused": 60, "mapping.output.invalid": 40} == _codes(stores[0])


def differ(_auftrag: Zustellauftrag) -> None:
    """The folder of the target is gone."""
    raise Misconfigured("target.misconfigured", where="drop")


def test_a_wrong_setting_makes_it_rest(stores: list[Store]) -> None:
    """The folder is gone for half an hour: one asks now and then, the others wait; all go on when it is back."""
    hall = Hall(stores)
    hall.target.mood = differ
    hall.take(200)
    hall.pass_seconds(360, step=5)
    standing = stores[0].targets.standing()
    calls, claims = len(hall.target.calls), len(hall.claims)
    hall.target.mood = lambda _: None
    hall.pass_seconds(300, step=5)

    assert TargetState.RESTS is standing.records[TARGET].health.state
    assert "target.misconfigured" == standing.records[TARGET].health.code
    assert standing.waiting[TARGET] >= 198
    assert calls <= 5 + 10
    assert claims <= 200 + 30
    assert TargetState.WORKS is health(hall)
    assert 200 == len(hall.target.effects)


def test_a_new_configuration_is_tried_at_once(stores: list[Store]) -> None:
    """The operator has changed a file: the resting target is tried now, not when its rest is over."""
    hall = Hall(stores)
    hall.target.mood = differ
    hall.take(20)
    hall.pass_seconds(200, step=5)
    hall.target.mood = lambda _: None
    before = len(hall.target.calls)
    stores[1].wake_misconfigured(hall.clock.now)
    hall.pass_seconds(3)

    assert before < len(hall.target.calls)
    assert TargetState.WORKS is health(hall)


def test_uncertain_ones_are_looked_up_when_it_is_back(stores: list[Store]) -> None:
    """Attempts without an answer make it rest as well; afterwards each is looked up, and no effect is doubled."""
    hall = Hall(stores)
    hall.target.idempotency = Idempotency.LOOKUP

    def hang(auftrag: Zustellauftrag) -> None:
        hall.target.effects[auftrag.key] = hall.clock.now
        raise Unclear("delivery.unclear")

    hall.target.mood = hang
    hall.take(50)
    hall.pass_seconds(20)
    calls = len(hall.target.calls)
    resting = health(hall)
    hall.target.mood = lambda _: None
    hall.pass_seconds(300)

    assert (True, TargetState.RESTS) == (calls <= 10, resting)
    assert 50 == len(hall.target.calls) == len(hall.target.effects)
    assert {N.COMPLETED} == {one.state for one in stores[0].find()}


def test_held_back_it_gets_no_other_bytes(stores: list[Store]) -> None:
    """An uncertain one that waited for a native target is not sent in another form under its key (G3)."""
    hall = Hall(stores)

    def hang(_auftrag: Zustellauftrag) -> None:
        raise Unclear("delivery.unclear")

    hall.target.mood = hang
    [own] = hall.take(1)
    hall.work()
    stores[1].targets.pause(TARGET, actor="chef", reason="Umzug", until=None, now=hall.clock.now)
    hall.clock.now += 30 * SECOND
    hall.pass_seconds(5)
    waits = stores[0].zustellungen(own)[0]
    other = MemoryContent(b"<b/>")
    hall.ausgabe = replace(hall.ausgabe, package=replace(hall.ausgabe.package, content=other))
    stores[1].targets.resume(TARGET, actor="chef", reason="fertig", now=hall.clock.now)
    hall.pass_seconds(10)
    after = stores[0].zustellungen(own)[0]

    assert (Z.UNCLEAR, "target.paused", TARGET) == (waits.state, waits.code, waits.waits_for)
    assert (Z.PARKED, "output.changed", 1) == (after.state, after.code, len(hall.target.calls))
    assert 2 == len(hall.claims) - hall.claims.index(own) - 1


def test_the_deadline_holds_while_it_rests(stores: list[Store]) -> None:
    """A target gone for days: at its deadline each is parked with a code that says so, and a person can prolong it."""
    hall = Hall(stores, deadline=timedelta(hours=2))
    hall.target.mood = away
    hall.take(12)
    hall.pass_seconds(30)
    hall.clock.now += timedelta(hours=2)
    hall.pass_seconds(3)
    codes = _codes(stores[0])
    parked = next(one for one in stores[0].find() if one.wait_reason == "delivery.deadline.resting")
    claim = stores[0].claim_one(parked.id, "person", hall.clock.now)
    key = claim.zustellungen[0].key
    stores[0].release(
        stores[0].send_again(claim, key, actor="chef", reason="läuft wieder", now=hall.clock.now), hall.clock.now
    )
    hall.target.mood = lambda _: None
    hall.pass_seconds(181, step=5)

    assert {"delivery.deadline", "delivery.deadline.resting"} >= set(codes)
    assert 12 == sum(codes.values())
    assert codes["delivery.deadline.resting"] >= 6
    assert Z.DELIVERED is stores[0].zustellungen(parked.id)[0].state


def test_a_pause_over_hosts(stores: list[Store]) -> None:
    """What is paused is left alone by all; released it returns bit by bit, and the deadline goes on meanwhile."""
    hall = Hall(stores, deadline=timedelta(hours=3))
    stores[0].targets.pause("musterstadt", actor="chef", reason="Umzug", until=None, now=hall.clock.now)
    hall.take(30)
    hall.pass_seconds(30)
    claims, calls = len(hall.claims), len(hall.target.calls)
    stores[1].targets.resume("musterstadt", actor="chef", reason="fertig", now=hall.clock.now)
    hall.pass_seconds(10)
    first = len(hall.target.calls)
    hall.pass_seconds(30)

    assert (30, 0) == (claims, calls)
    assert 5 <= first <= 29
    assert 30 == len(hall.target.effects)


@pytest.mark.parametrize("most", [30, 120])
def test_a_limit_over_hosts(stores: list[Store], most: int) -> None:
    """Whatever waits, no minute has more than the limit, and the limit is used."""
    hall = Hall(stores, Limits(max_per_minute=most))
    hall.take(100)
    hall.pass_seconds(60)
    first = len(hall.target.effects)
    hall.pass_seconds(200)

    assert most * 0.7 <= first <= most
    assert hall.target.busiest_minute(hall.clock.now - timedelta(hours=1)) <= most
    assert 100 == len(hall.target.effects)
    assert len(hall.claims) <= 100 * 3


def _codes(store: Store) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in store.find():
        for record in store.zustellungen(one.id):
            found[record.code] = found.get(record.code, 0) + 1
    return found


def test_doubt_keeps_its_meaning(stores: list[Store]) -> None:
    """Whatever code a connector calls its doubt by: where nothing is recognised, replay does not send it again (G4)."""
    hall = Hall(stores)
    hall.target.idempotency = Idempotency.NONE

    def vanish(auftrag: Zustellauftrag) -> None:
        hall.target.effects[auftrag.key] = hall.clock.now
        raise Unclear("target.unreachable")

    hall.target.mood = vanish
    (own,) = hall.take(1)
    hall.pass_seconds(2)
    replayed = list(Replay(stores[0], now=hall.clock).carry_out(Selection(ids=(own,)), Request("ada", "weiter")))
    hall.pass_seconds(2)

    assert ["nothing"] == [effect.action for effect in replayed]
    assert 1 == len(hall.target.calls)
    assert ["delivery.unclear"] == [one.code for one in stores[0].zustellungen(own)]


def test_doubt_outlasts_a_change_of_the_target(stores: list[Store]) -> None:
    """Waiting to be looked up when the target became one that cannot tell: parked as doubt, not as whatever came last."""
    hall = Hall(stores)
    hall.target.idempotency = Idempotency.LOOKUP

    def vanish(_auftrag: Zustellauftrag) -> None:
        raise Unclear("delivery.unclear")

    hall.target.mood = vanish
    (own,) = hall.take(1)
    with mock.patch.object(hall.target, "lookup", side_effect=Transient("target.unreachable")):
        hall.pass_seconds(70)
    waiting = stores[0].zustellungen(own)[0]
    hall.target.idempotency = Idempotency.NONE
    hall.pass_seconds(30, step=60)

    assert (Z.UNCLEAR, "target.unreachable") == (waiting.state, waiting.code)
    assert [(Z.PARKED, "delivery.unclear")] == [(one.state, one.code) for one in stores[0].zustellungen(own)]


def test_a_person_lets_the_next_attempt_through(stores: list[Store]) -> None:
    """In the middle of a long rest, ordered on one host: one tries at once on any host, and all others that wait follow."""
    hall = Hall(stores)

    def full(_auftrag: Zustellauftrag) -> None:
        raise Transient("target.full", retry_after=timedelta(hours=3))

    hall.target.mood = full
    hall.take(10)
    hall.pass_seconds(10)
    hall.target.mood = lambda _: None
    hall.pass_seconds(10)
    before = len(hall.target.effects)
    told = stores[1].targets.probe(TARGET, actor="ada", reason="geheilt", now=hall.clock.now)
    hall.pass_seconds(30)

    assert (0, True) == (before, told)
    assert TargetState.WORKS is health(hall)
    assert 9 == len(hall.target.effects), "the one that was told to come back in three hours does"
    assert not stores[1].targets.probe(TARGET, actor="ada", reason="noch einmal", now=hall.clock.now)
