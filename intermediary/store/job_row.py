"""The row of a job: read, locked, and told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from intermediary.store.errors import JobNotFound
from intermediary.store.job_records import SECOND, JobRecord, JobState
from intermediary.store.tables import jobs

FREE: dict[str, Any] = {"lease_owner": None, "lease_until": None}


def locked(tx: Connection, job_id: str) -> Row[Any]:
    """The row, which nobody else changes until the transaction ends; `JobNotFound`."""
    row = tx.execute(select(jobs).where(jobs.c.id == job_id).with_for_update()).one_or_none()
    if row is None:
        raise JobNotFound(job_id)
    return row


def counts(row: Row[Any]) -> dict[str, int]:
    """How many had their turn, for the audit trail."""
    return {"total": row.total, "done": row.done, "nothing": row.idle, "failed": row.failed}


def rate(interval: timedelta) -> str:
    """Per second, for the audit trail, which knows no fractions; empty for no limit."""
    return f"{SECOND / interval:.3f}" if interval else ""


def record(row: Row[Any]) -> JobRecord:
    """The record in a row."""
    known = {name: row._mapping[name] for name in JobRecord.__slots__ if name in row._mapping}
    interval = timedelta(microseconds=row.interval_microseconds)
    changed = {"state": JobState(row.state), "interval": interval, "lease_owner": row.lease_owner or ""}
    return JobRecord(**{**known, **changed})
