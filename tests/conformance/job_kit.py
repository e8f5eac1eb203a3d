"""Short ways to jobs: Nachrichten that have arrived, an order over them, steps of a holder."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from intermediary.store import Claim, Store
from intermediary.store.choose import Chosen
from intermediary.store.job_records import JobHold, JobOrder, JobRecord, Step
from tests.conformance.store_kit import DELIVERED, NOW, TARGET, N, attempt, planned

ORDER = JobOrder(
    chosen=Chosen(state=N.COMPLETED),
    actor="ada",
    reason="Paket verloren",
    interval=timedelta(0),
    error_percent=20,
    redeliver=TARGET.name,
    repeat_anyway=True,
)


def arrived(store: Store, message_id: str, *, at: datetime = NOW) -> str:
    """A Nachricht that is delivered and answered."""
    claim = attempt(store, planned(store, message_id=message_id, now=at), DELIVERED, now=at)
    store.answered(claim, N.COMPLETED, {}, at)
    return claim.nachricht.id


def several(store: Store, count: int) -> list[str]:
    """So many of them, oldest first."""
    return [arrived(store, f"antrag-{n}", at=NOW + n * timedelta(seconds=1)) for n in range(count)]


def ordered(store: Store, job_id: str = "j-1", *, at: datetime = NOW, **values: object) -> JobRecord:
    """`ORDER` with other values."""
    return store.jobs.create(replace(ORDER, **values), job_id=job_id, now=at)  # type: ignore[arg-type]


def held(store: Store, owner: str = "runner", *, at: datetime = NOW) -> JobHold:
    """The one job that can be held now."""
    [hold] = store.jobs.take(owner, lambda _owner: True, at)
    return hold


def step(store: Store, hold: JobHold, *, at: datetime = NOW, most: int = 50, is_look: bool = False) -> Step:
    """One step of its holder."""
    return store.jobs.carry_out(hold, now=at, most=most, is_look=is_look)


def finish(store: Store, hold: JobHold, *, at: datetime = NOW) -> JobRecord:
    """Step until the holder has nothing to do with it any more."""
    while not (done := step(store, hold, at=at)).is_over:
        assert done.handled, "it rests"
    return store.jobs.get(hold.job_id)


def redeliveries(store: Store, nachricht_id: str) -> int:
    """How many Zustellungen it has beside the first."""
    return len(store.zustellungen(nachricht_id)) - 1


def delivered_again(store: Store, nachricht_id: str, decision: object = DELIVERED, *, at: datetime = NOW) -> Claim:
    """Its latest Zustellung gets its verdict, as by a worker."""
    claim = store.claim_one(nachricht_id, "worker", at)
    claim = attempt(store, claim, decision, now=at)  # type: ignore[arg-type]
    store.release(claim, at)
    return claim
