"""Any engine: what a term ends for is erased once, told in the audit trail, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from intermediary.core.decide import Decision
from intermediary.core.faults import Misconfigured, Transient
from intermediary.core.retention import Rule, Terms
from intermediary.operations.prove import compare_snapshot
from intermediary.store import Claim, LeaseLost, NotPossible, Store
from intermediary.store.erasing import Pass, Step
from intermediary.store.retention import Group
from intermediary.store.tables import data_keys, intake_keys, nachrichten, search_keys
from tests.conformance.store_kit import (
    DELIVERED,
    MANDANTEN,
    NOW,
    REFUSED,
    SECOND,
    TARGET,
    Bench,
    N,
    Z,
    attempt,
    eingang,
    names,
    parked,
    planned,
)

DAY = timedelta(days=1)
WHO = {"actor": "a.adler", "reason": "Klage anhängig"}
GROUP = Group(MANDANTEN[0], "bauantrag", N.COMPLETED)
RULE = Rule(N.COMPLETED, 30)


def completed(store: Store, message_id: str = "antrag-1", *, now: datetime = NOW) -> str:
    """A Nachricht that went its way; its id."""
    claim = attempt(store, planned(store, message_id=message_id, now=now), DELIVERED, now=now)
    store.answered(claim, N.COMPLETED, {}, now)
    return claim.nachricht.id


def rejected(store: Store, message_id: str = "antrag-1") -> str:
    """A Nachricht that its target refused; its id."""
    claim = attempt(store, planned(store, message_id=message_id), REFUSED)
    store.answered(claim, N.REJECTED, {}, NOW)
    return claim.nachricht.id


def discarded(store: Store, message_id: str = "antrag-1") -> str:
    """A Nachricht that a person gave up; its id."""
    claim = store.discard(parked(store, message_id=message_id), now=NOW, **WHO)
    store.release(claim, NOW)
    return claim.nachricht.id


def run(store: Store, now: datetime, terms: Terms = Terms()) -> list[Step]:  # noqa: B008  frozen
    """A whole pass."""
    return list(Pass(store.retention, terms, dedupe=90 * DAY, search=3650 * DAY).steps(now))


def blobs(bench: Bench) -> int:
    """How many wrapped bodies there are."""
    return sum(path.is_file() for path in (bench.data / "blobs").glob("??/*"))


def count(bench: Bench, table: object) -> int:
    """How many rows a table has."""
    with bench.database().read() as tx:
        return tx.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


@pytest.mark.parametrize(("end", "days"), [(completed, 30), (rejected, 90), (discarded, 90)])
def test_a_payload_is_erased_at_its_term(bench: Bench, end: Callable[[Store], str], days: int) -> None:
    """A moment before it is readable; at the term key, headers and file are gone, and the event names the rule."""
    store = bench.open()
    nachricht_id = end(store)
    assert [] == [step for step in run(store, NOW + days * DAY - SECOND) if step.what == "payloads"]
    assert b"<Antrag/>" == store.body(nachricht_id).read()

    [step] = [step for step in run(store, NOW + days * DAY) if step.what == "payloads"]
    event = store.events(nachricht_id)[-1].event

    assert (1, days) == (step.count, step.rule.days if step.rule else 0)
    assert ("payload.erased", str(step.rule), "") == (event.name, event.fields["rule"], event.actor)
    assert "erased" == store.get(nachricht_id).payload
    assert (0, 0) == (count(bench, data_keys), blobs(bench))
    for read in (store.body, store.headers):
        with pytest.raises(Misconfigured, match=r"payload\.erased"):
            read(nachricht_id)
    with store.audit_snapshot() as snapshot:
        assert [] == list(compare_snapshot(snapshot))


def test_what_is_open_or_parked_is_never_erased(store: Store) -> None:
    """What only a person ends, parked as a whole or with its only Zustellung, is told instead, with how many there are."""
    open_ = planned(store, message_id="offen")
    stuck = parked(store, message_id="geparkt")
    halted = attempt(store, planned(store, message_id="halb"), Decision(Z.PARKED, "delivery.deadline"))
    steps = run(store, NOW + 5000 * DAY)
    told = [(step.what, step.count, step.group.state) for step in steps if step.group is not None]

    assert [("overdue", 1, N.PARKED), ("overdue", 1, N.PLANNED)] == told
    assert ["present"] * 3 == [store.get(one.nachricht.id).payload for one in (open_, stuck, halted)]

    store.retention.holds.hold_all(MANDANTEN[0], "", now=NOW, **WHO)

    assert [] == [step for step in run(store, NOW + 5000 * DAY) if step.what == "overdue"]
    with pytest.raises(ValueError, match="person"):
        store.retention.erase(Group(MANDANTEN[0], "", N.PARKED), Rule(N.PARKED, 1), now=NOW + 5000 * DAY)


def test_the_rule_with_most_conditions_holds(store: Store) -> None:
    """A longer term of the route wins over the shorter one of the Mandant, and that one over the default."""
    first = completed(store)
    terms = Terms((Rule(N.COMPLETED, 5, MANDANTEN[0]), Rule(N.COMPLETED, 60, MANDANTEN[0], "bauantrag")))
    run(store, NOW + 59 * DAY, terms)

    assert "present" == store.get(first).payload

    run(store, NOW + 59 * DAY, Terms((Rule(N.COMPLETED, 5, MANDANTEN[0]), Rule(N.COMPLETED, 60, MANDANTEN[1]))))

    assert "erased" == store.get(first).payload


def test_a_term_counts_from_the_event_and_not_from_a_column(bench: Bench) -> None:
    """A moment that somebody wrote into the row erases nothing early; nor does a state that the events do not know."""
    store = bench.open()
    late = completed(store, "spaet", now=NOW)
    forged = planned(store, message_id="gefaelscht")
    store.release(forged, NOW)
    with bench.database().write() as tx:
        values = {"received_at": NOW - 400 * DAY, "state_since": NOW - 300 * DAY}
        tx.execute(update(nachrichten).where(nachrichten.c.id == late).values(values))
        values = {"state": "completed", "due_at": None, "received_at": NOW - 400 * DAY}
        tx.execute(update(nachrichten).where(nachrichten.c.id == forged.nachricht.id).values(values))
    run(store, NOW + DAY)

    assert ["present"] * 2 == [store.get(one).payload for one in (late, forged.nachricht.id)]
    assert NOW == store.get(late).state_since

    run(store, NOW + 30 * DAY)

    assert ["erased", "present"] == [store.get(one).payload for one in (late, forged.nachricht.id)]


def test_what_an_older_program_ended_is_found(bench: Bench) -> None:
    """Without the column that it does not know, the events say since when."""
    store = bench.open()
    nachricht_id = completed(store)
    with bench.database().write() as tx:
        tx.execute(update(nachrichten).values(state_since=None, received_at=NOW - 20 * DAY))
    run(store, NOW + 29 * DAY)

    assert ("present", NOW) == (store.get(nachricht_id).payload, store.get(nachricht_id).state_since)

    run(store, NOW + 30 * DAY)

    assert "erased" == store.get(nachricht_id).payload


def test_a_held_nachricht_is_kept_until_it_is_released(store: Store) -> None:
    """The hold stops term and person alike; both its ends are in the chain with actor and reason."""
    nachricht_id, other = completed(store), completed(store, "b")
    holds = store.retention.holds

    assert ["held", "unchanged"] == [holds.hold(nachricht_id, now=NOW, **WHO) for _ in range(2)]

    run(store, NOW + 31 * DAY)
    claim = store.claim_one(nachricht_id, "person", NOW)
    with pytest.raises(NotPossible, match="hold"):
        store.erase(claim, now=NOW, **WHO)
    store.release(claim, NOW)

    assert (["present", "erased"], NOW) == (
        [store.get(one).payload for one in (nachricht_id, other)],
        store.get(nachricht_id).held_since,
    )
    assert [nachricht_id] == [one.id for one in holds.single()]
    assert "erased" == holds.hold(other, now=NOW, **WHO)
    assert ["released", "unchanged"] == [holds.release(nachricht_id, now=NOW, **WHO) for _ in range(2)]
    event = store.events(nachricht_id)[-1].event
    assert ("hold.released", "a.adler", WHO["reason"]) == (event.name, event.actor, event.fields["reason"])

    run(store, NOW + 31 * DAY)

    assert "erased" == store.get(nachricht_id).payload
    with store.audit_snapshot() as snapshot:
        assert [] == list(compare_snapshot(snapshot))


def test_a_standing_hold_keeps_everything_of_its_mandant_and_route(store: Store) -> None:
    """Also what came after it was set; another route and another Mandant go on."""
    holds = store.retention.holds
    holds.hold_all(MANDANTEN[0], "bauantrag", now=NOW, **WHO)
    kept = completed(store)
    refused = store.refuse(store.claim_one(_taken(store, "b"), "w", NOW), "validate.input.invalid", (), {}, NOW)
    store.answered(refused, N.REJECTED, {}, NOW)
    run(store, NOW + 90 * DAY)

    assert ["present", "erased"] == [store.get(one).payload for one in (kept, refused.nachricht.id)]
    assert (1, 0) == (holds.count(MANDANTEN[0]), holds.count(MANDANTEN[1]))
    assert [(MANDANTEN[0], "bauantrag")] == [(one.mandant, one.route) for one in holds.standing()]

    assert "unchanged" == holds.release_all(MANDANTEN[0], "", now=NOW, **WHO)
    assert "released" == holds.release_all(MANDANTEN[0], "bauantrag", now=NOW, **WHO)
    run(store, NOW + 90 * DAY)

    assert "erased" == store.get(kept).payload
    assert ["hold.standing-set", "hold.standing-released"] == [
        entry.event.name for entry in store.events_of_installation() if entry.event.name.startswith("hold.")
    ]


def test_only_the_hold_that_is_meant_is_released(store: Store) -> None:
    """Released and set anew meanwhile: whoever means the first one does not end the second."""
    nachricht_id, holds = completed(store), store.retention.holds
    holds.hold(nachricht_id, now=NOW + DAY, **WHO)
    holds.hold_all(MANDANTEN[0], "", now=NOW + DAY, **WHO)

    assert "other" == holds.release(nachricht_id, since=NOW, now=NOW + DAY, **WHO)
    assert "other" == holds.release_all(MANDANTEN[0], "", since=NOW, now=NOW + DAY, **WHO)
    assert NOW + DAY == store.get(nachricht_id).held_since
    assert 1 == len(holds.standing())
    assert "released" == holds.release(nachricht_id, since=NOW + DAY, now=NOW + DAY, **WHO)
    assert "released" == holds.release_all(MANDANTEN[0], "", since=NOW + DAY, now=NOW + DAY, **WHO)


def _taken(store: Store, message_id: str) -> str:
    [taken] = store.take([eingang(message_id)])
    return taken.nachricht_id


def test_what_somebody_works_on_is_left_for_the_next_pass(store: Store) -> None:
    """A lease keeps it: a redelivery that is being ordered finds its payload."""
    nachricht_id = completed(store)
    claim = store.claim_one(nachricht_id, "person", NOW + 31 * DAY)
    run(store, NOW + 31 * DAY)

    assert "present" == store.get(nachricht_id).payload

    store.release(claim, NOW)
    run(store, NOW + 31 * DAY)

    assert "erased" == store.get(nachricht_id).payload


def test_small_bites_reach_everything(store: Store) -> None:
    """However few are looked at in one transaction, and whatever in between is kept."""
    ids = [completed(store, f"a{number}") for number in range(7)]
    for held in ids[:3]:
        store.retention.holds.hold(held, now=NOW, **WHO)
    after, erased = None, 0
    for _ in ids:
        bite = store.retention.erase(GROUP, RULE, now=NOW + 31 * DAY, after=after, most=2)
        erased, after = erased + bite.erased, bite.after
        if after is None:
            break

    assert 4 == erased
    assert ["present"] * 3 + ["erased"] * 4 == [store.get(one).payload for one in ids]


def test_two_hosts_erase_each_once(bench: Bench) -> None:
    """Two passes, step by step in turn: every Nachricht has one event of its erasure."""
    stores = [bench.open(), bench.open()]
    ids = [completed(stores[0], f"a{number}") for number in range(5)]
    for number in range(8):
        stores[number % 2].retention.erase(GROUP, RULE, now=NOW + 31 * DAY, most=1)

    told = [[entry.event.name for entry in stores[0].events(one)].count("payload.erased") for one in ids]

    assert [1] * 5 == told


def test_a_blob_that_outlived_its_key_is_removed_by_the_next_pass(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between commit and removal: unreadable already, and gone with the next pass."""
    store = bench.open()
    nachricht_id = completed(store)
    database = store.retention._db
    monkeypatch.setattr(type(database.blobs), "remove", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(store, NOW + 31 * DAY)
    monkeypatch.undo()

    assert (1, 0) == (blobs(bench), count(bench, data_keys))
    with pytest.raises(Misconfigured, match=r"payload\.erased"):
        store.body(nachricht_id)

    again = bench.open()
    steps = [step.what for step in run(again, NOW + 31 * DAY)]

    assert (0, ["left-overs"]) == (blobs(bench), steps)
    assert [] == run(again, NOW + 31 * DAY)


def test_a_disk_that_gives_up_no_file_stops_no_erasure(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key is erased; the files that stay are told in the pass after, until they are gone."""
    store = bench.open()
    ids = [completed(store, f"a{number}") for number in range(3)]
    monkeypatch.setattr(type(store.retention._db.blobs), "remove", lambda *_: (_ for _ in ()).throw(OSError("EIO")))
    run(store, NOW + 31 * DAY)

    assert (["erased"] * 3, 0, 3) == ([store.get(one).payload for one in ids], count(bench, data_keys), blobs(bench))
    with pytest.raises(Transient, match="3 payloads"):
        run(store, NOW + 31 * DAY)
    monkeypatch.undo()
    run(store, NOW + 31 * DAY)

    assert 0 == blobs(bench)


def test_hashed_ids_are_forgotten_at_their_own_terms(bench: Bench) -> None:
    """The dedupe memory after 90 days, search keys after ten years, each told once; the Nachricht stays recognised."""
    store = bench.open()
    claim = store.claim_one(_taken(store, "antrag-1"), "w", NOW)
    store.plan(claim, route="r", pins={}, plan={}, targets=(TARGET,), now=NOW, search_keys={"aktenzeichen": "4711/26"})
    run(store, NOW + 90 * DAY - SECOND)

    assert (1, 1) == (count(bench, intake_keys), count(bench, search_keys))

    run(store, NOW + 90 * DAY)

    assert (0, 1) == (count(bench, intake_keys), count(bench, search_keys))
    assert "duplicate" == store.take([eingang("antrag-1")])[0].outcome

    run(store, NOW + 3650 * DAY)
    run(store, NOW + 3651 * DAY)

    assert 0 == count(bench, search_keys)
    assert ["message-ids", "search-keys"] == [
        entry.event.fields["what"] for entry in store.events_of_installation() if entry.event.name == "memory.forgotten"
    ]


HOLDS: dict[str, Callable[[Store, str, str], str]] = {
    "itself": lambda store, way, nachricht_id: getattr(store.retention.holds, way)(nachricht_id, now=NOW, **WHO),
    "its route": lambda store, way, _: getattr(store.retention.holds, f"{way}_all")(MANDANTEN[0], "r", now=NOW, **WHO),
    "its Mandant": lambda store, way, _: getattr(store.retention.holds, f"{way}_all")(MANDANTEN[0], "", now=NOW, **WHO),
}


@pytest.mark.parametrize("turn", HOLDS.values(), ids=HOLDS)
def test_what_is_held_can_be_found(bench: Bench, turn: Callable[[Store, str, str], str]) -> None:
    """Its hashed ids and search keys outlive their terms, and only they; they go when the hold does."""
    store = bench.open()
    ids = []
    for mandant, route in ((MANDANTEN[0], "r"), (MANDANTEN[1], "r")):
        [taken] = store.take([eingang("antrag-1", mandant=mandant)])
        claim = store.claim_one(taken.nachricht_id, "w", NOW)
        given = {"pins": {}, "plan": {}, "targets": (TARGET,), "now": NOW}
        claim = store.plan(claim, route=route, search_keys={"aktenzeichen": "4711/26"}, **given)  # type: ignore[arg-type]
        store.release(claim, NOW)
        ids.append(taken.nachricht_id)

    def known() -> list[list[str]]:
        with bench.database().read() as tx:
            return [sorted(tx.scalars(select(table.c.nachricht_id))) for table in (intake_keys, search_keys)]

    assert "held" == turn(store, "hold", ids[0])
    for day in (3650, 3651):
        run(store, NOW + day * DAY)
        assert [ids[:1]] * 2 == known()

    assert "released" == turn(store, "release", ids[0])
    run(store, NOW + 3651 * DAY)

    assert [[]] * 2 == known()
    told = [one.event.fields for one in store.events_of_installation() if one.event.name == "memory.forgotten"]
    assert [("message-ids", 1), ("search-keys", 1)] * 2 == [(one["what"], one["count"]) for one in told]


def test_a_plan_counts_what_a_pass_erases(store: Store) -> None:
    """Counted by the moment the state was reached: due now, due within a month, held ones left out."""
    ids = [completed(store, f"a{number}", now=NOW + number * DAY) for number in range(4)]
    store.retention.holds.hold(ids[0], now=NOW, **WHO)
    [group] = store.retention.groups()

    assert GROUP == group
    assert [1, 2] == [
        store.retention.count(group, NOW + DAY),
        store.retention.count(group, NOW + 5 * DAY, since=NOW + DAY),
    ]


def test_after_a_pass_the_engine_drops_what_it_kept(bench: Bench) -> None:
    """The wrapped key of an erased payload is in no file of the data folder any more (SQLite: pages and WAL)."""
    store = bench.open()
    nachricht_id = completed(store)
    completed(store, "bleibt", now=NOW + 20 * DAY)
    with bench.database().read() as tx:
        wrapped = bytes(
            tx.execute(select(data_keys.c.wrapped).where(data_keys.c.nachricht_id == nachricht_id)).scalar_one()
        )

    def places() -> list[str]:
        return [path.name for path in bench.data.rglob("*") if path.is_file() and wrapped in path.read_bytes()]

    was_seen = bool(places())
    steps = run(store, NOW + 31 * DAY)

    assert (bench.url == "") is was_seen
    assert ("tidied", 1) == (steps[-1].what, steps[-1].count)
    assert [] == places()


def test_a_state_is_told_since_when(store: Store) -> None:
    """Every move writes its moment, waiting does not."""
    claim: Claim = planned(store, now=NOW + SECOND)

    assert NOW + SECOND == claim.nachricht.state_since
    assert "nachricht.planned" in names(store, claim)


def test_a_host_that_never_came_back_keeps_nothing_alive(bench: Bench) -> None:
    """Its holder was lost with a finished Nachricht in hand: the term ends all the same, and a late return is fenced."""
    store = bench.open()
    lost = store.claim_one(completed(store), "elsewhere", NOW)
    steps = [step.count for step in run(store, NOW + 31 * DAY) if step.what == "payloads"]

    assert [1] == steps
    assert "erased" == store.get(lost.nachricht.id).payload
    with pytest.raises(LeaseLost):
        store.redeliver(lost, TARGET.name, now=NOW + 31 * DAY, **WHO)
