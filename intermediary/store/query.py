"""Reads: nothing here changes anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, LargeBinary, Row, cast, func, select

from intermediary.audit.chain import Entry, Event, Malformed
from intermediary.audit.sealer import Head
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.store import rows
from intermediary.store.beside import beside, holds_beside
from intermediary.store.choose import Chosen, conditions, key_hashes, refused_with
from intermediary.store.database import Database
from intermediary.store.errors import Ambiguous, NotFound
from intermediary.store.installation import installation_end
from intermediary.store.message_ids import wanted_hashes
from intermediary.store.newest import BY_MOMENT, newest, spot_of
from intermediary.store.records import AuditSnapshot, NachrichtRecord, StateLine, ZustellungRecord
from intermediary.store.search_keys import ways_to
from intermediary.store.tables import audit_events, audit_heads, intake_keys, nachrichten, zustellungen

_PAGE = 200
_N = nachrichten.c


def get(db: Database, nachricht_id: str) -> NachrichtRecord:
    """See `Store.get`."""
    with db.read() as tx:
        row = tx.execute(select(*rows.NACHRICHT_COLUMNS).where(_N.id == nachricht_id)).one_or_none()
    if row is None:
        raise NotFound(nachricht_id)
    return rows.nachricht(row)


def zustellungen_of(db: Database, nachricht_id: str) -> tuple[ZustellungRecord, ...]:
    """See `Store.zustellungen`."""
    with db.read() as tx:
        return rows.zustellungen_of_one(tx, nachricht_id)


def find(
    db: Database,
    *,
    mandant: str | None,
    state: NachrichtState | None,
    code: str | None,
    route: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int | None,
    after: str | None,
    search_key: str | None,
) -> Iterator[NachrichtRecord]:
    """See `Store.find`."""
    asked = Chosen(mandant=mandant, state=state, route=route)
    ways = [BY_MOMENT] if search_key is None else ways_to(key_hashes(db, search_key, mandant))
    ways = [way.where(*conditions(db, asked)).within(since, until) for way in ways]
    spot = None if after is None else spot_of(get(db, after))
    if code is None:
        return newest(db, ways, spot, limit)
    own = [way.where(_N.code == code, _N.code != "") for way in ways]
    waits = [way.where(_N.wait_reason == code, _N.wait_reason != "", _N.code != code) for way in ways]
    again = [way.where(*refused_with(code), _N.code != code) for way in ways]
    return newest(db, [*own, *waits, *again], spot, limit)


def find_by_message_id(
    db: Database, mandant: str, message_id: str, account: str | None = None
) -> tuple[NachrichtRecord, ...]:
    """See `Store.find_by_message_id`."""
    hashes = wanted_hashes(db, mandant, message_id, account)
    ids = select(intake_keys.c.nachricht_id).where(
        intake_keys.c.mandant == mandant, intake_keys.c.message_hash.in_(hashes)
    )
    statement = select(*rows.NACHRICHT_COLUMNS).where(_N.id.in_(ids)).order_by(_N.received_at, _N.id)
    with db.read() as tx:
        return tuple(rows.nachricht(row) for row in tx.execute(statement))


def resolve(db: Database, prefix: str) -> str:
    """See `Store.resolve`."""
    statement = select(_N.id).where(_N.id >= prefix, _N.id < prefix + "~").order_by(_N.id).limit(2)
    with db.read() as tx:
        found = tx.scalars(statement).all() if prefix else []
    if not found:
        raise NotFound(prefix)
    if len(found) > 1 and found[0] != prefix:
        raise Ambiguous(prefix)
    return str(found[0])


def events(db: Database, nachricht_id: str) -> tuple[Entry, ...]:
    """See `Store.events`."""
    with db.read() as tx:
        return chain_of(tx, nachricht_id)


def chain_of(tx: Connection, nachricht_id: str) -> tuple[Entry, ...]:
    """The chain of one Nachricht, first event first."""
    statement = select(audit_events).where(audit_events.c.chain == nachricht_id).order_by(audit_events.c.seq)
    return tuple(_entry(row.body, row.digest, row.number) for row in tx.execute(statement))


@contextmanager
def audit_snapshot(db: Database) -> Iterator[AuditSnapshot]:
    """See `Store.audit_snapshot`."""
    with db.read() as tx:
        yield AuditSnapshot(
            entries=_all_entries(tx),
            lines=_lines(tx),
            heads=tuple(_good_heads(tx)),
            ends=_chain_ends(tx),
            beside=beside(tx, str(db.installation)),
            holds=holds_beside(tx, str(db.installation)),
        )


def all_events(db: Database) -> Iterator[Entry]:
    """See `Store.all_events`."""
    with db.read() as tx:
        yield from _all_entries(tx)


def _good_heads(tx: Connection) -> Iterator[Head]:
    """A line that is no head any more is left out: the next head names it as its predecessor, or the log outreaches it."""
    for line in tx.scalars(select(audit_heads.c.line).order_by(audit_heads.c.size)):
        with suppress(Malformed):
            yield Head.parse(line)


def _all_entries(tx: Connection) -> Iterator[Entry]:
    for row in _all_events(tx):
        yield _entry(row.body, row.digest, row.number)


def _lines(tx: Connection) -> Iterator[bytes]:
    for row in _all_events(tx):
        number = b"null" if row.number is None else b"%d" % row.number
        yield b'{"digest":%s,"event":%s,"number":%s}' % (json.dumps(row.digest).encode(), row.body, number)


def _all_events(tx: Connection) -> Iterator[Row[Any]]:
    columns = audit_events.c
    body = cast(columns.body, LargeBinary).label("body")  # text, where somebody wrote behind our back
    chosen = select(body, columns.digest, columns.number).execution_options(yield_per=_PAGE)
    sealed = chosen.where(columns.number.is_not(None)).order_by(columns.number)
    unsealed = chosen.where(columns.number.is_(None)).order_by(columns.id)
    for statement in (sealed, unsealed):
        yield from tx.execute(statement)


def _chain_ends(tx: Connection) -> Iterator[tuple[str, int, str]]:
    statement = select(_N.id, _N.chain_length, _N.chain_digest).order_by(_N.id)
    for row in tx.execute(statement.execution_options(yield_per=_PAGE)):
        yield row.id, row.chain_length, row.chain_digest
    yield installation_end(tx)


def counts(db: Database) -> dict[tuple[NachrichtState, str], int]:
    """See `Store.counts`."""
    statement = select(_N.state, _N.code, _N.wait_reason, func.count()).group_by(_N.state, _N.code, _N.wait_reason)
    found: dict[tuple[NachrichtState, str], int] = {}
    with db.read() as tx:
        for state, code, wait_reason, count in tx.execute(statement):
            key = (NachrichtState(state), wait_reason or code)
            found[key] = found.get(key, 0) + count
    return found


def state_lines(db: Database) -> Iterator[StateLine]:
    """See `Store.state_lines`."""
    chosen = select(_N.id, _N.state, _N.code, _N.wait_reason).order_by(_N.received_at, _N.id)
    with db.read() as tx:
        for page in tx.execute(chosen.execution_options(yield_per=_PAGE)).partitions():
            columns = zustellungen.c
            belonging: dict[str, list[tuple[str, str, ZustellungState]]] = {row.id: [] for row in page}
            statement = (
                select(columns.nachricht_id, columns.target, columns.key, columns.state)
                .where(columns.nachricht_id.in_(list(belonging)))
                .order_by(columns.nachricht_id, columns.position)
            )
            for owner, target, key, state in tx.execute(statement).all():
                belonging[owner].append((target, key, ZustellungState(state)))
            for row in page:
                code = row.code or row.wait_reason
                yield StateLine(row.id, NachrichtState(row.state), code, tuple(belonging[row.id]))


def _entry(body: bytes, digest: str, number: int | None) -> Entry:
    return Entry(Event.parse(json.loads(body)), digest, number)
