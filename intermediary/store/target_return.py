"""The return of what waited for a target: one to try it when its rest is over, then the others bit by bit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, or_, select, update

from intermediary.core.breaker import Health, TargetState, without_prober
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.core.targets import TargetRef, in_scope
from intermediary.core.turns import Return, let_go
from intermediary.store import target_rows
from intermediary.store.columns import Moment
from intermediary.store.database import Database, whole
from intermediary.store.tables import nachrichten, targets, zustellungen
from intermediary.store.target_pauses import end_those_over
from intermediary.store.target_rows import RESTING, TargetRecord

_N = NachrichtState
_TRIES = timedelta(seconds=5)
"""So long has the one that was woken to try a target; then the next one is."""

_NOW = bindparam("now", type_=Moment)
_FREE = or_(nachrichten.c.lease_owner.is_(None), nachrichten.c.lease_until <= _NOW)
"""In nobody's hands: a claim's holder writes what it knows, and would undo that its Nachricht was made due."""

_TO_TEND = (
    select(targets.c.id)
    .where(
        or_(
            targets.c.state == TargetState.PROBING,
            select(zustellungen.c.key).where(target_rows.held(targets.c.id, _NOW)).exists(),
        )
    )
    .where(or_(targets.c.state != TargetState.RESTS, targets.c.rest_until <= _NOW))
    .order_by(targets.c.id)
)
_FOLLOWS = or_(
    and_(nachrichten.c.state == _N.PLANNED, nachrichten.c.own_due_at.is_(None)),
    nachrichten.c.state.in_((_N.ANSWERING, _N.COMPLETED, _N.REJECTED)),
)
"""Where a Zustellung that is due makes its Nachricht due (`store/due.py`)."""


def tend(db: Database, refs: Sequence[TargetRef], now: datetime) -> int:
    """See `Targets.tend`."""
    end_those_over(db, now)
    with db.read() as tx:
        found = tx.scalars(_TO_TEND, {"now": now}).all()
    by_id = {ref.id: ref for ref in refs}
    return sum(_tend_one(db, by_id.get(one, TargetRef(one, frozenset({one}))), now) for one in found)


@whole
def _tend_one(db: Database, ref: TargetRef, now: datetime) -> int:
    with db.write() as tx:
        db.dialect.queue_for(tx, [target_rows.lock_name(ref.id)])
        before = target_rows.load(tx, ref.id, now)
        record = replace(before, health=_with_prober_alive(tx, before.health, now))
        record, count = _share(record, now)
        woken = _wake(tx, _chosen(tx, ref, record, count, now), now) if count else 0
        if not woken:
            record = replace(record, progress=before.progress)
        if record != before:
            target_rows.save(tx, record)
        return woken


def _with_prober_alive(tx: Connection, health: Health, now: datetime) -> Health:
    if health.state is not TargetState.PROBING:
        return health
    is_alive = health.probe is not None and target_rows.is_alive(tx, health.probe, now)
    return health if is_alive else without_prober(health, now)


def _share(record: TargetRecord, now: datetime) -> tuple[TargetRecord, int]:
    """How many may go now, and the record once they have."""
    if record.health.state is TargetState.WORKS:
        progress, count = let_go(record.progress, normal_per_minute=record.normal_per_minute, now=now)
        return replace(record, progress=progress), count
    last = record.progress.last_at
    is_tried = last is not None and timedelta(0) <= now - last < _TRIES
    if not record.health.is_over(now) or is_tried:
        return record, 0
    return replace(record, progress=Return(None, now)), 1


def _chosen(tx: Connection, ref: TargetRef, record: TargetRecord, count: int, now: datetime) -> Sequence[Any]:
    """The oldest; to try it, the next after the one that tried last, so that one that fails for itself is not asked for all.

    While the target is paused only what is to be looked up goes on. Nachrichten in somebody's hands come next time.
    """
    is_paused = in_scope(ref, [one.scope for one in target_rows.pauses(tx) if one.holds(now)]) is not None
    wanted = select(zustellungen.c.key, zustellungen.c.nachricht_id).where(target_rows.held(ref.id, now))
    wanted = wanted.where(
        select(nachrichten.c.id).where(nachrichten.c.id == zustellungen.c.nachricht_id, _FREE).exists()
    )
    if is_paused:
        wanted = wanted.where(zustellungen.c.state == ZustellungState.UNCLEAR, zustellungen.c.code == RESTING)
    if record.health.state is not TargetState.WORKS:
        wanted = wanted.order_by(_had_its_turn(record.health.tried))
    return tx.execute(wanted.order_by(zustellungen.c.since, zustellungen.c.key).limit(count), {"now": now}).all()


def _had_its_turn(tried: str) -> ColumnElement[int]:
    """1 for whoever is not behind this one: attempts would not tell, since not every one that fails counts."""
    last = select(zustellungen.c.since).where(zustellungen.c.key == tried).scalar_subquery()
    is_behind = or_(zustellungen.c.since > last, and_(zustellungen.c.since == last, zustellungen.c.key > tried))
    return case((is_behind, 0), else_=1)


def _wake(tx: Connection, chosen: Collection[Any], now: datetime) -> int:
    """Make them due; those in somebody's hands at this moment are left for the next time."""
    ids = sorted({one.nachricht_id for one in chosen})
    if not ids:
        return 0
    lock = select(nachrichten.c.id).where(nachrichten.c.id.in_(ids), _FREE).order_by(nachrichten.c.id)
    free = set(tx.scalars(lock.with_for_update(skip_locked=True), {"now": now}))
    keys = [one.key for one in chosen if one.nachricht_id in free]
    still_held = and_(zustellungen.c.key.in_(keys), target_rows.held(zustellungen.c.waits_for, now))
    woken: int = tx.execute(update(zustellungen).where(still_held).values(due_at=now)).rowcount
    later = or_(nachrichten.c.due_at.is_(None), nachrichten.c.due_at > now)
    tx.execute(update(nachrichten).where(nachrichten.c.id.in_(sorted(free)), _FOLLOWS, later).values(due_at=now))
    return woken
