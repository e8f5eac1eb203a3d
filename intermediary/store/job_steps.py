"""How a job is carried out: leased by one process at a time, in steps that are whole transactions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from intermediary.core.pace import allowance
from intermediary.store.database import Database, whole
from intermediary.store.errors import JobLost
from intermediary.store.installation import record_installation
from intermediary.store.job_items import Turn, carry_out_items, give_up_item, next_busy, next_items
from intermediary.store.job_records import SECOND, JobHold, JobState, Step
from intermediary.store.job_report import outlook
from intermediary.store.job_row import FREE, counts, locked
from intermediary.store.tables import jobs

LEASE = timedelta(seconds=15)
"""How long a job stands still when its host is lost."""

_C = jobs.c


@whole
def take(db: Database, owner: str, is_alive: Callable[[str], bool], now: datetime) -> list[JobHold]:
    free_ones = free(db, is_alive, now)
    if not free_ones:
        return []
    holds = []
    with db.write() as tx:
        chosen = select(jobs).where(_C.id.in_(free_ones)).order_by(_C.created_at).with_for_update(skip_locked=True)
        for row in tx.execute(chosen).all():
            if row.state != JobState.RUNNING or row.lease_token != free_ones[row.id]:
                continue
            values = {"lease_owner": owner, "lease_until": now + LEASE, "lease_token": row.lease_token + 1}
            tx.execute(update(jobs).where(_C.id == row.id).values(**values, started_at=row.started_at or now))
            holds.append(JobHold(row.id, row.lease_token + 1))
    return holds


def free(db: Database, is_alive: Callable[[str], bool], now: datetime) -> dict[str, int]:
    """Jobs to be carried out that nobody holds, each with the token it has."""
    with db.read() as tx:
        running = tx.execute(select(jobs).where(_C.ended_at.is_(None), _C.state == JobState.RUNNING)).all()
    return {
        row.id: row.lease_token
        for row in running
        if row.lease_owner is None or row.lease_until <= now or not is_alive(row.lease_owner)
    }


@whole
def carry_out(db: Database, hold: JobHold, now: datetime, most: int, is_look: bool) -> Step:
    with db.write() as tx:
        row = _held(tx, hold)
        if row.state != JobState.RUNNING:
            tx.execute(update(jobs).where(_C.id == row.id).values(**FREE))
            return Step(is_over=True)
        if row.cursor >= row.total and next_busy(tx, row) is None:
            return _end(db, tx, row, now)
        if is_look:
            latest = outlook(tx, row)
            if latest.is_bad(row.error_percent):
                return _brake(db, tx, row, now)
            if latest.is_flooded:
                _save(tx, row, now)
                return Step(wait=SECOND)
        interval = timedelta(microseconds=row.interval_microseconds)
        count, start = allowance(interval=interval, next_at=row.next_at, now=now, most=most)
        if not count:
            _save(tx, row, now)
            return Step(wait=start - now)
        items = next_items(tx, row, now, count)
        if not items:
            return _rest(tx, row, now)
        turn = carry_out_items(db, tx, row, items, now)
        paid = turn.counts["done"] + turn.counts["failed"]
        _save(tx, row, now, turn, next_at=start + paid * interval)
    return Step(handled=len(items))


@whole
def give_up(db: Database, hold: JobHold, code: str, now: datetime) -> None:
    with db.write() as tx:
        row = _held(tx, hold)
        for item in next_items(tx, row, now, 1):
            _save(tx, row, now, give_up_item(tx, row, item, code))


@whole
def release(db: Database, hold: JobHold) -> None:
    with db.write() as tx:
        own = update(jobs).where(_C.id == hold.job_id, _C.lease_token == hold.token)
        tx.execute(own.values(**FREE))


def _brake(db: Database, tx: Connection, row: Row[Any], now: datetime) -> Step:
    code = "job.errors"
    tx.execute(update(jobs).where(_C.id == row.id).values(state=JobState.PAUSED, code=code, **FREE))
    record_installation(db, tx, "job.paused", {"job": row.id, "code": code, "reason": ""}, now=now)
    return Step(is_over=True)


def _rest(tx: Connection, row: Row[Any], now: datetime) -> Step:
    """All had their turn but those that were busy: wait for them."""
    again = next_busy(tx, row)
    _save(tx, row, now)
    return Step(wait=max((again or now) - now, timedelta(0)))


def _end(db: Database, tx: Connection, row: Row[Any], now: datetime) -> Step:
    tx.execute(update(jobs).where(_C.id == row.id).values(state=JobState.DONE, ended_at=now, **FREE))
    record_installation(db, tx, "job.ended", {"job": row.id, "counts": counts(row)}, now=now)
    return Step(is_over=True)


def _save(
    tx: Connection, row: Row[Any], now: datetime, turn: Turn | None = None, *, next_at: datetime | None = None
) -> None:
    """Prolong the lease, with what a step did; an idle one writes only now and then."""
    if turn is None and row.lease_until - now > LEASE / 2:
        return
    values: dict[str, Any] = {"lease_until": now + LEASE}
    if turn is not None:
        values["cursor"] = turn.cursor
        counted = (("done", "done"), ("idle", "nothing"), ("failed", "failed"))
        values |= {column: row._mapping[column] + turn.counts[state] for column, state in counted}
    if next_at is not None:
        values["next_at"] = next_at
    tx.execute(update(jobs).where(_C.id == row.id).values(**values))


def _held(tx: Connection, hold: JobHold) -> Row[Any]:
    """The row, if the lease is still ours: the fence of every step."""
    row = locked(tx, hold.job_id)
    if row.lease_token != hold.token or row.lease_owner is None:
        raise JobLost(hold.job_id)
    return row
