"""Legal holds: what a person keeps from being erased, one Nachricht at a time or everything of a Mandant to come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from intermediary.store import forgotten, rows
from intermediary.store.database import Database, whole
from intermediary.store.errors import NotPossible
from intermediary.store.installation import record_installation
from intermediary.store.records import NachrichtRecord
from intermediary.store.tables import holds, nachrichten
from intermediary.store.work import without_claim

QUEUE = "retention"
"""Erasing and holding wait for each other under this name: what is held when `set` returns is never erased after it."""

Outcome = Literal["held", "released", "unchanged", "erased", "other"]
"""`other`: there is a hold, and another one than the person means."""


_HELD = select(nachrichten.c.mandant, nachrichten.c.route, nachrichten.c.held_since).where(
    nachrichten.c.id == bindparam("wanted")
)


@dataclass(frozen=True, slots=True)
class StandingHold:
    """Everything of a Mandant, or of one of its routes, now and to come; `route` is empty for every route."""

    mandant: str
    route: str
    since: datetime
    actor: str
    reason: str

    def covers(self, mandant: str, route: str) -> bool:
        """Whether Nachrichten of this Mandant and route are held by it."""
        return self.mandant == mandant and self.route in ("", route)


@dataclass(frozen=True, slots=True)
class SingleHold:
    """A Nachricht that is held by itself: who held it, and why; both empty where the event of it cannot be read."""

    nachricht: NachrichtRecord
    since: datetime
    actor: str
    reason: str


class Holds:
    """Sets and releases holds; every change is in the audit trail with its actor and reason. Made by `Store.holds`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def hold(self, nachricht_id: str, *, actor: str, reason: str, now: datetime) -> Outcome:
        """Keep one Nachricht; `erased`: too late, `unchanged`: is held already, by whatever reason. `NotFound`."""
        return _hold(self._db, nachricht_id, actor=actor, reason=reason, now=now)

    def release(
        self, nachricht_id: str, *, actor: str, reason: str, now: datetime, since: datetime | None = None
    ) -> Outcome:
        """Let the terms hold again for one Nachricht; `unchanged` when it was not held by itself. `NotFound`.

        With `since` only the hold that was set at that moment is meant: `other` when it is held by a later one.
        """
        return _release(self._db, nachricht_id, since, actor=actor, reason=reason, now=now)

    def hold_all(self, mandant: str, route: str, *, actor: str, reason: str, now: datetime) -> Outcome:
        """Keep everything of a Mandant (of one route, if it is not empty), also what comes later."""
        return _hold_all(self._db, mandant, route, actor=actor, reason=reason, now=now)

    def release_all(
        self, mandant: str, route: str, *, actor: str, reason: str, now: datetime, since: datetime | None = None
    ) -> Outcome:
        """End a hold of `hold_all`; holds of single Nachrichten stay. `since` as in `release`."""
        return _release_all(self._db, mandant, route, since, actor=actor, reason=reason, now=now)

    def standing(self) -> tuple[StandingHold, ...]:
        """All holds of `hold_all`, by Mandant and route."""
        with self._db.read() as tx:
            return standing(tx)

    def single(self, mandant: str | None = None) -> Iterator[NachrichtRecord]:
        """The Nachrichten that are held by themselves, oldest first."""
        chosen = select(*rows.NACHRICHT_COLUMNS).where(nachrichten.c.held_since.is_not(None))
        if mandant is not None:
            chosen = chosen.where(nachrichten.c.mandant == mandant)
        ordered = chosen.order_by(nachrichten.c.received_at, nachrichten.c.id)
        with self._db.read() as tx:
            yield from [rows.nachricht(row) for row in tx.execute(ordered)]

    def count(self, mandant: str) -> int:
        """How many Nachrichten of a Mandant are held, by themselves or by a hold of their Mandant or route."""
        with self._db.read() as tx:
            own = select(func.count()).where(nachrichten.c.mandant == mandant, nachrichten.c.payload == "present")
            routes = {one.route for one in standing(tx) if one.mandant == mandant}
            if "" in routes:
                return tx.execute(own).scalar_one()
            held = nachrichten.c.held_since.is_not(None)
            return tx.execute(own.where(held | nachrichten.c.route.in_(sorted(routes)))).scalar_one()


def standing(tx: Connection) -> tuple[StandingHold, ...]:
    """All standing holds."""
    return tuple(StandingHold(**row._mapping) for row in tx.execute(select(holds).order_by(*holds.primary_key)))


def standing_of(tx: Connection, mandant: str) -> tuple[StandingHold, ...]:
    """The standing holds of a Mandant and of its routes."""
    return tuple(one for one in standing(tx) if one.mandant == mandant)


def demand_free(tx: Connection, nachricht_id: str) -> None:
    """`NotPossible` when the Nachricht is held: for whoever erases on a person's order, queued behind `QUEUE`.

    The row is read, since a claim may be older than the hold.
    """
    row = tx.execute(_HELD, {"wanted": nachricht_id}).one()
    if row.held_since is not None or any(one.covers(row.mandant, row.route) for one in standing(tx)):
        raise NotPossible("the Nachricht is on hold: release the hold first")


@whole
def _hold(db: Database, nachricht_id: str, *, actor: str, reason: str, now: datetime) -> Outcome:
    with db.write() as tx:
        db.dialect.queue_for(tx, [QUEUE])
        work = without_claim(tx, nachricht_id, now)
        if work.nachricht.payload == "erased":
            return "erased"
        if work.nachricht.held_since is not None:
            return "unchanged"
        work.event("hold.set", {"reason": reason}, actor=actor)
        work.change(held_since=now)
        work.save()
        return "held"


@whole
def _release(
    db: Database, nachricht_id: str, since: datetime | None, *, actor: str, reason: str, now: datetime
) -> Outcome:
    with db.write() as tx:
        db.dialect.queue_for(tx, [QUEUE])
        work = without_claim(tx, nachricht_id, now)
        if work.nachricht.held_since is None:
            return "unchanged"
        if since not in (None, work.nachricht.held_since):
            return "other"
        work.event("hold.released", {"reason": reason}, actor=actor)
        work.change(held_since=None)
        work.save()
        forgotten.look_again(tx, work.nachricht.received_at)
        return "released"


@whole
def _hold_all(db: Database, mandant: str, route: str, *, actor: str, reason: str, now: datetime) -> Outcome:
    with db.write() as tx:
        db.dialect.queue_for(tx, [QUEUE])
        if _since(tx, mandant, route) is not None:
            return "unchanged"
        record_installation(
            db, tx, "hold.standing-set", {"mandant": mandant, "route": route, "reason": reason}, now=now, actor=actor
        )
        values = {"mandant": mandant, "route": route, "since": now, "actor": actor, "reason": reason}
        tx.execute(insert(holds), values)
        return "held"


@whole
def _release_all(
    db: Database, mandant: str, route: str, since: datetime | None, *, actor: str, reason: str, now: datetime
) -> Outcome:
    with db.write() as tx:
        db.dialect.queue_for(tx, [QUEUE])
        there = _since(tx, mandant, route)
        if there is None:
            return "unchanged"
        if since not in (None, there):
            return "other"
        end_standing(db, tx, mandant, route, actor=actor, reason=reason, now=now)
        return "released"


def end_standing(
    db: Database, tx: Connection, mandant: str, route: str, *, actor: str, reason: str, now: datetime
) -> None:
    """End a standing hold and tell of it, as a part of a transaction that is queued behind `QUEUE`."""
    fields = {"mandant": mandant, "route": route, "reason": reason}
    record_installation(db, tx, "hold.standing-released", fields, now=now, actor=actor)
    tx.execute(delete(holds).where(holds.c.mandant == mandant, holds.c.route == route))
    oldest = select(func.min(nachrichten.c.received_at)).where(nachrichten.c.mandant == mandant)
    forgotten.look_again(tx, tx.execute(oldest).scalar_one())


def _since(tx: Connection, mandant: str, route: str) -> datetime | None:
    chosen = select(holds.c.since).where(holds.c.mandant == mandant, holds.c.route == route)
    return tx.execute(chosen).scalar_one_or_none()


def held_by(nachricht: NachrichtRecord, known: Iterable[StandingHold]) -> bool:
    """Whether it is held by itself or by one of these."""
    return nachricht.held_since is not None or any(one.covers(nachricht.mandant, nachricht.route) for one in known)
