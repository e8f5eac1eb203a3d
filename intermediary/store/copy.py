"""Copies a whole store from one engine to another, or nothing of it; afterwards the old one refuses to work."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, delete, func, insert, select, text
from sqlalchemy.types import TypeDecorator, TypeEngine

from intermediary.core.faults import Misconfigured
from intermediary.keys.wrap import MandantKeys
from intermediary.store.database import Database
from intermediary.store.installation import MOVED, check_keks
from intermediary.store.open import open_database
from intermediary.store.tables import METADATA, meta, nachrichten

_BATCH = 1_000
_STREAM = {"yield_per": _BATCH}
_FRESH = frozenset({meta.name})
"""Tables that an open has written to already when nothing has ever been taken."""

Watch = Callable[[Iterable[Any], str, int], Iterator[Any]]
"""Is handed rows on their way, with the name of their table and how many they are."""


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
    """Copy every row in one transaction, compare both sides, commit, and mark the source as moved; rows by table.

    The blobs are the caller's: they are at the target before. While it runs nobody writes into the source; afterwards a
    process that still has it open gets `Transient("store.unavailable")`, and opening it raises
    `Misconfigured("store.moved")`. When it breaks off before the mark, it may be called again.

    Raises `Misconfigured`: `store.copy.in-use` when a lease of the source is held by somebody who is alive,
    `store.copy.not-empty` when the target has rows of its own, `store.copy.differs` when a comparison fails,
    `key.unavailable` when the target has not the KEKs; the target is as before then.
    """
    here = open_database(data=source.data, installation=installation, keys=source.keys, url=source.url)
    try:
        there = open_database(data=target.data, installation=installation, keys=target.keys, url=target.url)
        try:
            with here.write() as old:
                _demand_idle(old, is_alive, now)
                counts = _copy_all(old, there, watch)
                _close_down(old, there.dialect.place)
            return counts
        finally:
            there.close()
    finally:
        here.close()


def _copy_all(old: Connection, there: Database, watch: Watch) -> dict[str, int]:
    tables = plain_tables()
    with there.write() as new:
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


def pour(old: Connection, new: Connection, tables: Iterable[Table], watch: Watch) -> None:
    """Copy the rows of these tables (`plain_tables`) into empty ones; what an open wrote by itself gives way."""
    for name in sorted(_FRESH):
        new.execute(delete(METADATA.tables[name]))
    for table in tables:
        rows = old.execute(select(table), execution_options=_STREAM).mappings()
        length = old.execute(select(func.count()).select_from(table)).scalar_one()
        for batch in _batches(watch(rows, table.name, length)):
            new.execute(insert(table), batch)


def plain_tables() -> list[Table]:
    """All tables without our own types, those that others refer to first."""
    return [_plain(table) for table in METADATA.sorted_tables]


def _batches(rows: Iterable[Any]) -> Iterator[list[dict[str, Any]]]:
    left = iter(rows)
    while batch := [dict(row) for row in islice(left, _BATCH)]:
        yield batch


def _plain(table: Table) -> Table:
    """The same table without our own types: what is stored is copied as it is stored."""
    columns = [Column(column.name, _stored(column.type), primary_key=column.primary_key) for column in table.columns]
    return Table(table.name, MetaData(), *columns)


def _stored(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


def _demand_idle(old: Connection, is_alive: Callable[[str], bool], now: datetime) -> None:
    held = select(nachrichten.c.lease_owner).where(nachrichten.c.lease_owner.is_not(None))
    for owner in old.scalars(held.where(nachrichten.c.lease_until > now).distinct()):
        if owner is not None and is_alive(owner):
            raise Misconfigured("store.copy.in-use", where="lease")


def is_filled(new: Connection, tables: Iterable[Table]) -> bool:
    """Whether anything has ever been in this store."""
    rest = (table for table in tables if table.name not in _FRESH)
    return any(new.execute(select(table).limit(1)).first() is not None for table in rest)


def _counts(tx: Connection, tables: Iterable[Table]) -> dict[str, int]:
    return {table.name: tx.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


def _prints(tx: Connection, tables: Iterable[Table]) -> dict[str, tuple[int, int]]:
    """Number of rows and sum of their hashes: the same whatever order an engine gives them in."""
    return {table.name: _print(tx, table) for table in tables}


def _print(tx: Connection, table: Table) -> tuple[int, int]:
    count = total = 0
    for row in tx.execute(select(table), execution_options=_STREAM):
        values = [bytes(value) if isinstance(value, memoryview) else value for value in row]
        count += 1
        total += int.from_bytes(sha256(repr(values).encode()).digest())
    return count, total % (1 << 256)


def _close_down(old: Connection, place: str) -> None:
    """Whoever opens it is told; whoever still has it open finds no table, which is the end of taking, not of a message."""
    old.execute(insert(meta), {"name": MOVED, "value": place})
    old.execute(text("ALTER TABLE nachrichten RENAME TO nachrichten_moved"))
