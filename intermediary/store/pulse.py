"""Feels whether the store answers, what time it has, and how much of each Mandant waits; keeps the time between processes.

The time of an installation (`core/clock.py`) is remembered in `meta`: for every boot of a host the moment at which it would
have been started, and the newest moment seen. What is due and what is leased is told in that time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Table,
    delete,
    func,
    insert,
    inspect,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.expression import ColumnElement

from intermediary.core.clock import Memory
from intermediary.core.faults import Transient
from intermediary.store import tables
from intermediary.store.database import Database, translated, whole
from intermediary.store.dialects import Dialect, Postgres, Sqlite
from intermediary.store.installation import record_installation
from intermediary.store.tables import meta, nachrichten, zustellungen

_CLOCK = "clock:"
_KEPT = timedelta(days=90)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_ALL = select(meta).where(meta.c.name.startswith(_CLOCK))
_NEWEST = select(func.max(nachrichten.c.received_at))
_WAITING = select(nachrichten.c.mandant, func.count()).where(nachrichten.c.due_at.is_not(None))

MOVING: Mapping[Table, tuple[str, ...]] = {
    nachrichten: ("due_at", "own_due_at", "since", "lease_until"),
    zustellungen: ("due_at", "since", "until"),
    tables.alerts: ("due_at",),
    tables.approvals: ("expires_at",),
    tables.incidents: ("quiet_since",),
    tables.jobs: ("next_at", "lease_until"),
    tables.job_items: ("again_at",),
    tables.targets: ("since", "rest_until", "return_began_at", "return_last_at", "passes_at", "queue_ends_at"),
    tables.target_turns: ("began_at",),
    tables.target_pauses: ("until",),
}
"""The moments that say when something is to happen, or since when a deadline counts: they move when the time is set."""

STAYING: Mapping[Table, tuple[str, ...]] = {
    nachrichten: ("received_at", "state_since", "held_since"),
    zustellungen: ("intended_at",),
    tables.delivery_steps: ("done_at",),
    tables.search_keys: ("received_at",),
    tables.alerts: ("made_at", "sent_at"),
    tables.approvals: ("created_at", "decided_at", "used_at"),
    tables.incidents: ("first_seen", "last_seen", "opened_at", "ended_at", "acknowledged_at"),
    tables.jobs: ("created_at", "started_at", "ended_at"),
    tables.target_pauses: ("paused_at",),
    tables.data_keys: ("created_at",),
    tables.intake_keys: ("taken_at",),
    tables.vorgaenge: ("last_at",),
    tables.holds: ("since",),
}
"""The moments that testify when something happened: what was written down stays as it was."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One answer of the store: the clock of its server, None where it has none, and what it remembers of the time."""

    server: datetime | None
    memory: Memory


class Pulse:
    """For the lookout of every process; all raise `Transient("store.unavailable")` when the store does not answer."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def feel(self, boot_id: str) -> Beat:
        """Ask the store for a sign of life; a server that takes no writes does not live (F7)."""
        return _feel(self._db.engine, self._db.dialect, boot_id)

    def waiting(self) -> dict[str, int]:
        """How many Nachrichten of each Mandant are open and not parked; takes longer, the more wait."""
        with self._db.read() as tx:
            return {row[0]: row[1] for row in tx.execute(_WAITING.group_by(nachrichten.c.mandant))}

    def remember(self, boot_id: str, *, zero: datetime, now: datetime) -> None:
        """Write down the zero of this boot and the newest moment; zeros of boots long past are forgotten."""
        _remember(self._db, boot_id, zero, now)

    def set_time(
        self, boot_id: str, *, zero: datetime, shift: timedelta, now: datetime, actor: str, fields: Mapping[str, Any]
    ) -> int:
        """A person says that the time is right: it is `shift` later (or earlier) than it was told, from now on.

        What is due, leased or counts towards a deadline moves by as much, so that nothing becomes due, late or free by
        that alone; other hosts take the time up anew. How many Nachrichten moved.
        """
        return _set_time(self._db, boot_id, zero, shift, now, actor, fields)


def feel_store(data: Path, url: str, boot_id: str) -> Beat | None:
    """The same for who only looks: nothing is created or migrated; None when there is no store yet."""
    dialect: Dialect = Postgres(url) if url else Sqlite(data / "store.db")
    if not dialect.exists():
        return None
    engine = dialect.engine()
    try:
        with dialect.reading(engine) as connection:
            if not inspect(connection).has_table(meta.name):
                return None
        return _feel(engine, dialect, boot_id)
    except DBAPIError as failure:
        raise Transient("store.unavailable", where=dialect.place) from failure
    finally:
        engine.dispose()


def _feel(engine: Engine, dialect: Dialect, boot_id: str) -> Beat:
    with translated(), engine.connect() as connection, connection.begin():
        row = connection.execute(dialect.pulse).one()
        memory = _memory(connection, boot_id)
    if row.is_read_only:
        raise Transient("store.unavailable", where="database takes no writes")
    return Beat(None if row.now is None else _EPOCH + row.now * _MICROSECOND, memory)


@whole
def _remember(db: Database, boot_id: str, zero: datetime, now: datetime) -> None:
    name = f"{_CLOCK}{boot_id}"
    value = json.dumps({"zero": _micro(zero), "seen": _micro(now)})
    with db.write() as tx:
        if tx.execute(update(meta).where(meta.c.name == name).values(value=value)).rowcount:
            return
        db.dialect.queue_for(tx, [name])
        _put(tx, name, value)
        for other, (_zero, seen) in _rows(tx).items():
            if seen < now - _KEPT:
                tx.execute(delete(meta).where(meta.c.name == other))


@whole
def _set_time(
    db: Database,
    boot_id: str,
    zero: datetime,
    shift: timedelta,
    now: datetime,
    actor: str,
    fields: Mapping[str, Any],
) -> int:
    own = f"{_CLOCK}{boot_id}"
    with db.write() as tx:
        db.dialect.queue_for(tx, [own])
        is_waiting = (nachrichten.c.due_at.is_not(None)) | (nachrichten.c.lease_until.is_not(None))
        moving = select(nachrichten.c.id).where(is_waiting)
        of_waiting = {zustellungen: zustellungen.c.nachricht_id.in_(moving), nachrichten: is_waiting}
        for table in MOVING.keys() - of_waiting.keys():
            _shift(tx, table, true(), shift)
        moved = [_shift(tx, table, condition, shift) for table, condition in of_waiting.items()][-1]
        tx.execute(delete(meta).where(meta.c.name.startswith(_CLOCK)).where(meta.c.name != own))
        _put(tx, own, json.dumps({"zero": _micro(zero), "seen": _micro(now)}))
        record_installation(db, tx, "clock.accepted", {**fields, "moved": moved}, now=now, actor=actor)
    return moved


def _shift(tx: Connection, table: Table, condition: ColumnElement[bool], shift: timedelta) -> int:
    """Move the moments of these rows; what is not set stays so."""
    by = shift // _MICROSECOND
    moved = {name: _number(table.c[name]) + by for name in MOVING[table]}
    count: int = tx.execute(update(table).where(condition).values(moved)).rowcount
    return count


def _number(column: Column[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger)


def _memory(tx: Connection, boot_id: str) -> Memory:
    rows = _rows(tx)
    own = rows.get(f"{_CLOCK}{boot_id}")
    if own is not None:
        return Memory(zero=own[0], newest=own[1])
    newest = tx.execute(_NEWEST).scalar_one_or_none()
    seen = [seen for _zero, seen in rows.values()]
    return Memory(newest=max([*seen, *([newest] if newest is not None else [])], default=None))


def _rows(tx: Connection) -> dict[str, tuple[datetime, datetime]]:
    """Zero and newest moment by name."""
    found = {row.name: json.loads(row.value) for row in tx.execute(_ALL)}
    return {name: (_moment(one["zero"]), _moment(one["seen"])) for name, one in found.items()}


def _put(tx: Connection, name: str, value: str) -> None:
    if not tx.execute(update(meta).where(meta.c.name == name).values(value=value)).rowcount:
        tx.execute(insert(meta), {"name": name, "value": value})


def _micro(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(micro: int) -> datetime:
    return _EPOCH + micro * _MICROSECOND
