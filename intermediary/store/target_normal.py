"""What a target took before its trouble: measured when it begins to rest, so that nothing is counted while it works."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select

from intermediary.core.states import ZustellungState
from intermediary.core.targets import TargetRef
from intermediary.store import target_rows
from intermediary.store.database import Database, whole
from intermediary.store.tables import nachrichten, zustellungen
from intermediary.store.target_rows import TargetRecord

_SPAN = timedelta(minutes=10)
_MOST = 10_000
_MINUTE = timedelta(minutes=1)


def normal_per_minute(db: Database, ref: TargetRef, now: datetime) -> int | None:
    """How many arrived there per minute since the first that was received in the last ten minutes; None: there is none.

    Looks at the newest 10,000 at most.
    """
    mandant = ref.id.partition("/")[0]
    names = [name.split("/") for name in sorted(ref.names)]
    goes_there = or_(*(and_(nachrichten.c.route == name[1], zustellungen.c.target == name[2]) for name in names))
    newest = (
        select(nachrichten.c.received_at)
        .join(zustellungen, zustellungen.c.nachricht_id == nachrichten.c.id)
        .where(nachrichten.c.mandant == mandant)
        .where(nachrichten.c.received_at > now - _SPAN)
        .where(zustellungen.c.state == ZustellungState.DELIVERED)
        .where(goes_there)
        .order_by(nachrichten.c.received_at.desc())
        .limit(_MOST)
        .subquery()
    )
    with db.read() as tx:
        count, oldest = tx.execute(select(func.count(), func.min(newest.c.received_at)).select_from(newest)).one()
    if not count:
        return None
    per_minute = count / (max(now - oldest, _MINUTE) / _MINUTE)
    return max(1, int(per_minute))


@whole
def remember_normal(db: Database, ref: TargetRef, per_minute: int, now: datetime) -> TargetRecord:
    """Keep it beside the target's health."""
    with db.write() as tx:
        db.dialect.queue_for(tx, [target_rows.lock_name(ref.id)])
        record = replace(target_rows.load(tx, ref.id, now), normal_per_minute=per_minute)
        target_rows.save(tx, record)
        return record
