"""Any engine: what jobs and incidents leave behind is forgotten some months after their end; what still runs is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from intermediary.core.incidents import Pace, Sighting
from intermediary.core.retention import Terms
from intermediary.store import Store
from intermediary.store.choose import Chosen
from intermediary.store.erasing import Pass
from intermediary.store.job_records import JobState
from intermediary.store.tables import alerts, incidents, job_items, jobs
from tests.conformance.job_kit import finish, held, ordered, several
from tests.conformance.store_kit import NOW, TARGET, Bench, N, claimed

DAY = timedelta(days=1)
KEPT = 90 * DAY


def _run(store: Store, now: datetime) -> dict[str, int]:
    """A whole pass; what was forgotten, by kind."""
    whole = Pass(store.retention, Terms(()), dedupe=3650 * DAY, search=3650 * DAY)
    done: dict[str, int] = {}
    for step in whole.steps(now):
        done[step.what] = done.get(step.what, 0) + step.count
    return done


def _count(bench: Bench, table: object) -> int:
    with bench.database().read() as tx:
        return tx.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def test_an_ended_job_keeps_its_sum(bench: Bench) -> None:
    """Which Nachrichten it moved is forgotten, and the hash of what was looked for; how many they were stays."""
    store = bench.open()
    several(store, 3)
    claim = claimed(store, "gesucht")
    keys = {"aktenzeichen": "4711/26"}
    claim = store.plan(claim, route="r", pins={}, plan={}, targets=(TARGET,), now=NOW, search_keys=keys)
    store.release(claim, NOW)
    ordered(store, "j-1")
    finish(store, held(store))
    ordered(store, "j-2", chosen=Chosen(search_key="4711/26"), redeliver="")
    finish(store, held(store))
    ordered(store, "j-3", chosen=Chosen(state=N.PLANNED), redeliver="", waits=True)

    assert {} == {what: count for what, count in _run(store, NOW + KEPT - DAY).items() if count}
    assert "key_hashes" in store.jobs.get("j-2").selection

    _run(store, NOW + KEPT)
    with bench.database().read() as tx:
        left = set(tx.scalars(select(job_items.c.job_id)))
    report = store.jobs.report("j-1")

    assert {"j-3"} == left
    assert "key_hashes" not in store.jobs.get("j-2").selection
    assert (3, 3, JobState.DONE) == (report.job.total, report.job.done, report.job.state)
    assert {} == dict(report.done)
    assert 3 == _count(bench, jobs)
    assert {"ended"} == {
        one.event.fields["what"] for one in store.events_of_installation() if one.event.name == "memory.forgotten"
    }
    assert {} == {what: count for what, count in _run(store, NOW + KEPT + DAY).items() if count}


def test_an_ended_incident_goes_with_its_alerts(bench: Bench) -> None:
    """Some months after its end; one that is open stays however old it is."""
    store = bench.open()
    pace = Pace(timedelta(seconds=300), gap=timedelta(seconds=90))

    def look(*codes: str, at: datetime) -> None:
        store.watch.incidents.see([Sighting(code, "channel a", 1) for code in codes], pace=pace, ways=("log",), now=at)

    look("route.missing", "target.full", at=NOW)
    look("target.full", at=NOW + timedelta(seconds=60))
    look("target.full", at=NOW + timedelta(seconds=600))
    _run(store, NOW + KEPT)
    before = _count(bench, incidents)
    _run(store, NOW + KEPT + timedelta(seconds=600))

    assert (2, 1, 1) == (before, _count(bench, incidents), _count(bench, alerts))
    assert ["target.full"] == [one.code for one in store.watch.incidents.newest()]
