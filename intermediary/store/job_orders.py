"""What people order of a job: to begin, to pause, to go on, to end; each one transaction with its event."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from intermediary.audit.chain import canonical as as_bytes
from intermediary.core.values import EMPTY
from intermediary.store.choose import canonical
from intermediary.store.database import Database, whole
from intermediary.store.errors import JobOpen, NothingChosen, NotPossible
from intermediary.store.installation import record_installation
from intermediary.store.job_items import freeze
from intermediary.store.job_records import JobOrder, JobRecord, JobState
from intermediary.store.job_row import FREE, counts, locked, rate, record
from intermediary.store.tables import jobs

RECENT = timedelta(minutes=10)
"""An equal redelivery within this time is a double click unless the order says otherwise."""

_C = jobs.c


@whole
def create(db: Database, order: JobOrder, job_id: str, now: datetime) -> JobRecord:
    selection = canonical(db, order.chosen)
    options: dict[str, Any] = {
        "redeliver": order.redeliver,
        "with_current": order.with_current,
        "repeat_anyway": order.repeat_anyway,
    }
    kind = "replay"
    print_ = hashlib.sha256(as_bytes({"kind": kind, "selection": selection, "options": options})).hexdigest()
    with db.write() as tx:
        db.dialect.queue_for(tx, [f"job {print_}", f"redelivery {order.redeliver}"])
        _demand_new(tx, print_, order, now)
        limits = {"tells_doubles": [list(pair) for pair in order.tells_doubles]}
        row = {
            "id": job_id,
            "kind": kind,
            "selection": selection,
            "options": {**options, **limits, **({} if order.acts is None else {"acts": list(order.acts)})},
            "fingerprint": print_,
            "actor": order.actor,
            "reason": order.reason,
            "state": JobState.ASKED if order.waits else JobState.RUNNING,
            "code": "",
            "interval_microseconds": order.interval // timedelta(microseconds=1),
            "error_percent": order.error_percent,
            **dict.fromkeys(("total", "done", "idle", "failed", "cursor", "round_from", "lease_token"), 0),
            "created_at": now,
            "next_at": now,
        }
        tx.execute(insert(jobs), row)
        total = freeze(db, tx, job_id, order.chosen, redeliver=order.redeliver)
        if not total:
            raise NothingChosen("no Nachricht meets the selection")
        tx.execute(update(jobs).where(_C.id == job_id).values(total=total))
        fields = {
            "job": job_id,
            "kind": kind,
            "selection": _told(selection),
            "options": {**options, "rate": rate(order.interval), "error_percent": order.error_percent},
            "total": total,
            "reason": order.reason,
        }
        record_installation(db, tx, "job.started", fields, now=now, actor=order.actor)
        return record(tx.execute(select(jobs).where(_C.id == job_id)).one())


def _demand_new(tx: Connection, print_: str, order: JobOrder, now: datetime) -> None:
    equal = select(jobs).where(_C.fingerprint == print_).order_by(_C.created_at.desc()).limit(1)
    last = tx.execute(equal).one_or_none()
    if last is None:
        return
    is_double = bool(order.redeliver) and not order.forgets and now - last.created_at < RECENT
    if last.ended_at is None or is_double:
        raise JobOpen(last.id)


def _told(selection: Mapping[str, Any]) -> dict[str, Any]:
    """For the audit trail: ids as their number and hash, everything else as it is."""
    told = {name: value for name, value in selection.items() if name != "ids"}
    if "ids" in selection:
        ids = selection["ids"]
        told |= {"ids": len(ids), "ids_sha256": hashlib.sha256("\n".join(ids).encode()).hexdigest()}
    return told


@whole
def move(
    db: Database,
    job_id: str,
    states: set[JobState],
    state: JobState,
    *,
    actor: str,
    reason: str,
    now: datetime,
    interval: timedelta | None = None,
    approved: Mapping[str, str] = EMPTY,
) -> JobRecord:
    with db.write() as tx:
        row = locked(tx, job_id)
        if JobState(row.state) not in states:
            raise NotPossible(f"the job is {row.state}")
        values: dict[str, Any] = {"state": state, "code": ""}
        if approved:
            values["options"] = {**row.options, "approved": dict(approved)}
        fields: dict[str, Any] = {"job": row.id, "reason": reason}
        match state:
            case JobState.RUNNING:
                asked = row.interval_microseconds if interval is None else interval // timedelta(microseconds=1)
                values |= {"interval_microseconds": asked, "round_from": row.cursor, "next_at": now}
                fields |= {"rate": rate(timedelta(microseconds=asked))}
                event = "job.resumed"
            case JobState.PAUSED:
                event = "job.paused"
                fields |= {"code": ""}
            case _:
                event = "job.stopped"
                values |= {"ended_at": now, **FREE}
                fields |= {"counts": counts(row)}
        tx.execute(update(jobs).where(_C.id == row.id).values(**values))
        record_installation(db, tx, event, fields, now=now, actor=actor)
        return record(tx.execute(select(jobs).where(_C.id == row.id)).one())
