"""Moves a whole store from one engine to another, or nothing of it; what is left of the old one says where it went."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, select

from intermediary.core.faults import Misconfigured
from intermediary.keys.wrap import MandantKeys
from intermediary.store.database import Database
from intermediary.store.installation import MOVED, check_keks
from intermediary.store.open import open_database
from intermediary.store.pour import STREAM, Watch, is_filled, plain_tables, pour
from intermediary.store.retention import Retention
from intermediary.store.tables import METADATA, meta, nachrichten


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is: its data folder, the URL of its database (empty: a file there), and what opens its keys."""

    data: Path
    url: str
    keys: MandantKeys


def copy_store(
    source: Place,
    target: Place,
    *,
    installation: uuid.UUID,
    is_alive: Callable[[str], bool],
    watch: Watch,
    now: datetime,
) -> dict[str, int]:
    """Copy every row in one transaction, compare both sides, commit, and empty the source; rows by table.

    The blobs are the caller's: each that the source has is at the target before. While it runs nobody writes into the
    source; afterwards a process that still has it open gets `Transient("store.unavailable")`, and opening it raises
    `Misconfigured("store.moved")`. The source loses its rows, data keys above all, in one transaction after the commit of
    the target: no term would ever end there. When it breaks off before that one, both are whole, and it may be called
    again.

    Raises `Misconfigured`: `store.copy.in-use` when a lease of the source is held by somebody who is alive,
    `store.copy.not-empty` when the target has rows of its own, `store.copy.differs` when a comparison fails or a blob
    is not there (a door has taken it meanwhile), `key.unavailable` when the target has not the KEKs; the target is as
    before then.
    """
    here = open_database(data=source.data, installation=installation, keys=source.keys, url=source.url)
    try:
        there = open_database(data=target.data, installation=installation, keys=target.keys, url=target.url)
        try:
            with here.write() as old:
                _keep_still(old, here)
                _demand_idle(old, is_alive, now)
                _demand_blobs(old, here, there)
                counts = _copy_all(old, there, watch)
                _close_down(old, there.dialect.place)
            Retention(here).tidy()
            return counts
        finally:
            there.close()
    finally:
        here.close()


def _copy_all(old: Connection, there: Database, watch: Watch) -> dict[str, int]:
    tables = plain_tables()
    with there.write() as new:
        _keep_still(new, there)
        there.dialect.queue_for(new, ["installation", "sealer"])
        if is_filled(new, tables):
            if _prints(old, tables) != _prints(new, tables):
                raise Misconfigured("store.copy.not-empty", where=there.dialect.place)
            return _counts(new, tables)  # an earlier run ended just before the mark
        pour(old, new, tables, watch)
        there.dialect.after_copy(new, METADATA.sorted_tables)
        if _prints(old, tables) != _prints(new, tables):
            raise Misconfigured("store.copy.differs", where=there.dialect.place)
        check_keks(new, there.keys, is_known=False)
        return _counts(new, tables)


def _keep_still(tx: Connection, db: Database) -> None:
    for statement in db.dialect.alone:
        tx.exec_driver_sql(statement)


def _demand_idle(old: Connection, is_alive: Callable[[str], bool], now: datetime) -> None:
    held = select(nachrichten.c.lease_owner).where(nachrichten.c.lease_owner.is_not(None))
    for owner in old.scalars(held.where(nachrichten.c.lease_until > now).distinct()):
        if owner is not None and is_alive(owner):
            raise Misconfigured("store.copy.in-use", where="lease")


def _demand_blobs(old: Connection, here: Database, there: Database) -> None:
    chosen = select(nachrichten.c.blob).where(nachrichten.c.payload == "present")
    for name in old.scalars(chosen, execution_options=STREAM):
        if not there.blobs.has(name) and here.blobs.has(name):
            raise Misconfigured("store.copy.differs", where="blobs")


def _counts(tx: Connection, tables: Iterable[Table]) -> dict[str, int]:
    return {table.name: tx.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


def _prints(tx: Connection, tables: Iterable[Table]) -> dict[str, tuple[int, int]]:
    """Number of rows and sum of their hashes: the same whatever order an engine gives them in."""
    return {table.name: _print(tx, table) for table in tables}


def _print(tx: Connection, table: Table) -> tuple[int, int]:
    count = total = 0
    for row in tx.execute(select(table), execution_options=STREAM):
        values = [bytes(value) if isinstance(value, memoryview) else value for value in row]
        count += 1
        total += int.from_bytes(sha256(repr(values).encode()).digest())
    return count, total % (1 << 256)


def _close_down(old: Connection, place: str) -> None:
    """Whoever opens it is told; whoever still has it open finds no table, which is the end of taking, not of a message.

    Tables are dropped, not emptied: PostgreSQL gives up their files at once, SQLite overwrites their pages.
    """
    old.execute(insert(meta), {"name": MOVED, "value": place})
    METADATA.drop_all(old, [table for table in METADATA.sorted_tables if table is not meta], checkfirst=False)
