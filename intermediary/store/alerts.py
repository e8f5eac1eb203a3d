"""Alerts on their way out: one row per incident, phase and way, leased by whoever sends it, due again until it is sent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select, update

from intermediary.store.database import Database, whole
from intermediary.store.incidents import IncidentRecord, Incidents
from intermediary.store.tables import alerts

LEASE = timedelta(seconds=60)
"""How long the sender of an alert may take before another one sends it: longer than any of our ways."""

_A = alerts.c


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert in hand. `id` is the same for every attempt, so that its receiver can tell a repetition."""

    id: str
    incident: IncidentRecord
    phase: Literal["opened", "ended"]
    way: str
    attempts: int
    token: int


class Alerts:
    """What is to be told to people; `Store.alerts`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def take(self, ways: Collection[str], now: datetime) -> Alert | None:
        """Lease the alert that is longest due; the end of an incident only after its beginning has been told."""
        return _take(self._db, tuple(ways), now)

    def sent(self, alert: Alert, now: datetime) -> None:
        """It has arrived; does nothing when somebody else has taken it over meanwhile."""
        _settle(self._db, alert, due_at=None, code="", sent_at=now)

    def failed(self, alert: Alert, code: str, again_at: datetime) -> None:
        """It did not arrive, or nobody knows; tried again at that moment."""
        _settle(self._db, alert, due_at=again_at, code=code, sent_at=None)

    def count_unsent(self, ways: Collection[str], *, since: datetime) -> dict[str, int]:
        """How many alerts of each way were made before that moment, have been tried, and have not arrived."""
        chosen = (
            select(_A.way, func.count().label("number"))
            .where(_A.due_at.is_not(None), _A.made_at < since, _A.attempts > 0, _A.way.in_(tuple(ways)))
            .group_by(_A.way)
        )
        with self._db.read() as tx:
            return {row.way: row.number for row in tx.execute(chosen)}


@whole
def _take(db: Database, ways: tuple[str, ...], now: datetime) -> Alert | None:
    earlier = alerts.alias("earlier")
    is_first_told = ~(
        select(earlier.c.id)
        .where(earlier.c.incident_id == _A.incident_id, earlier.c.way == _A.way, earlier.c.phase == "opened")
        .where(earlier.c.due_at.is_not(None), _A.phase == "ended")
        .exists()
    )
    chosen = select(alerts).where(_A.due_at.is_not(None), _A.due_at <= now, _A.way.in_(ways), is_first_told)
    chosen = chosen.order_by(_A.due_at, _A.id).limit(1)
    with db.read() as tx:
        if tx.execute(chosen).first() is None:
            return None
    with db.write() as tx:
        db.dialect.queue_for(tx, ["alerts"])
        row = tx.execute(chosen).first()
        if row is None:
            return None
        values = {"due_at": now + LEASE, "attempts": row.attempts + 1, "lease_token": row.lease_token + 1}
        tx.execute(update(alerts).where(_A.id == row.id).values(**values))
    incident = Incidents(db).get(row.incident_id)
    return Alert(row.id, incident, row.phase, row.way, row.attempts + 1, row.lease_token + 1)


@whole
def _settle(db: Database, alert: Alert, *, due_at: datetime | None, code: str, sent_at: datetime | None) -> None:
    mine = update(alerts).where(_A.id == alert.id, _A.lease_token == alert.token, _A.due_at.is_not(None))
    with db.write() as tx:
        tx.execute(mine.values(due_at=due_at, code=code, sent_at=sent_at))
