"""Any engine: the rows of one moment come back whole, and nothing that may have happened since is done blindly (F22)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from intermediary.core.decide import Decision
from intermediary.core.faults import Misconfigured
from intermediary.operations.prove import compare_rows
from intermediary.store import NotPossible, Store
from intermediary.store.approvals import Approval, ApprovalState
from intermediary.store.copy import Place
from intermediary.store.foresee import foresee
from intermediary.store.job_records import JobState
from intermediary.store.restore import Doubtful, Loss, Restoration, count_doubtful, open_rows, restore_rows
from tests.conformance.job_kit import ordered, several
from tests.conformance.store_kit import (
    DELIVERED,
    INSTALLATION,
    NOW,
    SECOND,
    TARGET,
    Bench,
    N,
    Z,
    attempt,
    claimed,
    eingang,
    key_of,
    planned,
)

LATER = NOW + timedelta(hours=5)
HOW = Restoration(
    "lauf",
    "ab" * 32,
    Loss(0, 0),
    actor="adler",
    reason="Platte verloren",
    doubt=timedelta(hours=24),
    sign=lambda _statement: b"s" * 64,
)
PARK = Decision(Z.PARKED, "delivery.deadline")


@pytest.fixture
def new_url(request: pytest.FixtureRequest, bench: Bench) -> Callable[[], str]:
    """Another empty database on the same engine."""
    return lambda: request.getfixturevalue("postgres").database() if bench.url else ""


def _furnish(store: Store) -> dict[str, str]:
    """One Nachricht in every situation; their ids."""
    ids = {}
    claim = planned(store, message_id="due")
    store.release(claim, NOW)
    ids["due"] = claim.nachricht.id
    claim = planned(store, message_id="intended")
    ids["intended"] = store.intend(claim, key_of(claim), TARGET.output_sha256, NOW).nachricht.id
    claim = attempt(store, planned(store, message_id="parked"), PARK)
    store.release(claim, NOW)
    ids["parked"] = claim.nachricht.id
    claim = attempt(store, planned(store, message_id="done"), DELIVERED)
    store.answered(claim, N.COMPLETED, {}, NOW)
    ids["done"] = claim.nachricht.id
    ids["held"] = claimed(store, "held").nachricht.id
    [taken] = store.take([eingang("received")])
    ids["received"] = taken.nachricht_id
    return ids


def _backed_up(bench: Bench, store: Store, folder: Path) -> Path:
    folder.mkdir()
    store.backups.write(
        rows=folder / "rows.db",
        keys=folder / "keys.jsonl",
        blobs=folder / "blobs.txt",
        watch=lambda rows, *_: iter(rows),
    )
    return folder


def _restored(bench: Bench, backup: Path, url: str, folder: Path, *, how: Restoration = HOW) -> tuple[Bench, Doubtful]:
    rows = folder.with_suffix(".db")
    shutil.copy(backup / "rows.db", rows)
    source = open_rows(
        rows, backup / "keys.jsonl", pool=bench.data / "blobs", keys=bench.keys, installation=INSTALLATION
    )
    try:
        counted = count_doubtful(source)
        shutil.copytree(bench.data / "blobs", folder / "blobs")
        found = restore_rows(source, Place(folder, url, bench.keys), how, watch=lambda rows, *_: iter(rows), now=LATER)
        assert counted == found
        return Bench(folder, bench.keys, url), found
    finally:
        source.close()


@pytest.fixture
def scene(bench: Bench, new_url: Callable[[], str], tmp_path: Path) -> tuple[dict[str, str], Store, Doubtful]:
    """What became of the furnished store after it was backed up, went on, was lost, and came back."""
    before = bench.open()
    ids = _furnish(before)
    backup = _backed_up(bench, before, tmp_path / "backup")
    other, found = _restored(bench, backup, new_url(), tmp_path / "neu")
    store = other.open()
    bench.opened.append(store)
    return ids, store, found


def test_what_may_have_happened_is_in_doubt(scene: tuple[dict[str, str], Store, Doubtful]) -> None:
    """Due and intended ones are asked for, parked ones say so, verdicts stay; every row is as its events tell."""
    ids, store, found = scene
    states = {name: [(z.state, z.code) for z in store.zustellungen(one)] for name, one in ids.items()}

    assert Doubtful(unclear=2, parked=1, unjudged=2, answering=0) == found
    assert [(Z.UNCLEAR, "delivery.restored")] == states["due"] == states["intended"]
    assert [(Z.PARKED, "delivery.restored")] == states["parked"]
    assert [(Z.DELIVERED, "")] == states["done"]
    assert [] == states["received"]
    with store.audit_snapshot() as snapshot:
        list(snapshot.lines)
        list(snapshot.ends)
        assert [] == list(compare_rows(snapshot.beside))
    assert "backup.restored" == store.events_of_installation()[-1].event.name
    assert all(store.body(one).read() == b"<Antrag/>" for one in ids.values())


def test_leases_of_the_lost_are_void(scene: tuple[dict[str, str], Store, Doubtful]) -> None:
    """Who held something is gone: it is claimed at once, and counts nothing against the Nachricht."""
    ids, store, _found = scene
    claim = store.claim_one(ids["held"], "w9", LATER)

    assert 0 == claim.nachricht.unexplained
    assert not store.has_suspect(LATER)


@pytest.mark.parametrize(
    ("received", "at", "state"),
    [
        ("before the backup", LATER + timedelta(days=30), Z.UNCLEAR),
        ("soon after the restore", LATER + SECOND, Z.UNCLEAR),
        ("long after", LATER + timedelta(hours=24), Z.DUE),
    ],
)
def test_a_first_attempt_may_be_a_second_one(
    scene: tuple[dict[str, str], Store, Doubtful], received: str, at: datetime, state: Z
) -> None:
    """What the backup had not judged is asked for whenever it is; what comes in new, while senders may repeat themselves."""
    ids, store, _found = scene
    if received == "before the backup":
        claim = store.claim_one(ids["received"], "w9", at)
    else:
        claim = claimed(store, received, at=at)
    judged = store.plan(claim, route="bauantrag", pins={}, plan={}, targets=[TARGET], now=at)

    assert [state] == [one.state for one in judged.zustellungen]


def test_an_approval_is_asked_for_anew(bench: Bench, new_url: Callable[[], str], tmp_path: Path) -> None:
    """What was approved and not carried out in the backup may have been carried out since."""
    before = bench.open()
    request = Approval(
        id="4f3a2b1c",
        verb="discard",
        asked="{}",
        asked_sha256="ab" * 32,
        effect={"count": 1},
        reason="r",
        actor="adler",
        subject="adler",
        created_at=NOW,
        expires_at=NOW + timedelta(days=9),
    )
    before.approvals.ask(request)
    before.approvals.ask(replace(request, id="used"))
    for one in ("4f3a2b1c", "used"):
        before.approvals.decide(one, approves=True, actor="b", subject="b", reason="r", now=NOW)
    before.approvals.use("used", asked_sha256="ab" * 32, actor="adler", now=NOW)
    backup = _backed_up(bench, before, tmp_path / "backup")
    other, _found = _restored(bench, backup, new_url(), tmp_path / "neu")
    store = other.open()
    bench.opened.append(store)

    assert {"4f3a2b1c": ApprovalState.REFUSED, "used": ApprovalState.USED} == {
        one.id: one.state for one in store.approvals.find()
    }


def test_nothing_comes_over_something(bench: Bench, tmp_path: Path) -> None:
    """A store that holds anything is refused, and is as before."""
    before = bench.open()
    _furnish(before)
    backup = _backed_up(bench, before, tmp_path / "backup")
    seen = list(before.find())
    rows = tmp_path / "copy.db"
    shutil.copy(backup / "rows.db", rows)
    source = open_rows(
        rows, backup / "keys.jsonl", pool=bench.data / "blobs", keys=bench.keys, installation=INSTALLATION
    )

    with pytest.raises(Misconfigured, match=r"restore\.not-empty"):
        restore_rows(
            source, Place(bench.data, bench.url, bench.keys), HOW, watch=lambda rows, *_: iter(rows), now=LATER
        )
    source.close()
    assert seen == list(before.find())


def test_the_rows_hold_no_data_key(bench: Bench, tmp_path: Path) -> None:
    """They lie in a file of their own, so that they can be removed before the rest."""
    before = bench.open()
    ids = _furnish(before)
    backup = _backed_up(bench, before, tmp_path / "backup")
    wrapped = [line for line in (backup / "keys.jsonl").read_text().splitlines() if line]

    assert len(ids) == len(wrapped)
    source = open_rows(backup / "rows.db", None, pool=bench.data / "blobs", keys=bench.keys, installation=INSTALLATION)
    with pytest.raises(Misconfigured, match=r"payload\.erased"):
        Store(source).body(ids["done"])
    source.close()


def test_a_job_that_went_on_after_the_backup_is_not_begun_anew(
    bench: Bench, new_url: Callable[[], str], tmp_path: Path
) -> None:
    """What it sent again since the backup nobody knows any more: it is ended, also where nothing new is doubted."""
    before = bench.open()
    several(before, 2)
    ordered(before)
    backup = _backed_up(bench, before, tmp_path / "backup")
    without_doubt = replace(HOW, doubt=timedelta(0))
    other, _found = _restored(bench, backup, new_url(), tmp_path / "neu", how=without_doubt)
    store = other.open()
    bench.opened.append(store)

    assert [] == store.jobs.take("runner", lambda _owner: True, LATER + SECOND)
    assert (JobState.STOPPED, LATER) == (store.jobs.get("j-1").state, store.jobs.get("j-1").ended_at)
    [told] = [one.event for one in store.events_of_installation() if one.event.name == "job.stopped"]
    assert ("j-1", "backup.restored", "adler") == (told.fields["job"], told.fields["reason"], told.actor)


def test_what_is_in_doubt_is_not_judged_anew(scene: tuple[dict[str, str], Store, Doubtful]) -> None:
    """Other bytes under a key that its target may know already would be another Zustellung (G3)."""
    ids, store, _found = scene
    for name in ("due", "intended", "parked"):
        claim = store.claim_one(ids[name], "person", LATER)
        with pytest.raises(NotPossible, match="stays as it was judged"):
            store.judge_anew(claim, actor="adler", reason="neue Fassung", now=LATER)
        [effect] = foresee(claim.nachricht, claim.zustellungen, with_current=True)
        assert ("nothing", "tried") == (effect.action, effect.ground), name
