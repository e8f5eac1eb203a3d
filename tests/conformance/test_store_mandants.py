"""Any engine: a deleted Mandant leaves its chains and nothing else, and not a byte of another one changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import Row, select, update

from intermediary.core.breaker import RestRules, Sign
from intermediary.core.faults import Misconfigured
from intermediary.core.targets import TargetRef
from intermediary.core.turns import Limits
from intermediary.operations.prove import compare_snapshot
from intermediary.store import Claim, LeaseLost, NotPossible, Store
from intermediary.store import mandants as mandants_module
from intermediary.store.blobs import Blobs
from intermediary.store.copy import plain_tables
from intermediary.store.tables import (
    data_keys,
    intake_keys,
    meta,
    nachrichten,
    search_keys,
    target_pauses,
    target_turns,
    targets,
    vorgaenge,
)
from intermediary.store.targets import Pass
from tests.conformance.store_kit import (
    DELIVERED,
    LATER,
    MANDANTEN,
    NOW,
    OUTPUT,
    TARGET,
    Bench,
    N,
    attempt,
    eingang,
    key_of,
    names,
)

GONE, STAYS = MANDANTEN
WHO = {"actor": "a.adler", "reason": "Vertrag beendet"}


def _furnish(store: Store, mandant: str) -> dict[str, str]:
    """A Nachricht in every kind of state; ids by name."""
    ids = {}
    for name in ("done", "planned", "parked", "new"):
        [taken] = store.take([eingang(f"{mandant}/{name}", mandant=mandant, body=f"<{name}/>".encode())])
        ids[name] = taken.nachricht_id
        claim = store.claim_one(taken.nachricht_id, "w", NOW)
        if name in ("done", "planned"):
            given = {"route": "bauantrag", "pins": {"mapping": "bauantrag@1"}, "search_keys": {"az": f"{mandant} 4711"}}
            claim = store.plan(claim, **given, plan={"facts": {"root": "Antrag"}}, targets=(TARGET,), now=NOW)  # type: ignore[arg-type]
        if name == "done":
            claim = attempt(store, claim, DELIVERED)
            store.answered(claim, N.COMPLETED, {"sent": "x"}, NOW)
        elif name == "parked":
            store.park(claim, "bug.unexpected", NOW)
        else:
            store.release(claim, NOW)
    return ids


def _delete(store: Store, mandant: str) -> int:
    mandants = store.retention.mandants
    shown = mandants.shown(mandant)
    mandants.order(shown, is_forced=True, now=LATER, **WHO)
    cuts = list(mandants.reduce(shown, now=LATER, **WHO))
    assert 0 == sum(cut.busy for cut in cuts)
    return mandants.finish(mandant, now=LATER, **WHO)


def _belongs(table: str, row: Row[Any], of: set[str], mandant: str) -> bool:
    """Whether a row is about this Mandant or its Nachrichten, or is the installation's own."""
    values = row._mapping
    owner = values.get("mandant", values.get("nachricht_id", values.get("chain", values.get("id"))))
    return owner in of or owner == mandant or table == "meta"


def _others(bench: Bench, gone: set[str]) -> dict[str, str]:
    """Every row and blob that is not of the Mandant, as it is stored."""
    found: dict[str, str] = {}
    with bench.database().read() as tx:
        for table in plain_tables():
            if table.name in ("audit_heads", "alembic_version"):
                continue
            for row in tx.execute(select(table)):
                values = [bytes(value) if isinstance(value, memoryview) else value for value in row]
                if not _belongs(table.name, row, {*gone, str(bench.database().installation)}, GONE):
                    found[f"{table.name} {sha256(repr(values).encode()).hexdigest()}"] = ""
    for path in (bench.data / "blobs").glob("??/*"):
        if path.name.partition(".")[0] not in gone:
            found[path.name] = sha256(path.read_bytes()).hexdigest()
    return found


def test_a_deleted_mandant_leaves_the_others_as_they_were(bench: Bench) -> None:
    """Row by row and blob by blob, byte for byte; what it leaves are rows that follow from its chains."""
    store = bench.open()
    gone, stays = _furnish(store, GONE), _furnish(store, STAYS)
    before = _others(bench, set(gone.values()))

    assert 4 == _delete(store, GONE)
    assert len(before) > 20
    assert before == _others(bench, set(gone.values()))
    assert b"<done/>" == store.body(stays["done"]).read()
    assert "planned" == store.get(stays["planned"]).state
    with store.audit_snapshot() as snapshot:
        assert [] == list(compare_snapshot(snapshot))


def test_nothing_of_a_deleted_mandant_can_be_read_or_found(bench: Bench) -> None:
    """Data keys, blobs, plans, search keys, message ids and the KEK it is known by are gone; what was open is discarded."""
    store = bench.open()
    database = bench.database()
    gone = _furnish(store, GONE)
    _furnish(store, STAYS)
    _delete(store, GONE)

    for nachricht_id in gone.values():
        with pytest.raises(Misconfigured, match=r"payload\.erased"):
            store.body(nachricht_id)
    states = {name: store.get(one).state for name, one in gone.items()}
    assert {"done": "completed", "planned": "discarded", "parked": "discarded", "new": "discarded"} == states
    assert [{}] * 4 == [store.get(one).plan for one in gone.values()]
    assert [] == list(store.find(search_key=f"{GONE} 4711"))
    assert () == store.find_by_message_id(GONE, f"{GONE}/done")
    assert 2 == len(list(store.find(search_key=f"{STAYS} 4711")))
    with database.read() as tx:
        for table in (data_keys, intake_keys):
            assert {STAYS} == set(tx.scalars(select(table.c.mandant)))
        assert not set(tx.scalars(select(search_keys.c.nachricht_id))) & set(gone.values())
        assert GONE not in tx.execute(select(meta.c.value).where(meta.c.name == "keks")).scalar_one()
    assert ["mandant.deletion-begun", "mandant.deleted"] == [
        entry.event.name for entry in store.events_of_installation() if entry.event.name.startswith("mandant.")
    ]


def test_a_deletion_that_broke_off_is_begun_anew(bench: Bench) -> None:
    """What was reduced is not told twice; a second deletion of the same Mandant finds nothing left."""
    store = bench.open()
    gone = _furnish(store, GONE)
    mandants = store.retention.mandants
    next(iter(mandants.reduce(mandants.shown(GONE), now=LATER, **WHO)))
    _delete(store, GONE)
    _delete(store, GONE)

    told = [[entry.event.name for entry in store.events(one)].count("nachricht.reduced") for one in gone.values()]

    assert [1] * 4 == told


def test_what_somebody_has_in_hand_is_left_and_counted(bench: Bench) -> None:
    """A lease in force is respected; one that ran out is taken away from whoever comes back."""
    store = bench.open()
    [taken] = store.take([eingang("a", mandant=GONE)])
    claim = store.claim_one(taken.nachricht_id, "w", NOW, timedelta(seconds=60))
    mandants = store.retention.mandants
    [early] = mandants.reduce(mandants.shown(GONE), now=NOW, **WHO)

    assert (0, 1, "present") == (early.reduced, early.busy, store.get(taken.nachricht_id).payload)

    [late] = mandants.reduce(mandants.shown(GONE), now=NOW + timedelta(seconds=61), **WHO)

    assert (1, 0) == (late.reduced, late.busy)
    with pytest.raises(LeaseLost):
        store.park(claim, "bug.unexpected", NOW)


def test_a_payload_that_the_disk_does_not_give_up_stops_no_deletion(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is unreadable already; the next pass of the terms removes it."""
    store = bench.open()
    _furnish(store, GONE)

    def refuse(_self: Blobs, _name: str) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(Blobs, "remove", refuse)
        assert 4 == _delete(store, GONE)
    left = list((bench.data / "blobs").glob("??/*"))
    cleared = store.retention.clear_left_overs()

    assert (4, 4, 0) == (len(left), cleared.gone, cleared.stuck)
    assert [] == list((bench.data / "blobs").glob("??/*"))


def test_the_extent_says_what_is_open(store: Store) -> None:
    """All, those that are not final, and those with a payload."""
    _furnish(store, GONE)
    extent = store.retention.mandants.extent(GONE)

    assert (4, 3, 4) == (extent.nachrichten, extent.open, extent.payloads)


def test_a_row_that_was_reduced_by_hand_is_found(bench: Bench) -> None:
    """Without the event that tells of it a missing plan is a difference."""
    store = bench.open()
    ids = _furnish(store, GONE)
    with bench.database().write() as tx:
        tx.execute(update(nachrichten).where(nachrichten.c.id == ids["done"]).values(plan={}))
    with store.audit_snapshot() as snapshot:
        assert ["plan"] == [problem.what for problem in compare_snapshot(snapshot)]


def test_a_worker_finds_its_nachricht_deleted(bench: Bench) -> None:
    """The deed that it was about to write down is lost with the lease, not written over the deletion."""
    store = bench.open()
    [taken] = store.take([eingang("a", mandant=GONE)])
    claim = store.claim_one(taken.nachricht_id, "w", NOW)
    claim = store.plan(claim, route="r", pins={}, plan={}, targets=(TARGET,), now=NOW)
    _delete(store, GONE)

    with pytest.raises(LeaseLost):
        store.intend(claim, key_of(claim), OUTPUT, LATER)
    assert "nachricht.reduced" == names(store, claim)[-1]


def test_what_is_taken_while_a_mandant_is_deleted_is_not_lost(bench: Bench) -> None:
    """A door took another one after the last look: the deletion does not end, and what was accepted is readable."""
    store = bench.open()
    _furnish(store, GONE)
    mandants = store.retention.mandants
    shown = mandants.shown(GONE)
    mandants.order(shown, is_forced=True, now=LATER, **WHO)
    list(mandants.reduce(shown, now=LATER, **WHO))
    [late] = store.take([eingang("spät", mandant=GONE, body=b"<late/>")])

    with pytest.raises(NotPossible, match="1 Nachrichten"):
        mandants.finish(GONE, now=LATER, **WHO)
    assert b"<late/>" == store.body(late.nachricht_id).read()
    assert 5 == _delete(store, GONE)
    with pytest.raises(Misconfigured, match=r"payload\.erased"):
        store.body(late.nachricht_id)


@pytest.mark.parametrize("hold", ["single", "standing"])
@pytest.mark.parametrize("is_forced", [True, False])
def test_a_hold_stops_a_deletion_wherever_it_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, hold: str, is_forced: bool
) -> None:
    """Set before the deletion begins, between two steps, or before its end: nothing it keeps is erased, nor lifted."""
    monkeypatch.setattr(mandants_module, "BATCH", 1)
    store = bench.open()
    gone, court = _furnish(store, GONE), {"actor": "c.carla", "reason": "Gericht"}
    mandants, holds = store.retention.mandants, store.retention.holds
    last = max(gone.values(), key=lambda one: (store.get(one).received_at, one))

    def held() -> bool:
        if hold == "single":
            return holds.hold(last, now=LATER, **court) == "held"
        return holds.hold_all(GONE, "", now=LATER, **court) == "held"

    def release() -> None:
        if hold == "single":
            holds.release(last, now=LATER, **court)
        else:
            holds.release_all(GONE, "", now=LATER, **court)

    shown = mandants.shown(GONE)
    assert held()
    with pytest.raises(NotPossible, match="noch einmal rufen"):
        mandants.order(shown, is_forced=is_forced, now=LATER, **WHO)
    release()
    mandants.order(shown, is_forced=is_forced, now=LATER, **WHO)
    steps = mandants.reduce(shown, now=LATER, **WHO)
    assert 1 == next(steps).reduced
    assert held()
    with pytest.raises(NotPossible, match="noch einmal rufen"):
        next(steps)

    assert {"present": 3, "erased": 1} == Counter(store.get(one).payload for one in gone.values())

    release()
    for _ in mandants.reduce(shown, now=LATER, **WHO):
        pass
    if hold == "standing":
        assert held()
        with pytest.raises(NotPossible, match="noch einmal rufen"):
            mandants.finish(GONE, now=LATER, **WHO)
        assert [GONE] == [one.mandant for one in holds.standing()]
        release()
    assert 4 == mandants.finish(GONE, now=LATER, **WHO)


def test_a_forced_deletion_ends_the_holds_that_were_there(bench: Bench) -> None:
    """With an event each, before what they held is erased; without force they stop it. The other Mandant's stays."""
    store = bench.open()
    gone = _furnish(store, GONE)
    mandants, holds = store.retention.mandants, store.retention.holds
    for mandant in MANDANTEN:
        holds.hold_all(mandant, "bauantrag", now=NOW, **WHO)
    holds.hold(gone["done"], now=NOW, **WHO)
    with pytest.raises(NotPossible, match="Route bauantrag"):
        mandants.order(mandants.shown(GONE), is_forced=False, now=LATER, **WHO)

    assert 4 == _delete(store, GONE)
    assert [STAYS] == [one.mandant for one in holds.standing()]
    assert ["hold.set", "hold.released", "payload.erased", "nachricht.reduced"] == [
        entry.event.name for entry in store.events(gone["done"])
    ][-4:]
    told = [(one.event.name, one.event.fields.get("mandant")) for one in store.events_of_installation()]
    assert [("mandant.deletion-begun", GONE), ("hold.standing-released", GONE), ("mandant.deleted", GONE)] == [
        one for one in told if one[0].startswith(("mandant.", "hold.standing-rel"))
    ]


def test_a_hold_that_was_set_anew_is_another_one(store: Store) -> None:
    """Shown, released, set again by a court: the deletion that was shown the first does not lift the second."""
    gone = _furnish(store, GONE)
    mandants, holds = store.retention.mandants, store.retention.holds
    holds.hold(gone["done"], now=NOW, **WHO)
    shown = mandants.shown(GONE)
    holds.release(gone["done"], now=LATER, **WHO)
    holds.hold(gone["done"], now=LATER, **WHO)

    with pytest.raises(NotPossible, match=gone["done"]):
        mandants.order(shown, is_forced=True, now=LATER, **WHO)


def test_what_came_in_after_it_was_shown_is_left(store: Store) -> None:
    """A deletion is of what there was when it was asked for; what is left keeps it from being ended."""
    _furnish(store, GONE)
    mandants = store.retention.mandants
    shown = mandants.shown(GONE)
    [late] = store.take([eingang("spät", mandant=GONE, body=b"<late/>")])
    mandants.order(shown, is_forced=True, now=LATER, **WHO)

    assert 4 == sum(cut.reduced for cut in mandants.reduce(shown, now=LATER, **WHO))
    assert b"<late/>" == store.body(late.nachricht_id).read()
    with pytest.raises(NotPossible, match="1 Nachrichten"):
        mandants.finish(GONE, now=LATER, **WHO)


def test_nothing_is_left_of_its_targets(bench: Bench) -> None:
    """Rests, turns, pauses and the numbers of its Vorgaenge are gone with it; those of another one stay."""
    store = bench.open()
    for mandant in MANDANTEN:
        name = f"{mandant}/bauantrag/fachverfahren"
        ref = TargetRef(name, frozenset({name}), Limits(max_parallel=2), RestRules(after_failures=1))
        claim = planned_for(store, mandant)
        for sign in (Sign.WELL, Sign.ILL):
            leave = store.targets.admit(ref, claim, key_of(claim), now=NOW)
            assert isinstance(leave, Pass)
            if sign is Sign.ILL:
                store.targets.report(replace(leave, has_turn=False), sign, code="target.unreachable", now=NOW)
        store.release(claim, NOW)
        for scope in (mandant, f"{mandant}/bauantrag"):
            store.targets.pause(scope, actor="ada", reason="Umzug", until=None, now=NOW)
    _delete(store, GONE)
    with bench.database().read() as tx:
        found = {
            "targets": tx.scalars(select(targets.c.id)).all(),
            "turns": tx.scalars(select(target_turns.c.target)).all(),
            "pauses": sorted(tx.scalars(select(target_pauses.c.scope))),
            "vorgaenge": tx.scalars(select(vorgaenge.c.mandant)).all(),
        }
    told = [one.event for one in store.events_of_installation() if one.event.name == "target.resumed"]

    name = f"{STAYS}/bauantrag/fachverfahren"
    assert {"targets": [name], "turns": [name], "pauses": [STAYS, f"{STAYS}/bauantrag"], "vorgaenge": [STAYS]} == found
    assert [(GONE, WHO["reason"]), (f"{GONE}/bauantrag", WHO["reason"])] == [
        (one.fields["target"], one.fields["reason"]) for one in told
    ]


def planned_for(store: Store, mandant: str) -> Claim:
    """A judged Nachricht of this Mandant that belongs to a Vorgang."""
    [taken] = store.take([eingang(f"{mandant}/1", mandant=mandant, vorgang="case-1")])
    claim = store.claim_one(taken.nachricht_id, "w", NOW)
    return store.plan(
        claim, route="bauantrag", pins={"mapping": "bauantrag@1"}, plan={}, targets=(TARGET,), now=NOW, vorgang="case-1"
    )
