"""What ended jobs and incidents leave behind, forgotten a fixed time after their end; the audit trail stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Text, delete, select, tuple_, type_coerce, update

from intermediary.audit.chain import moment
from intermediary.store.database import Database, whole
from intermediary.store.holds import QUEUE
from intermediary.store.installation import record_installation
from intermediary.store.tables import alerts, incidents, job_items, jobs

KEPT = timedelta(days=90)
"""From the end of a job to when it is forgotten which Nachrichten it moved; from the end of an incident to its own."""

_MOST = 1_000
_HASHES = "key_hashes"


@whole
def forget_ended(db: Database, until: datetime, now: datetime) -> int:
    """Forget a bounded part of what ended by `until`; how much, 0 when nothing is left.

    Of a job stay its order, its sums and that it looked for a business key; of an incident nothing.
    """
    with db.write() as tx:
        db.dialect.queue_for(tx, [QUEUE])
        count = _forget_items(tx, until) or _forget_hashes(tx, until) or _forget_incidents(tx, until)
        if count:
            fields = {"what": "ended", "until": moment(until), "count": count}
            record_installation(db, tx, "memory.forgotten", fields, now=now)
        return count


def _forget_items(tx: Connection, until: datetime) -> int:
    key = (job_items.c.job_id, job_items.c.position)
    ended = select(jobs.c.id).where(jobs.c.ended_at <= until)
    chosen = select(*key).where(job_items.c.job_id.in_(ended)).order_by(*key).limit(_MOST)
    found = [tuple(row) for row in tx.execute(chosen)]
    if found:
        tx.execute(delete(job_items).where(tuple_(*key).in_(found)))
    return len(found)


def _forget_hashes(tx: Connection, until: datetime) -> int:
    """The keyed hash of what somebody looked for; that there was one stays to be seen."""
    has_hashes = type_coerce(jobs.c.selection, Text()).contains(f'"{_HASHES}"', autoescape=True)
    found = tx.execute(
        select(jobs.c.id, jobs.c.selection).where(jobs.c.ended_at <= until, has_hashes).limit(_MOST)
    ).all()
    for row in found:
        rest: dict[str, Any] = {name: value for name, value in row.selection.items() if name != _HASHES}
        tx.execute(update(jobs).where(jobs.c.id == row.id).values(selection={**rest, "key": "…"}))
    return len(found)


def _forget_incidents(tx: Connection, until: datetime) -> int:
    ids = tx.scalars(select(incidents.c.id).where(incidents.c.ended_at <= until).limit(_MOST)).all()
    if ids:
        tx.execute(delete(alerts).where(alerts.c.incident_id.in_(ids)))
        tx.execute(delete(incidents).where(incidents.c.id.in_(ids)))
    return len(ids)
