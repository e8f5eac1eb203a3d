"""One claim of ordinary work: the Mandanten in their turn, and none of them beyond its limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from intermediary.store.database import Database
from intermediary.store.leasing import AT_WORK, WHO_HAS_WORK
from intermediary.store.tables import nachrichten


def lease_fairly(db: Database, tx: Connection, asked: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """Lease what is due; one statement, and two more only for Mandanten with a limit. Empty when there is nothing."""
    fair = db.fair
    if fair.is_to_look(asked["now"]):
        fair.learn(tx.scalars(WHO_HAS_WORK))
    now = asked["now"]
    full = _full(db, tx, now)
    while True:
        leased = tx.execute(db.dialect.claim, {**asked, "turns": fair.turns(without=full)}).all()
        kept = _within_limits(db, tx, leased, now) if fair.limited else leased
        fair.worked(row.mandant for row in kept)
        if kept or not leased:
            return kept
        full.update(row.mandant for row in leased)


def _full(db: Database, tx: Connection, now: datetime) -> set[str]:
    """The Mandanten that have as many Nachrichten at work as they may."""
    return {name for name, count in _at_work(tx, db.fair.limited, now).items() if count >= _limit(db, name)}


def _within_limits(db: Database, tx: Connection, leased: Sequence[Row[Any]], now: datetime) -> Sequence[Row[Any]]:
    """Give back what is too much of a Mandant: another host may have leased of it at the same moment.

    Whoever leases of such a Mandant queues here until the commit, so the last one sees all others.
    """
    limited = sorted({row.mandant for row in leased} & db.fair.limited)
    if not limited:
        return leased
    db.dialect.queue_for(tx, [f"at-once {mandant}" for mandant in limited])
    excess = {name: count - _limit(db, name) for name, count in _at_work(tx, limited, now).items()}
    kept: list[Row[Any]] = []
    back: list[str] = []
    seen = Counter(row.mandant for row in leased)
    for row in leased:
        seen[row.mandant] -= 1
        if seen[row.mandant] < excess.get(row.mandant, 0):
            back.append(row.id)
        else:
            kept.append(row)
    if back:
        free = {"lease_owner": None, "lease_until": None, "took_over": False}
        tx.execute(update(nachrichten).where(nachrichten.c.id.in_(back)).values(**free))
    return kept


def _at_work(tx: Connection, mandanten: Sequence[str] | frozenset[str], now: datetime) -> dict[str, int]:
    if not mandanten:
        return {}
    return {row.mandant: row.at_work for row in tx.execute(AT_WORK, {"limited": sorted(mandanten), "now": now})}


def _limit(db: Database, mandant: str) -> int:
    limit = db.fair.most_at_once(mandant)
    if limit is None:
        raise LookupError("the Mandant has no limit")
    return limit
