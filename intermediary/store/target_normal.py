"""What a target took before its trouble: measured when it begins to rest, so that nothing is counted while it works."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select

from intermediary.core.states import ZustellungState
from intermediary.core.targets import TargetRef
from intermediary.store.database import Database
from intermediary.store.tables import nachrichten, zustellungen

_SPAN = timedelta(minutes=10)
_MOST = 10_000


def normal_per_minute(db: Database, ref: TargetRef, now: datetime) -> int | None:
    """How many arrived there per minute, of what was received in the last ten minutes; None when nothing was.

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
    span = _SPAN if count < _MOST else max(now - oldest, timedelta(seconds=1))
    per_minute = count / (span / timedelta(minutes=1))
    return max(1, int(per_minute))
