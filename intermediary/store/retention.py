"""Erases what is due: payloads by erasing their data keys, hashed ids after their term; in small batches, at any time.

A term is counted from the moment the events name, not from a column: what somebody wrote behind the store's back erases
nothing early. Whatever is erased is erased once, on however many hosts this runs at the same moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select, text, tuple_, update

from intermediary.audit.chain import moment
from intermediary.audit.standing import last_move
from intermediary.core.retention import Rule
from intermediary.core.states import FINAL, NachrichtState
from intermediary.store import forgotten, rows
from intermediary.store.database import Database, translated, whole
from intermediary.store.ended import forget_ended
from intermediary.store.erasure import BATCH, ERASED, NOBODYS, Place, erase_keys
from intermediary.store.holds import QUEUE, Holds, StandingHold, standing
from intermediary.store.installation import record_installation
from intermediary.store.mandants import Mandants
from intermediary.store.tables import (
    KEPT,
    LEFT_OVER,
    audit_events,
    intake_keys,
    nachrichten,
    search_keys,
)
from intermediary.store.work import Work

_MEMORY_BATCH = 2_000

_REASON = "Aufbewahrungsfrist"
_N = nachrichten.c
_IS_KEPT, _IS_LEFT_OVER = text(KEPT), text(LEFT_OVER)
_SINCE = func.coalesce(_N.state_since, _N.received_at)


@dataclass(frozen=True, slots=True)
class Group:
    """Nachrichten that one rule holds for; `route` is empty for what was refused before it had one."""

    mandant: str
    route: str
    state: NachrichtState


@dataclass(frozen=True, slots=True)
class Bite:
    """What one transaction did: how many it erased, and where to go on; `after` is None at the end of the group."""

    erased: int
    after: Place | None


@dataclass(frozen=True, slots=True)
class Cleared:
    """Left-over blobs that are gone now, and that could not be removed; `after` is None at the end."""

    gone: int
    stuck: int
    after: str | None


class Retention:
    """What a term ends for. Made by `Store.retention`; whoever obeys the terms uses `store.erasing`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @property
    def holds(self) -> Holds:
        """What a person keeps from being erased."""
        return Holds(self._db)

    @property
    def mandants(self) -> Mandants:
        """The end of a Mandant."""
        return Mandants(self._db)

    def groups(self) -> Iterator[Group]:
        """All groups that have a payload and nothing for the machine to do; one look into the index for each."""
        last = ("", "", "")
        columns = (_N.mandant, _N.route, _N.state)
        while True:
            chosen = select(*columns).where(_IS_KEPT, tuple_(*columns) > last).order_by(*columns).limit(1)
            with self._db.read() as tx:
                row = tx.execute(chosen).one_or_none()
            if row is None:
                return
            last = (row.mandant, row.route, row.state)
            yield Group(row.mandant, row.route, NachrichtState(row.state))

    def count(self, group: Group, until: datetime, *, since: datetime | None = None) -> int:
        """How many of a group reached their state by `until` (and after `since`); those held by themselves are left out."""
        chosen = select(func.count()).where(*_of(group), _N.held_since.is_(None), until >= _SINCE)
        chosen = chosen.where(_N.received_at <= until)
        if since is not None:
            chosen = chosen.where(since < _SINCE)
        with self._db.read() as tx:
            return tx.execute(chosen).scalar_one()

    def erase(self, group: Group, rule: Rule, *, now: datetime, after: Place | None = None, most: int = BATCH) -> Bite:
        """Erase the payloads of a group whose term is over, the oldest first, at most `most` of them looked at.

        In one transaction data key and sealed headers go, and `payload.erased` names the rule; then the blob. What is
        held, leased, or has been parked is left alone.
        """
        bite, blobs = _erase(self._db, group, rule, now, after, most)
        for blob in blobs:
            with suppress(OSError):  # unreadable already, and the next pass looks again
                self._db.blobs.remove(blob)
        return bite

    def clear_left_overs(self, after: str = "", most: int = BATCH) -> Cleared:
        """Remove blobs of erased payloads whose file may be there still: once more in the pass after their erasure.

        Behind the Nachricht `after`, in the order of ids; what the disk does not give up is left for the next pass.
        """
        chosen = select(_N.id, _N.blob).where(_IS_LEFT_OVER, _N.id > after).order_by(_N.id).limit(most)
        with self._db.read() as tx:
            found = tx.execute(chosen).all()
        gone = []
        for row in found:
            with suppress(OSError):
                self._db.blobs.remove(row.blob)
                gone.append(row.id)
        if gone:
            _forget_blobs(self._db, gone)
        return Cleared(len(gone), len(found) - len(gone), found[-1].id if len(found) == most else None)

    def forget_message_ids(self, until: datetime, *, now: datetime, most: int = _MEMORY_BATCH) -> int:
        """Erase the hashed message ids that were taken before `until`, without those of what is held; how many."""
        return _forget_message_ids(self._db, until, now, most)

    def forget_search_keys(self, until: datetime, *, now: datetime, most: int = _MEMORY_BATCH) -> int:
        """Erase the hashed search keys of Nachrichten received before `until`, without those of what is held.

        How many Nachrichten were looked at.
        """
        return _forget_search_keys(self._db, until, now, most)

    def forget_ended(self, until: datetime, *, now: datetime) -> int:
        """Forget what jobs and incidents that ended by `until` leave behind, a part at a time; how much."""
        return forget_ended(self._db, until, now)

    def tidy(self) -> bool:
        """After an erasure: let the engine drop what its own files keep of it; False when readers were in the way."""
        engine, done = self._db.engine, list[Any]()
        with translated(), closing(engine.raw_connection()) as connection:
            try:
                for statement in self._db.dialect.after_erasure:
                    cursor = connection.cursor()
                    cursor.execute(statement)
                    done += cursor.fetchall()
            except engine.dialect.loaded_dbapi.Error:
                connection.invalidate()  # whatever was set on it must not stay
                return False
        return all(row[0] == 0 for row in done if len(row) == 3)


def _of(group: Group) -> tuple[Any, ...]:
    return (_IS_KEPT, _N.mandant == group.mandant, _N.route == group.route, _N.state == group.state)


@whole
def _erase(
    db: Database, group: Group, rule: Rule, now: datetime, after: Place | None, most: int
) -> tuple[Bite, list[str]]:
    until = now - rule.term
    if group.state not in FINAL:
        raise ValueError("what is not final waits for a person")
    with db.write() as tx:
        db.dialect.queue_for(tx, [QUEUE])
        if any(one.covers(group.mandant, group.route) for one in standing(tx)):
            return Bite(0, None), []
        found = tx.execute(_candidates(group, until, now, after, most)).all()
        due = _due(tx, found, until)
        belonging = rows.zustellungen_of(tx, [row.id for row in due])
        for row in due:
            work = Work(tx, row, belonging[row.id], now)
            work.event("payload.erased", {"reason": _REASON, "rule": str(rule)})
            work.change(**ERASED)
            work.save()
        ids = [row.id for row in due]
        erase_keys(tx, ids)
        tx.execute(update(nachrichten).where(_N.id.in_(ids), _N.lease_owner.is_not(None)).values(**NOBODYS))
    last = found[-1] if len(found) == most else None
    return Bite(len(ids), (last.received_at, last.id) if last else None), [row.blob for row in due]


def _candidates(group: Group, until: datetime, now: datetime, after: Place | None, most: int) -> Any:
    chosen = select(nachrichten).where(
        *_of(group),
        _N.received_at <= until,
        or_(_N.state_since.is_(None), _N.state_since <= until),
        _N.held_since.is_(None),
        or_(_N.lease_owner.is_(None), _N.lease_until <= now),
    )
    if after is not None:
        chosen = chosen.where(tuple_(_N.received_at, _N.id) > after)
    return chosen.order_by(_N.received_at, _N.id).limit(most).with_for_update(skip_locked=True)


def _due(tx: Connection, found: Sequence[Row[Any]], until: datetime) -> list[Row[Any]]:
    """Those whose events say so too; where they say later, that is written down."""
    ids = [row.id for row in found]
    chains: dict[str, list[bytes]] = {one: [] for one in ids}
    columns = audit_events.c
    chosen = select(columns.chain, columns.body).where(columns.chain.in_(ids)).order_by(columns.chain, columns.seq)
    for chain, body in tx.execute(chosen):
        chains[chain].append(body)
    due: list[Row[Any]] = []
    for row in found:
        told = last_move(chains[row.id])
        if told is None or told[0] != row.state:
            continue  # `audit verify` names it; nothing is erased on the word of a row alone
        if told[1] <= until:
            due.append(row)
        else:
            tx.execute(update(nachrichten).where(_N.id == row.id).values(state_since=told[1]))
    return due


@whole
def _forget_blobs(db: Database, ids: Sequence[str]) -> None:
    with db.write() as tx:
        tx.execute(update(nachrichten).where(_N.id.in_(ids), _IS_LEFT_OVER).values(blob=""))


@whole
def _forget_message_ids(db: Database, until: datetime, now: datetime, most: int) -> int:
    """What is held is stepped over each time, so it is looked for before anybody waits."""
    key = tuple(intake_keys.primary_key)
    with db.read() as tx:
        old = select(*key).where(intake_keys.c.taken_at <= until, *_without_hold(tx))
        found = [tuple(row) for row in tx.execute(old.order_by(intake_keys.c.taken_at).limit(most))]
    if not found:
        return 0
    with db.write() as tx:
        db.dialect.queue_for(tx, [QUEUE])
        gone = tx.execute(delete(intake_keys).where(tuple_(*key).in_(found), *_without_hold(tx)))
        if gone.rowcount:
            _tell(db, tx, "message-ids", until, gone.rowcount, now)
        return gone.rowcount


def _without_hold(tx: Connection) -> list[ColumnElement[bool]]:
    """Of `intake_keys`, those whose Nachricht is not held, by itself or by a standing hold."""
    known = standing(tx)
    whole_mandanten = sorted({one.mandant for one in known if not one.route})
    routes = [and_(_N.mandant == one.mandant, _N.route == one.route) for one in known if one.route]
    held = select(_N.id).where(_N.id == intake_keys.c.nachricht_id, or_(_N.held_since.is_not(None), *routes))
    return [intake_keys.c.mandant.not_in(whole_mandanten), ~held.correlate(intake_keys).exists()]


@whole
def _forget_search_keys(db: Database, until: datetime, now: datetime, most: int) -> int:
    """In the order of receipt, from where the last call ended: that is kept, so that nothing is looked at twice."""
    with db.write() as tx:
        db.dialect.queue_for(tx, [QUEUE])
        old = select(_N.id, _N.received_at, _N.mandant, _N.route, _N.held_since).where(_N.received_at <= until)
        last = forgotten.read(tx)
        if last is not None:
            old = old.where(tuple_(_N.received_at, _N.id) > last)
        found = tx.execute(old.order_by(_N.received_at, _N.id).limit(most)).all()
        if not found:
            return 0
        known = standing(tx)
        free = [one for one, _at, *row in found if not _is_held(*row, known=known)]
        gone = tx.execute(delete(search_keys).where(search_keys.c.nachricht_id.in_(free)))
        forgotten.write(tx, (found[-1].received_at, found[-1].id))
        if gone.rowcount:
            _tell(db, tx, "search-keys", until, gone.rowcount, now)
        return len(found)


def _is_held(mandant: str, route: str, since: datetime | None, *, known: Iterable[StandingHold]) -> bool:
    return since is not None or any(one.covers(mandant, route) for one in known)


def _tell(db: Database, tx: Connection, what: str, until: datetime, count: int, now: datetime) -> None:
    fields = {"what": what, "until": moment(until), "count": count}
    record_installation(db, tx, "memory.forgotten", fields, now=now)
