"""One Nachricht inside one writing transaction: loaded, moved, and saved together with its audit events.

This is the only writer of states. `move` and `move_zustellung` demand the event that tells of the move, check the
transition tables, and `save` writes everything at once, so no state changes without its entry in the chain (G17).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Table, Update, bindparam, insert, select, update

from intermediary.audit.chain import Entry, follow
from intermediary.core.states import (
    IllegalTransition,
    NachrichtState,
    ZustellungState,
    check_nachricht,
    check_zustellung,
)
from intermediary.core.values import EMPTY
from intermediary.store import due, rows
from intermediary.store.errors import LeaseLost, NotFound
from intermediary.store.records import Claim, NachrichtRecord, ZustellungRecord
from intermediary.store.tables import audit_events, nachrichten, zustellungen

_LOAD = select(nachrichten).where(nachrichten.c.id == bindparam("wanted")).with_for_update()
_INSERT_EVENTS = insert(audit_events)
_INSERT_ZUSTELLUNGEN = insert(zustellungen)


class Work:
    """A Nachricht being changed; not to be kept beyond its transaction."""

    def __init__(self, tx: Connection, row: Row[Any], records: tuple[ZustellungRecord, ...], now: datetime) -> None:
        self._tx = tx
        self._row = row
        self._now = now
        self._before = self.nachricht = rows.nachricht(row)
        self._known = {record.key: record for record in records}
        self._zustellungen = dict(self._known)
        self._entries: list[Entry] = []
        self._ends_lease = False
        self._seq: int = row.chain_length
        self._digest: str = row.chain_digest

    @property
    def zustellungen(self) -> tuple[ZustellungRecord, ...]:
        return tuple(self._zustellungen.values())

    def zustellung(self, key: str) -> ZustellungRecord:
        """The Zustellung with this key; LookupError when the Nachricht has none."""
        try:
            return self._zustellungen[key]
        except KeyError:
            raise LookupError("the Nachricht has no such Zustellung") from None

    def event(self, name: str, fields: Mapping[str, Any] = EMPTY, *, actor: str = "") -> None:
        """Chain an event that goes into the same transaction."""
        entry = follow(
            chain=self.nachricht.id,
            seq=self._seq + 1,
            prev=self._digest,
            at=self._now,
            name=name,
            mandant=self.nachricht.mandant,
            actor=actor,
            fields=fields,
        )
        self._entries.append(entry)
        self._seq, self._digest = entry.event.seq, entry.digest

    def change(self, **values: Any) -> None:
        """Change what is no state."""
        if "state" in values:
            raise TypeError("a state is moved, together with its event")
        self.nachricht = replace(self.nachricht, **values)

    def move(
        self,
        state: NachrichtState,
        event: str,
        fields: Mapping[str, Any] = EMPTY,
        *,
        actor: str = "",
        **values: Any,
    ) -> None:
        """Move the Nachricht; its attempts start anew and its own waiting ends unless `values` say otherwise."""
        if state is self.nachricht.state:
            raise IllegalTransition(f"the Nachricht is {state} already")
        check_nachricht(self.nachricht.state, state)
        self.event(event, fields, actor=actor)
        fresh = {"attempts": 0, "own_due_at": None, "wait_reason": "", "code": "", "state_since": self._now}
        self.nachricht = replace(self.nachricht, state=state, **{**fresh, **values})

    def change_zustellung(self, key: str, **values: Any) -> None:
        """Change what is no state of a Zustellung."""
        if "state" in values:
            raise TypeError("a state is moved, together with its event")
        self._zustellungen[key] = replace(self._zustellungen[key], **values)

    def move_zustellung(
        self,
        key: str,
        state: ZustellungState,
        event: str,
        fields: Mapping[str, Any] = EMPTY,
        *,
        actor: str = "",
        **values: Any,
    ) -> None:
        """Move a Zustellung; `fields` are completed with its target and key."""
        record = self._zustellungen[key]
        check_zustellung(record.state, state)
        self.event(event, {"target": record.target, "key": key, **fields}, actor=actor)
        self._zustellungen[key] = replace(record, state=state, **values)

    def add_zustellung(self, record: ZustellungRecord) -> None:
        """A new Zustellung; the caller writes the event that tells of it."""
        if record.key in self._zustellungen:
            raise AssertionError("two Zustellungen would share a key")
        self._zustellungen[record.key] = record

    def drop_zustellungen(self) -> None:
        """Forget Zustellungen that were never tried; the caller deletes their rows in this transaction."""
        self._zustellungen.clear()

    def end_lease(self) -> None:
        """The claim ends with this transaction."""
        self._ends_lease = True

    def save(self) -> Claim:
        """Write everything; what the claim's holder sees from now on."""
        nachricht, records = self.nachricht, self.zustellungen
        reason = due.wait_reason(nachricht, records)
        self.nachricht = nachricht = replace(nachricht, due_at=due.due_at(nachricht, records), wait_reason=reason)
        self._save_zustellungen(records)
        self._save_nachricht(nachricht)
        write_entries(self._tx, self._entries)
        return Claim(nachricht, records, self._row.lease_token, self._row.lease_owner or "")

    def _save_nachricht(self, nachricht: NachrichtRecord) -> None:
        changed = _difference(self._before, nachricht, rows.NACHRICHT_FIELDS)
        if nachricht.state is not self._before.state and not self._entries:
            raise AssertionError("a state changed without an audit event")
        if changed.get("unexplained") == 0:
            changed.update(crashes=0)
        if self._entries:
            changed.update(chain_length=self._seq, chain_digest=self._digest)
        if self._ends_lease:
            changed.update(lease_owner=None, lease_until=None, took_over=False)
        if changed:
            statement = _update(nachrichten, "id", tuple(changed))
            self._tx.execute(statement, {**changed, "_own": nachricht.id})

    def _save_zustellungen(self, records: tuple[ZustellungRecord, ...]) -> None:
        for position, record in enumerate(records):
            known = self._known.get(record.key)
            if known is None:
                values = {name: getattr(record, name) for name in rows.ZUSTELLUNG_FIELDS}
                self._tx.execute(_INSERT_ZUSTELLUNGEN, {**values, "position": position})
            elif known is not record:
                changed = _difference(known, record, rows.ZUSTELLUNG_FIELDS)
                if changed:
                    statement = _update(zustellungen, "key", tuple(changed))
                    self._tx.execute(statement, {**changed, "_own": record.key})


def under_claim(tx: Connection, claim: Claim, now: datetime) -> Work:
    """The Nachricht of a claim, if the lease is still held: the fence of every write."""
    row = tx.execute(_LOAD, {"wanted": claim.nachricht.id}).one_or_none()
    if row is None or row.lease_token != claim.token or row.lease_owner is None:
        raise LeaseLost(claim.nachricht.id)
    return Work(tx, row, rows.zustellungen_of_one(tx, claim.nachricht.id), now)


def without_claim(tx: Connection, nachricht_id: str, now: datetime) -> Work:
    """A Nachricht for what needs no lease: events that change nothing, and the store's own care."""
    row = tx.execute(_LOAD, {"wanted": nachricht_id}).one_or_none()
    if row is None:
        raise NotFound(nachricht_id)
    return Work(tx, row, rows.zustellungen_of_one(tx, nachricht_id), now)


def write_entries(tx: Connection, entries: list[Entry]) -> None:
    """Insert chained events."""
    if entries:
        tx.execute(_INSERT_EVENTS, [as_row(entry) for entry in entries])


def as_row(entry: Entry) -> dict[str, Any]:
    """The row of an entry that is not sealed yet."""
    event = entry.event
    return {"chain": event.chain, "seq": event.seq, "body": event.canonical(), "digest": entry.digest}


@cache
def _update(table: Table, key: str, names: tuple[str, ...]) -> Update:
    """One statement per set of columns, so that the engine compiles each only once."""
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return update(table).where(table.c[key] == bindparam("_own")).values(values)


def _difference(before: object, after: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(after, name)) != getattr(before, name)}
