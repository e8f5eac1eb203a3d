"""Sealing: number what was committed, fold it into the log, keep the signed head."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from intermediary.audit.merkle import Frontier
from intermediary.audit.sealer import Head, seal
from intermediary.store.database import Database, whole
from intermediary.store.tables import audit_events, audit_heads

_BATCH = 5_000

_UNSEALED = (
    select(audit_events.c.id, audit_events.c.digest)
    .where(audit_events.c.number.is_(None))
    .order_by(audit_events.c.id)
    .limit(_BATCH)
)
_NUMBER = update(audit_events).where(audit_events.c.id == bindparam("event")).values(number=bindparam("place"))


def seal_heads(db: Database, sign: Callable[[bytes], bytes], now: datetime) -> Head | None:
    """See `Store.seal_heads`."""
    newest: Head | None = None
    while (head := _seal_once(db, sign, now)) is not None:
        newest = head
    return newest


def count_unsealed(db: Database, most: int) -> int:
    """See `Store.count_unsealed`."""
    waiting = select(audit_events.c.id).where(audit_events.c.number.is_(None)).limit(most).subquery()
    with db.read() as tx:
        return tx.execute(select(func.count()).select_from(waiting)).scalar_one()


def heads(db: Database, least_size: int) -> tuple[Head, ...]:
    """See `Store.heads`."""
    chosen = select(audit_heads.c.line).where(audit_heads.c.size >= least_size).order_by(audit_heads.c.size)
    with db.read() as tx:
        lines = tx.scalars(chosen).all()
    return tuple(Head.parse(line) for line in lines)


@whole
def _seal_once(db: Database, sign: Callable[[bytes], bytes], now: datetime) -> Head | None:
    with db.read() as tx:
        if tx.execute(_UNSEALED.limit(1)).first() is None:
            return None
    with db.write() as tx:
        db.dialect.queue_for(tx, ["sealer"])
        unsealed = tx.execute(_UNSEALED).all()
        if not unsealed:
            return None
        last, frontier = _last(tx)
        numbered = [{"event": row.id, "place": place} for place, row in enumerate(unsealed, start=frontier.size + 1)]
        tx.execute(_NUMBER, numbered)
        sealed = seal(
            installation=str(db.installation),
            last=last,
            frontier=frontier,
            digests=[row.digest for row in unsealed],
            at=now,
            sign=sign,
        )
        peaks = json.dumps([peak.hex() for peak in sealed.frontier.peaks])
        values = {"size": sealed.head.size, "line": sealed.head.line(), "frontier": peaks}
        tx.execute(insert(audit_heads), values)
        return sealed.head


def _last(tx: Connection) -> tuple[Head | None, Frontier]:
    row = tx.execute(select(audit_heads).order_by(audit_heads.c.size.desc()).limit(1).with_for_update()).first()
    if row is None:
        return None, Frontier()
    peaks = tuple(bytes.fromhex(peak) for peak in json.loads(row.frontier))
    return Head.parse(row.line), Frontier(row.size, peaks)
