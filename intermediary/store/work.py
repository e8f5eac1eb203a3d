"""One Nachricht inside one writing transaction: loaded, moved, and saved together with its audit events.

This is the only writer of states. `move` and `move_zustellung` demand the event that tells of the move, check the
transition tables, and `save` writes everything at once, so no state changes without its entry in the chain (G17).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any, Self

from sqlalchemy import Connection, Row, Table, Update, bindparam, insert, select, update

from intermediary.audit.chain import Entry, follow
from intermediary.core.states import IllegalTransition
from intermediary.store import order, rows
from intermediary.store.draft import Draft
from intermediary.store.errors import LeaseLost, NotFound
from intermediary.store.records import ChainEnd, Claim, NachrichtRecord, ZustellungRecord
from intermediary.store.tables import audit_events, nachrichten, search_keys, zustellungen
from intermediary.store.vorgang import INVOLVED, held

_LOAD = select(nachrichten).where(nachrichten.c.id == bindparam("wanted")).with_for_update()
_LOCK = (
    select(*(nachrichten.c[name] for name in ("state", "lease_token", "lease_owner", "chain_length", "chain_digest")))
    .where(nachrichten.c.id == bindparam("wanted"))
    .with_for_update()
)
_INSERT_EVENTS = insert(audit_events)
_INSERT_ZUSTELLUNGEN = insert(zustellungen)
_INSERT_SEARCH_KEYS = insert(search_keys)


class Work(Draft):
    """A Nachricht being changed; not to be kept beyond its transaction.

    Either on the row as it was loaded in this transaction, or on what a claim knows (`under_claim`): its holder is the only
    one who changes states, so nothing is read again; `save` demands that the lease is still held.
    """

    def __init__(self, tx: Connection, row: Row[Any], records: tuple[ZustellungRecord, ...], now: datetime) -> None:
        super().__init__(rows.claim(row, records), now)
        self._tx = tx
        self._is_locked = True

    @classmethod
    def of_claim(cls, tx: Connection, claim: Claim, now: datetime) -> Self:
        """On what the claim knows, with what is not written of it yet; nothing is read before `save`."""
        work = cls.__new__(cls)
        Draft.__init__(work, claim, now)
        work._tx = tx
        work._is_locked = False
        return work

    @property
    def is_leased(self) -> bool:
        """Whether somebody holds the lease, or held it and never gave it back."""
        return self._claim.owner != ""

    def is_held_by(self, claim: Claim) -> bool:
        """Whether the lease of this claim is still held: by its token and its holder (decision 11)."""
        held_by = (self._claim.token, self._claim.owner)
        return self._claim.owner != "" and held_by == (claim.token, claim.owner)

    def save(self) -> Claim:
        """Write everything; what the claim's holder sees from now on. `LeaseLost` when somebody else holds it.

        Who waited in the Vorgang for what ends here is woken in the same transaction.
        """
        self._look_ahead()
        nachricht, records = self.nachricht, self.zustellungen
        end, entries = self._chained(self._claim.end)
        if not self._save_nachricht(nachricht, end):
            end, entries = self._chained(self._lock())
            self._save_nachricht(nachricht, end)
        self._save_zustellungen(records)
        if self._search_rows:
            self._tx.execute(_INSERT_SEARCH_KEYS, self._search_rows)
        write_entries(self._tx, entries)
        self._wake_later_ones(nachricht, records)
        owner = "" if self._ends_lease else self._claim.owner
        return replace(self._claim, nachricht=nachricht, zustellungen=records, owner=owner, end=end, draft=None)

    def _wake_later_ones(self, nachricht: NachrichtRecord, records: tuple[ZustellungRecord, ...]) -> None:
        before, tx, now = self._before, self._tx, self._now
        if before.vorgang_place not in INVOLVED:
            return
        released = held(before, tuple(self._known.values())) - held(nachricht, records)
        if released:
            order.wake(tx, before.vorgang_hash, released, lambda other: without_claim(tx, other, now), now)

    def _chained(self, end: ChainEnd) -> tuple[ChainEnd, list[Entry]]:
        entries: list[Entry] = []
        for told in self._events:
            entry = follow(
                chain=self.nachricht.id,
                seq=end.length + 1,
                prev=end.digest,
                at=told.at,
                name=told.name,
                mandant=self.nachricht.mandant,
                actor=told.actor,
                fields=told.fields,
            )
            entries.append(entry)
            end = ChainEnd(entry.event.seq, entry.digest)
        return end, entries

    def _lock(self) -> ChainEnd:
        """Where the chain ends now: without a lease others may have added events, a duplicate that came in for example."""
        row = self._tx.execute(_LOCK, {"wanted": self._before.id}).one_or_none()
        if row is None or (row.lease_token, row.lease_owner) != (self._claim.token, self._claim.owner):
            raise LeaseLost(self._before.id)
        if row.state == self._begun_from.nachricht.state:
            self._leave_out_begun()
        elif row.state != self._before.state:
            raise IllegalTransition("the claim is not the newest of its holder")
        self._is_locked = True
        return ChainEnd(row.chain_length, row.chain_digest)

    def _save_nachricht(self, nachricht: NachrichtRecord, end: ChainEnd) -> bool:
        """Whether it was written: False when the row is not as the claim knows it."""
        changed = _difference(self._before, nachricht, rows.NACHRICHT_FIELDS)
        if nachricht.state is not self._before.state and not self._events:
            raise AssertionError("a state changed without an audit event")
        if changed.get("unexplained") == 0:
            changed.update(crashes=0)
        if self._events:
            changed.update(chain_length=end.length, chain_digest=end.digest)
        if self._ends_lease:
            changed.update(lease_owner=None, lease_until=None, took_over=False)
        if self._is_locked:
            if changed:
                self._tx.execute(_update(nachrichten, "id", tuple(changed)), {**changed, "_own": nachricht.id})
            return True
        fence = {"_own": nachricht.id, "_token": self._claim.token}
        fence |= {"_owner": self._claim.owner, "_length": self._claim.end.length}
        names = tuple(changed) or ("unexplained",)
        values = changed or {"unexplained": nachricht.unexplained}
        written: int = self._tx.execute(_update_fenced(names), {**values, **fence}).rowcount
        return written == 1

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
    """The Nachricht of a claim; `save` is the fence of every write.

    One that keeps the order of its Vorgang may have been woken since it was claimed: it is read again, under the lock.
    """
    if claim.nachricht.vorgang_place not in INVOLVED:
        return Work.of_claim(tx, claim, now)
    return under_claim_anew(tx, claim, now)


def under_claim_anew(tx: Connection, claim: Claim, now: datetime) -> Work:
    """The Nachricht of a claim as it stands now: for a holder whose claim may not be its newest, after a failure."""
    if claim.nachricht.vorgang_place in INVOLVED:
        order.lock(tx, claim.nachricht.vorgang_hash)
    work = without_claim(tx, claim.nachricht.id, now)
    if not work.is_held_by(claim):
        raise LeaseLost(claim.nachricht.id)
    return work


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


@cache
def _update_fenced(names: tuple[str, ...]) -> Update:
    """The same, if the lease is held still and nobody has added to the chain."""
    return (
        _update(nachrichten, "id", names)
        .where(nachrichten.c.lease_token == bindparam("_token"))
        .where(nachrichten.c.lease_owner == bindparam("_owner"))
        .where(nachrichten.c.chain_length == bindparam("_length"))
    )


def _difference(before: object, after: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(after, name)) != getattr(before, name)}
