"""Any engine: a thousand failures are one incident, told once when it begins and once when it ends."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from intermediary.core.breaker import Health, Sign, TargetState
from intermediary.core.decide import Decision
from intermediary.core.incidents import Pace, Sighting
from intermediary.core.targets import TargetRef
from intermediary.daemon.places import Places
from intermediary.daemon.sightings import from_troubles
from intermediary.settings.watching import Incidents as IncidentRules
from intermediary.store import Claim, NotFound, NotPossible, Store
from intermediary.store.choose import Chosen
from intermediary.store.gauges import Tail, Trouble
from intermediary.store.incidents import Seen
from intermediary.store.target_rows import TargetRecord
from intermediary.store.targets import Pass, Standing
from tests.conformance.store_kit import (
    DELIVERED,
    LATER,
    MANDANTEN,
    NOW,
    OPTIONAL,
    REFUSED,
    SECOND,
    SECOND_TARGET,
    TARGET,
    Bench,
    N,
    Z,
    attempt,
    claimed,
    eingang,
    parked,
    planned,
)

QUIET = timedelta(seconds=300)
MINUTE = timedelta(seconds=60)
WAYS = ("log", "webhook")


def _see(store: Store, *found: Sighting, at: datetime = NOW, ways: tuple[str, ...] = WAYS) -> Seen:
    return store.watch.incidents.see(found, pace=Pace(QUIET, gap=90 * SECOND), ways=ways, now=at)


def _missing(count: int = 1000, **more: object) -> Sighting:
    return Sighting("route.missing", "channel eingang", count, frozenset({"musterstadt"}), **more)  # type: ignore[arg-type]


def _told(store: Store) -> list[tuple[str, str]]:
    """Take and send every alert that is due long after everything."""
    told = []
    while (alert := store.watch.alerts.take(WAYS, LATER)) is not None:
        store.watch.alerts.sent(alert, LATER)
        told.append((alert.phase, alert.way))
    return told


def test_a_thousand_failures_are_one_incident(store: Store) -> None:
    """It opens once, grows, gathers the Mandanten, and ends once, each with one alert per way."""
    first = _see(store, _missing())
    again = _see(
        store, Sighting("route.missing", "channel eingang", 1200, frozenset({"beispielhausen"})), at=NOW + SECOND
    )
    calm = _see(store, at=NOW + MINUTE)
    over = _see(store, at=NOW + MINUTE + QUIET)
    [one] = store.watch.incidents.newest()

    assert (1, 0, 0) == (len(first.opened), len(again.opened), len(calm.ended))
    assert (one.id,) == over.ended == first.opened
    assert (0, 1200, ("beispielhausen", "musterstadt")) == (one.count, one.most, one.mandanten)
    assert (NOW, NOW + MINUTE + QUIET) == (one.opened_at, one.ended_at)
    assert [("opened", "log"), ("opened", "webhook"), ("ended", "log"), ("ended", "webhook")] == sorted(
        _told(store), key=lambda pair: (pair[0] == "ended", pair[1])
    )
    names = [entry.event.name for entry in store.events_of_installation()]
    assert ["incident.opened", "incident.ended"] == [name for name in names if name.startswith("incident.")]


def test_what_comes_back_soon_is_the_same_incident(store: Store) -> None:
    """Flapping within the quiet time tells nobody; after it, a new incident begins."""
    _see(store, _missing())
    for number in range(1, 9):
        _see(store, *([_missing()] if number % 2 else []), at=NOW + number * MINUTE)
    flapping = store.watch.incidents.newest()
    _see(store, at=NOW + 8 * MINUTE + QUIET)
    anew = _see(store, _missing(), at=NOW + 9 * MINUTE + QUIET)

    assert 1 == len(flapping)
    assert 1 == len(anew.opened)
    assert 2 == len({one.id for one in store.watch.incidents.newest()})


def test_what_time_heals_quickly_is_none(store: Store) -> None:
    """Nothing is told of what is gone before its patience ends; what stays is told then, with its first moment."""
    slow = _missing(patience=10 * MINUTE)
    assert () == _see(store, slow).opened
    _see(store, at=NOW + 2 * MINUTE)
    for minute in range(3, 13):
        assert () == _see(store, slow, at=NOW + minute * MINUTE).opened
    assert () == store.watch.incidents.newest()
    opened = _see(store, slow, at=NOW + 13 * MINUTE).opened

    [one] = store.watch.incidents.newest(is_open=True)
    assert opened == (one.id,)
    assert NOW + 3 * MINUTE == one.first_seen


def test_nobody_looking_is_no_patience(store: Store) -> None:
    """A daemon that stood still, or had no database, for hours finds what it noted before: it has seen it for a moment."""
    slow = _missing(patience=10 * MINUTE)
    _see(store, slow)
    start = NOW + timedelta(hours=2)
    for minute in range(10):
        assert () == _see(store, slow, at=start + minute * MINUTE).opened
    opened = _see(store, slow, at=start + 10 * MINUTE).opened

    [one] = store.watch.incidents.newest(is_open=True)
    assert opened == (one.id,)
    assert start == one.first_seen


def test_what_grows_worse_is_told_anew_and_ends_once(store: Store) -> None:
    """A certificate is one incident from the first threshold to its successor, with an alert for each threshold."""
    places = [f"certificate reader musterstadt {days}" for days in (30, 14, 3)]
    names = [("certificate.ending", place) for place in places]
    for number, (code, place) in enumerate(names):
        worse = Sighting(code, place, formerly=tuple(names[:number]), is_news=True)
        for minute in (0, 30):
            _see(store, worse, at=NOW + timedelta(hours=number, minutes=minute))
            [one] = store.watch.incidents.newest()
            assert (place, True) == (one.place, one.ended_at is None)
    _see(store, at=NOW + timedelta(hours=4))
    _see(store, at=NOW + timedelta(hours=4) + QUIET)

    assert {("opened", way): 3 for way in WAYS} | {("ended", way): 1 for way in WAYS} == Counter(_told(store))


def test_two_hosts_open_it_once(bench: Bench) -> None:
    """Several daemons find the same at the same moment: one incident, one alert per way."""
    stores = [bench.open() for _ in range(3)]
    ready = threading.Barrier(len(stores))
    opened: list[str] = []

    def look(store: Store) -> None:
        ready.wait()
        for number in range(5):
            opened.extend(_see(store, _missing(), at=NOW + number * SECOND).opened)

    threads = [threading.Thread(target=look, args=(one,)) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == len(opened)
    assert ["log", "webhook"] == sorted(way for _, way in _told(stores[0]))


def test_what_one_host_cannot_see_is_not_over(store: Store) -> None:
    """A full disk of one host stays an incident while another host looks and finds nothing; without the first it ends."""
    full = Sighting("store.unavailable", "host host-a", patience=2 * MINUTE)
    for number in range(10):
        _see(store, full, at=NOW + number * MINUTE)
        _see(store, at=NOW + number * MINUTE + SECOND)
    [one] = store.watch.incidents.newest(is_open=True)
    assert NOW + 2 * MINUTE == one.opened_at

    assert () == _see(store, at=one.last_seen + QUIET).ended
    assert (one.id,) == _see(store, at=one.last_seen + QUIET + SECOND).ended


def test_acknowledged_once_with_a_name(store: Store) -> None:
    """A person takes it on, the trail has it, and a second one is told."""
    [own] = _see(store, _missing()).opened
    store.watch.incidents.acknowledge(own, actor="a.beispiel", reason="Route kommt", now=NOW)
    one = store.watch.incidents.get(own[:8])

    assert ("a.beispiel", "Route kommt", NOW) == (one.acknowledged_by, one.acknowledged_reason, one.acknowledged_at)
    assert "incident.acknowledged" == store.events_of_installation()[-1].event.name
    with pytest.raises(NotPossible):
        store.watch.incidents.acknowledge(own, actor="b", reason="auch", now=NOW)
    with pytest.raises(NotFound):
        store.watch.incidents.get("no-such")


def test_an_alert_is_tried_until_it_arrives(store: Store) -> None:
    """One in hand is nobody else's; what failed comes again later; the end waits for the beginning to be told."""
    _see(store, _missing(), ways=("webhook",))
    _see(store, at=NOW + SECOND)
    _see(store, at=NOW + SECOND + QUIET, ways=("webhook",))
    alerts = store.watch.alerts
    first = alerts.take(WAYS, NOW + 2 * QUIET)
    assert first is not None
    assert ("opened", 1) == (first.phase, first.attempts)
    assert alerts.take(WAYS, NOW + 2 * QUIET) is None

    alerts.failed(first, "alert.undelivered", NOW + 3 * QUIET)
    assert alerts.take(WAYS, NOW + 2 * QUIET + MINUTE) is None
    assert {"webhook": 1} == alerts.count_unsent(WAYS, since=LATER)
    second = alerts.take(WAYS, NOW + 3 * QUIET)
    assert second is not None
    assert (first.id, 2) == (second.id, second.attempts)
    alerts.sent(first, NOW)  # its lease is somebody else's by now
    alerts.sent(second, NOW + 3 * QUIET)
    third = alerts.take(WAYS, NOW + 3 * QUIET)

    assert third is not None
    assert "ended" == third.phase
    assert {} == alerts.count_unsent((), since=LATER)


def test_a_killed_sender_loses_no_alert(bench: Bench) -> None:
    """An alert in the hand of a process that died is taken by the next one under the same id."""
    store = bench.open()
    _see(store, _missing(), ways=("webhook",))
    lost = store.watch.alerts.take(WAYS, NOW)
    after = bench.open().watch.alerts.take(WAYS, NOW + 2 * MINUTE)

    assert lost is not None
    assert after is not None
    assert lost.id == after.id


def test_troubles_by_code_and_place(store: Store) -> None:
    """What waits or is parked is counted with the names of the configuration; what goes its way is not looked at."""
    for number in range(3):
        claim = claimed(store, f"w{number}")
        store.wait(claim, Decision(N.RECEIVED, "route.missing", LATER, counts=False), NOW)
    parked(store, message_id="p")
    waits = planned(store, TARGET, OPTIONAL, message_id="z")
    attempt(store, waits, Decision(Z.DUE, "target.unreachable", LATER))
    stopped = planned(store, message_id="y")
    attempt(store, stopped, Decision(Z.PARKED, "delivery.deadline"))
    store.take([eingang("fine"), eingang("other", mandant=MANDANTEN[1])])

    found = {(t.code, t.is_parked, t.route, t.target, t.count) for t in store.watch.gauges.troubles()}
    assert {
        ("route.missing", False, "", "", 3),
        ("bug.unexpected", True, "", "", 1),
        ("target.unreachable", False, "bauantrag", "fachverfahren", 1),
        ("delivery.deadline", True, "bauantrag", "fachverfahren", 1),
    } == found


def test_what_was_given_up_is_no_trouble(store: Store) -> None:
    """A parked Zustellung of a Nachricht that a person rejected or discarded needs nobody any more."""
    stopped = planned(store)
    stopped = attempt(store, stopped, Decision(Z.PARKED, "delivery.deadline"))
    assert 1 == len(store.watch.gauges.troubles())
    stopped = store.park(stopped, "bug.unexpected", NOW)
    stopped = store.claim_one(stopped.nachricht.id, "person", NOW)
    store.discard(stopped, actor="a", reason="doppelt", now=NOW)

    assert () == store.watch.gauges.troubles()


def test_measures(store: Store) -> None:
    """Open by state and code, the oldest of each, who comes near to the deadline, the tail, and what has happened."""
    start = store.watch.gauges.log_length()
    store.take([eingang("a"), eingang("b", at=NOW + MINUTE)])
    store.release(parked(store, message_id="p"), NOW)
    gauges, deadline = store.watch.gauges, timedelta(hours=10)

    assert {(N.RECEIVED, ""): 2, (N.PARKED, "bug.unexpected"): 1} == gauges.open_counts()
    assert {N.RECEIVED: NOW, N.PARKED: NOW} == gauges.oldest()
    assert 0 == gauges.at_risk(deadline, 0.9, NOW + timedelta(hours=8))
    assert 1 == gauges.at_risk(deadline, 0.9, NOW + timedelta(hours=9))
    assert 2 == gauges.at_risk(deadline, 0.9, NOW + timedelta(hours=9, minutes=1))
    assert 0 == gauges.at_risk(deadline, 0.9, LATER, routes=["bauantrag"])
    tail = gauges.tail()
    assert (4, NOW) == (tail.events, tail.since)
    store.seal_heads(lambda _: b"\0" * 64, NOW)
    assert Tail(0, None) == gauges.tail()
    whole, half = gauges.progress(start), gauges.progress(start, most=2)
    assert (3, 1, 3) == (whole.events["intake.taken"], whole.events["nachricht.parked"], whole.taken["rabbit"])
    assert (start + 2, start + 4) == (half.upto, gauges.progress(half.upto).upto)


def _standing(code: str, state: TargetState = TargetState.RESTS) -> Standing:
    return Standing({"musterstadt/bauantrag/eakte": TargetRecord("", Health(state, NOW, code=code))})


def _at_eakte(code: str, standing: Standing, *mandanten: str) -> list[Sighting]:
    found = [Trouble(code, False, mandant, "bauantrag", "rabbit", "eakte", 1) for mandant in mandanten]
    return list(from_troubles(found, Places.of((), standing, NOW), IncidentRules()))


def test_a_target_that_stays_broken_is_one_incident(store: Store) -> None:
    """Between two probes it rests for longer than the quiet time: no all-clear and no second alert, until it works."""
    for minute in range(60):
        reason = "target.full" if 30 <= minute < 45 else "target.misconfigured"
        code = reason if minute % 15 < 4 else "target.resting"
        _see(store, *_at_eakte(code, _standing(reason), "musterstadt"), at=NOW + minute * MINUTE)
        known = [(one.code, one.ended_at) for one in store.watch.incidents.newest()]
        assert known == ([(reason, None)] if minute else [])
    works = _standing("target.misconfigured", TargetState.WORKS)
    for minute in (60, 61, 66):
        _see(store, *_at_eakte("target.resting", works, "musterstadt"), at=NOW + minute * MINUTE)

    [one] = store.watch.incidents.newest()
    assert ("target musterstadt/bauantrag/eakte", NOW + 66 * MINUTE) == (one.place, one.ended_at)
    assert 4 == len(_told(store))


def test_two_mandanten_with_equal_names_are_told_apart(store: Store) -> None:
    """The second one's target is an alert of its own; an incident of an earlier version goes on as that of one of them."""
    mandanten = frozenset({"beispielhausen", "musterstadt"})
    once = Sighting("target.unreachable", "target bauantrag/eakte", 2, mandanten)
    [own] = _see(store, once).opened
    both = [
        Sighting(one.code, one.place, one.count, one.mandanten, formerly=one.formerly)
        for one in _at_eakte("target.unreachable", Standing(), *sorted(mandanten))
    ]
    after = _see(store, *both, at=NOW + MINUTE)
    ended = [*_see(store, both[1], at=NOW + 2 * MINUTE).ended, *_see(store, both[1], at=NOW + 8 * MINUTE).ended]

    assert 1 == len(after.opened)
    found = {one.place: (one.mandanten, one.id == own, one.id in ended) for one in store.watch.incidents.newest()}
    assert 2 == len(found)
    assert 1 == len(ended)
    for mandant in mandanten:
        is_first = found[f"target {mandant}/bauantrag/eakte"][1]
        assert ((mandant,), is_first, mandant == "beispielhausen") == found[f"target {mandant}/bauantrag/eakte"]


def test_what_a_pause_held_back_is_counted_for_what_holds_it_now(store: Store) -> None:
    """Resumed, and the target rests meanwhile: all that wait are of its incident, also those nobody has asked again yet."""
    own = "musterstadt/bauantrag/fachverfahren"
    ref = TargetRef(own, frozenset({own}))
    claims = [planned(store, message_id=f"w{number}") for number in range(3)]
    store.targets.pause("musterstadt", actor="chef", reason="Umzug", until=None, now=NOW)
    for claim in claims:
        store.targets.admit(ref, claim, claim.zustellungen[0].key, now=NOW)
        held = Decision(Z.DUE, "target.paused", LATER, counts=False, waits_for=own)
        store.settle(claim, claim.zustellungen[0].key, held, now=NOW)

    def seen() -> list[tuple[str, str, int]]:
        places = Places.of([ref], store.targets.standing(), NOW + MINUTE)
        found = from_troubles(store.watch.gauges.troubles(), places, IncidentRules())
        return [(one.code, one.place, one.count) for one in found]

    paused = seen()
    store.targets.resume("musterstadt", actor="chef", reason="fertig", now=NOW)
    works = seen()
    leave = store.targets.admit(ref, claims[0], "k", now=NOW + MINUTE)
    assert isinstance(leave, Pass)
    asked = timedelta(hours=1)
    store.targets.report(leave, Sign.ILL, code="target.unreachable", asked=asked, now=NOW + MINUTE)

    assert ([], []) == (paused, works)
    assert [("target.unreachable", f"target {own}", 3)] == seen()


def test_what_comes_near_to_its_deadline_is_one_incident_of_its_place(store: Store) -> None:
    """By the deadline of each target, before it is parked; what waits for order, a verdict or a person has none running."""
    deadline, own = timedelta(hours=10), {"musterstadt/bauantrag/eakte": timedelta(hours=20)}
    store.take([eingang("not judged"), eingang("young", at=NOW + MINUTE)])
    for number in range(2):
        store.release(planned(store, message_id=f"due-{number}"), NOW)
    attempt(store, planned(store, SECOND_TARGET, message_id="slow"), Decision(Z.DUE, "target.full", LATER), "eakte")
    attempt(store, planned(store, message_id="asked"), Decision(Z.AWAITING, due_at=LATER))
    attempt(store, planned(store, message_id="stopped"), Decision(Z.PARKED, "delivery.deadline"))
    waits = planned(store, message_id="in order")
    store.settle(waits, waits.zustellungen[0].key, Decision(Z.DUE, "order.waits", LATER, counts=False), now=NOW)
    parked(store, message_id="parked")

    def near(hours: float) -> list[tuple[str, str, int]]:
        now = NOW + timedelta(hours=hours)
        found = from_troubles(store.watch.gauges.near_deadline(deadline, own, 0.9, now), Places(now), IncidentRules())
        return sorted((one.code, one.place, one.count) for one in found)

    code, route = "delivery.deadline.near", "target musterstadt/bauantrag"
    assert [] == near(8.9)
    assert [(code, "channel rabbit", 1), (code, f"{route}/fachverfahren", 2)] == near(9)
    assert (code, "channel rabbit", 2) == near(17.9)[0]
    assert [(code, f"{route}/eakte", 1), (code, f"{route}/fachverfahren", 2)] == near(18)[1:]


def _refused_again(store: Store, message_id: str = "a") -> Claim:
    """Completed, redelivered by a person, and refused by the target."""
    claim = attempt(store, planned(store, message_id=message_id), DELIVERED)
    claim = store.answered(claim, N.COMPLETED, {}, NOW)
    return attempt(store, _redelivered(store, claim.nachricht.id), Decision(Z.REFUSED, "rest.refused"))


def _redelivered(store: Store, nachricht_id: str) -> Claim:
    claim = store.claim_one(nachricht_id, "person", NOW)
    return store.redeliver(claim, TARGET.name, actor="ada", reason="noch einmal", now=NOW)


def _acts(store: Store, claim: Claim) -> dict[str, Callable[[], object]]:
    again = lambda: _redelivered(store, claim.nachricht.id)  # noqa: E731
    return {
        "discard": lambda: store.discard(claim, actor="ada", reason="bleibt so", now=NOW),
        "replay": lambda: (store.release(claim, NOW), again()),
        "it succeeds": lambda: (store.release(claim, NOW), attempt(store, again(), DELIVERED)),
        "nothing is left to send": lambda: store.erase(claim, actor="ada", reason="Frist", now=NOW),
    }


@pytest.mark.parametrize("act", ["discard", "replay", "it succeeds", "nothing is left to send"])
def test_a_refused_redelivery_is_one_until_somebody_acts(store: Store, act: str) -> None:
    """The sender is not told: it is an incident of its target, and found by its code, also by the one the target gave."""
    claim = _refused_again(store)
    attempt(store, planned(store, message_id="first round"), REFUSED)

    def seen() -> list[tuple[str, str, int]]:
        found = from_troubles(store.watch.gauges.troubles(), Places(NOW), IncidentRules())
        return [(one.code, one.place, one.count) for one in found]

    before = seen()
    listed = [[one.id for one in store.find(code=code)] for code in ("redelivery.refused", "rest.refused")]
    chosen = store.jobs.count(Chosen(code="rest.refused"), most=9)
    _acts(store, claim)[act]()

    assert [("redelivery.refused", "target musterstadt/bauantrag/fachverfahren", 1)] == before
    assert ([[claim.nachricht.id]] * 2, 1) == (listed, chosen)
    assert [] == seen()
    assert bool(list(store.find(code="redelivery.refused"))) is (act == "nothing is left to send")


def test_a_refused_redelivery_is_discarded_once(store: Store) -> None:
    """With who and why in the trail, in the state it had; and nothing else that is completed can be."""
    claim = store.discard(_refused_again(store), actor="ada", reason="bleibt so", now=NOW)
    told = store.events(claim.nachricht.id)[-1].event

    assert (N.COMPLETED, Z.REFUSED) == (claim.nachricht.state, claim.zustellungen[-1].state)
    assert ("person.redelivery-discarded", "ada", "bleibt so") == (told.name, told.actor, told.fields["reason"])
    with pytest.raises(NotPossible):
        store.discard(claim, actor="ada", reason="bleibt so", now=NOW)
