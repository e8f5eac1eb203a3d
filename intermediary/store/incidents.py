"""Incidents in the store: what every look found is followed here, so that any number of hosts tell of it once."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, select, update

from intermediary.core.incidents import Course, Pace, Sighting, Step, fingerprint, step
from intermediary.store.database import Database, whole
from intermediary.store.errors import Ambiguous, NotFound, NotPossible
from intermediary.store.installation import record_installation
from intermediary.store.tables import alerts, incidents

_NOTED = timedelta(minutes=1)
"""`last_seen` is written no more often than this while nothing else changes."""

_I = incidents.c
_COLUMNS = tuple(incidents.c)
_LIVE = _I.ended_at.is_(None)


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """One incident: `count` Nachrichten now (or at last), `most` at once; all Mandanten it has ever concerned.

    `quiet_since`: no look has found it since. `ended_at` None: open.
    """

    id: str
    code: str
    place: str
    count: int
    most: int
    mandanten: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime
    quiet_since: datetime | None
    ended_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    acknowledged_reason: str


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One alert to one way: sent (`sent_at`), or due again at `due_at` because of `code` after `attempts`."""

    phase: Literal["opened", "ended"]
    way: str
    attempts: int
    code: str
    due_at: datetime | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look has changed: the incidents that it opened and ended."""

    opened: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()


class Incidents:
    """The incidents of an installation; `Store.incidents`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def see(self, sightings: Iterable[Sighting], *, pace: Pace, ways: Collection[str], now: datetime) -> Seen:
        """Take note of everything one look found, and of what it did not find any more; safe from any number of hosts.

        What opens or ends gets one alert for each of `ways`, in the same transaction.
        """
        found = {fingerprint(one.code, one.place): one for one in _joined(sightings)}
        if not found and not self._has_live():
            return Seen()
        return _see(self._db, found, pace, tuple(ways), now)

    def acknowledge(self, incident_id: str, *, actor: str, reason: str, now: datetime) -> None:
        """A person has taken it on; `NotFound`, or `NotPossible` when it is over or somebody has already."""
        _acknowledge(self._db, incident_id, actor, reason, now)

    def newest(self, *, is_open: bool | None = None, limit: int = 100) -> tuple[IncidentRecord, ...]:
        """Incidents, newest first; only open or only ended ones when asked."""
        chosen = select(*_COLUMNS).where(_I.opened_at.is_not(None))
        if is_open is not None:
            chosen = chosen.where(_LIVE if is_open else _I.ended_at.is_not(None))
        chosen = chosen.order_by(_I.opened_at.desc(), _I.id).limit(limit)
        with self._db.read() as tx:
            return tuple(_record(row) for row in tx.execute(chosen))

    def get(self, prefix: str) -> IncidentRecord:
        """The incident whose id begins so; `NotFound` or `Ambiguous`."""
        chosen = select(*_COLUMNS).where(_I.id >= prefix, _I.id < prefix + "~", _I.opened_at.is_not(None)).limit(2)
        with self._db.read() as tx:
            rows = tx.execute(chosen).all() if prefix else []
        if not rows:
            raise NotFound(prefix)
        if len(rows) > 1:
            raise Ambiguous(prefix)
        return _record(rows[0])

    def alerts_of(self, incident_id: str) -> tuple[AlertRecord, ...]:
        """Its alerts, in the order they were made."""
        chosen = select(alerts).where(alerts.c.incident_id == incident_id).order_by(alerts.c.made_at, alerts.c.way)
        with self._db.read() as tx:
            return tuple(
                AlertRecord(row.phase, row.way, row.attempts, row.code, row.due_at, row.sent_at)
                for row in tx.execute(chosen)
            )

    def open_of(self, pairs: Iterable[tuple[str, str]]) -> tuple[IncidentRecord, ...]:
        """The open incidents with one of these codes and places; for the explanation of one Nachricht."""
        keys = sorted({fingerprint(code, place) for code, place in pairs})
        chosen = select(*_COLUMNS).where(_LIVE, _I.opened_at.is_not(None), _I.fingerprint.in_(keys))
        with self._db.read() as tx:
            return tuple(_record(row) for row in tx.execute(chosen.order_by(_I.opened_at)))

    def _has_live(self) -> bool:
        with self._db.read() as tx:
            return tx.execute(select(_I.id).where(_LIVE).limit(1)).first() is not None


def _joined(sightings: Iterable[Sighting]) -> Iterable[Sighting]:
    """One sighting for what is told more than once, as what waits and what is parked with one code at one place."""
    known: dict[tuple[str, str], Sighting] = {}
    for one in sightings:
        before = known.get((one.code, one.place), replace(one, count=0))
        known[one.code, one.place] = replace(
            one,
            formerly=tuple(dict.fromkeys((*before.formerly, *one.formerly))),
            count=before.count + one.count,
            mandanten=before.mandanten | one.mandanten,
            patience=min(before.patience, one.patience),
        )
    return known.values()


@whole
def _see(db: Database, found: Mapping[str, Sighting], pace: Pace, ways: tuple[str, ...], now: datetime) -> Seen:
    with db.write() as tx:
        db.dialect.queue_for(tx, ["incidents"])
        live = {row.fingerprint: row for row in tx.execute(select(incidents).where(_LIVE))}
        _carry_on(db, tx, live, found, ways, now)
        opened, ended = [], []
        for key in sorted({*found, *live}):
            row, sighting = live.get(key), found.get(key)
            match step(_course(row), sighting, pace=pace, now=now):
                case Step.NOTE | Step.OPEN | Step.KEEP as done if sighting is not None:
                    own = _note(db, tx, key, row, sighting, now, begins=done is Step.NOTE)
                    if done is Step.OPEN:
                        _open(db, tx, own, sighting, ways, now)
                        opened.append(own)
                case Step.CALM if row is not None:
                    tx.execute(update(incidents).where(_I.id == row.id).values(quiet_since=now))
                case Step.END if row is not None:
                    _end(db, tx, row, ways, now)
                    ended.append(row.id)
                case Step.FORGET if row is not None:
                    tx.execute(delete(incidents).where(_I.id == row.id))
        return Seen(tuple(opened), tuple(ended))


def _carry_on(
    db: Database,
    tx: Connection,
    live: dict[str, Row[Any]],
    found: Mapping[str, Sighting],
    ways: tuple[str, ...],
    now: datetime,
) -> None:
    """Give what is known under a former name, and found under it no more, the name that it is found under now."""
    for key, sighting in sorted(found.items()):
        former = (fingerprint(*name) for name in sighting.formerly)
        before = next((one for one in former if one in live and one not in found), None)
        if key in live or before is None:
            continue
        row = live.pop(before)
        names = {"names": sorted(sighting.mandanten)}
        values = {"fingerprint": key, "code": sighting.code, "place": sighting.place, "mandanten": names}
        tx.execute(update(incidents).where(_I.id == row.id).values(**values))
        live[key] = tx.execute(select(incidents).where(_I.id == row.id)).one()
        if sighting.is_news and row.opened_at is not None:
            _tell_opened(db, tx, row.id, sighting, ways, now)


def _course(row: Row[Any] | None) -> Course | None:
    return None if row is None else Course(row.first_seen, row.last_seen, row.opened_at, row.quiet_since)


def _note(
    db: Database, tx: Connection, key: str, row: Row[Any] | None, sighting: Sighting, now: datetime, *, begins: bool
) -> str:
    """Write down that it was found; its id."""
    if row is None:
        own = str(uuid.uuid5(db.installation, f"incident\n{key}\n{now.isoformat()}"))
        values = {
            "id": own,
            "fingerprint": key,
            "code": sighting.code,
            "place": sighting.place,
            "affected": sighting.count,
            "most": sighting.count,
            "mandanten": {"names": sorted(sighting.mandanten)},
            "first_seen": now,
            "last_seen": now,
            "acknowledged_by": "",
            "acknowledged_reason": "",
        }
        tx.execute(insert(incidents), values)
        return own
    mandanten = sorted({*row.mandanten.get("names", ()), *sighting.mandanten})
    changed: dict[str, Any] = {"first_seen": now} if begins else {}
    if row.affected != sighting.count or row.mandanten.get("names") != mandanten or row.quiet_since is not None:
        changed |= {
            "affected": sighting.count,
            "most": max(row.most, sighting.count),
            "mandanten": {"names": mandanten},
            "quiet_since": None,
        }
    if changed or row.opened_at is None or now - row.last_seen >= _NOTED:
        tx.execute(update(incidents).where(_I.id == row.id).values(last_seen=now, **changed))
    return str(row.id)


def _open(db: Database, tx: Connection, own: str, sighting: Sighting, ways: tuple[str, ...], now: datetime) -> None:
    tx.execute(update(incidents).where(_I.id == own).values(opened_at=now))
    _tell_opened(db, tx, own, sighting, ways, now)


def _tell_opened(
    db: Database, tx: Connection, own: str, sighting: Sighting, ways: tuple[str, ...], now: datetime
) -> None:
    fields = {"incident": own, "code": sighting.code, "place": sighting.place, "count": sighting.count}
    record_installation(db, tx, "incident.opened", fields, now=now)
    _alert(db, tx, own, "opened", fingerprint(sighting.code, sighting.place), ways, now)


def _end(db: Database, tx: Connection, row: Row[Any], ways: tuple[str, ...], now: datetime) -> None:
    tx.execute(update(incidents).where(_I.id == row.id).values(ended_at=now, affected=0))
    fields = {"incident": row.id, "code": row.code, "place": row.place, "most": row.most}
    record_installation(db, tx, "incident.ended", fields, now=now)
    _alert(db, tx, row.id, "ended", row.fingerprint, ways, now)


def _alert(db: Database, tx: Connection, own: str, phase: str, key: str, ways: tuple[str, ...], now: datetime) -> None:
    made = [
        {
            "id": str(uuid.uuid5(db.installation, f"alert\n{own}\n{phase}\n{way}\n{key}")),
            "incident_id": own,
            "phase": phase,
            "way": way,
            "made_at": now,
            "due_at": now,
            "attempts": 0,
            "code": "",
            "lease_token": 0,
            "sent_at": None,
        }
        for way in ways
    ]
    if made:
        tx.execute(insert(alerts), made)


@whole
def _acknowledge(db: Database, incident_id: str, actor: str, reason: str, now: datetime) -> None:
    with db.write() as tx:
        chosen = select(incidents).where(_I.id == incident_id, _I.opened_at.is_not(None)).with_for_update()
        row = tx.execute(chosen).one_or_none()
        if row is None:
            raise NotFound(incident_id)
        if row.ended_at is not None or row.acknowledged_at is not None:
            raise NotPossible("the incident is over, or somebody has taken it on already")
        values = {"acknowledged_at": now, "acknowledged_by": actor, "acknowledged_reason": reason}
        tx.execute(update(incidents).where(_I.id == incident_id).values(**values))
        fields = {"incident": incident_id, "code": row.code, "place": row.place, "reason": reason}
        record_installation(db, tx, "incident.acknowledged", fields, now=now, actor=actor)


def _record(row: Row[Any]) -> IncidentRecord:
    return IncidentRecord(
        id=row.id,
        code=row.code,
        place=row.place,
        count=row.affected,
        most=row.most,
        mandanten=tuple(row.mandanten.get("names", ())),
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        opened_at=row.opened_at,
        quiet_since=row.quiet_since,
        ended_at=row.ended_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        acknowledged_reason=row.acknowledged_reason,
    )
