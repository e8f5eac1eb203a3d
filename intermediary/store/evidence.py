"""Everything the store can prove of one Nachricht, of one moment: its rows, its chain, and the sealings that cover it."""

from __future__ import annotations

import json

from sqlalchemy import Connection, select

from intermediary.audit.merkle import Frontier
from intermediary.audit.sealer import Head
from intermediary.store import rows
from intermediary.store.database import Database
from intermediary.store.errors import NotFound
from intermediary.store.query import chain_of
from intermediary.store.records import Evidence, Sealing
from intermediary.store.tables import audit_events, audit_heads, nachrichten


def evidence(db: Database, nachricht_id: str) -> Evidence:
    """See `Store.evidence`."""
    with db.read() as tx:
        own = select(*rows.NACHRICHT_COLUMNS).where(nachrichten.c.id == nachricht_id)
        row = tx.execute(own).one_or_none()
        if row is None:
            raise NotFound(nachricht_id)
        entries = chain_of(tx, nachricht_id)
        sealings: list[Sealing] = []
        for number in (entry.number for entry in entries if entry.number is not None):
            if not sealings or sealings[-1].head.size < number:
                found = _sealing(tx, number)
                sealings += [found] if found is not None else []
        return Evidence(rows.nachricht(row), rows.zustellungen_of_one(tx, nachricht_id), entries, tuple(sealings))


def _sealing(tx: Connection, number: int) -> Sealing | None:
    """The sealing that gave an event its number; None when its head is not there."""
    size = audit_heads.c.size
    row = tx.execute(select(audit_heads).where(size >= number).order_by(size).limit(1)).one_or_none()
    if row is None:
        return None
    last = tx.execute(select(audit_heads).where(size < number).order_by(size.desc()).limit(1)).one_or_none()
    peaks = json.loads(last.frontier) if last is not None else []
    before = Frontier(last.size if last is not None else 0, tuple(bytes.fromhex(peak) for peak in peaks))
    sealed = audit_events.c.number
    chosen = select(audit_events.c.digest).where(sealed > before.size, sealed <= row.size).order_by(sealed)
    return Sealing(Head.parse(row.line), before, tuple(bytes.fromhex(one) for one in tx.scalars(chosen)))
