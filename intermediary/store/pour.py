"""Pours the rows of one store into another, as they are stored, whatever the engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, delete, func, insert, select
from sqlalchemy.types import TypeDecorator, TypeEngine

from intermediary.store.tables import METADATA, meta

BATCH = 1_000
STREAM = {"yield_per": BATCH}
_FRESH = frozenset({meta.name})
"""Tables that an open has written to already when nothing has ever been taken."""

Watch = Callable[[Iterable[Any], str, int], Iterator[Any]]
"""Is handed rows on their way, with the name of their table and how many they are."""


def pour(old: Connection, new: Connection, tables: Iterable[Table], watch: Watch) -> None:
    """Copy the rows of these tables (`plain_tables`) into empty ones; what an open wrote by itself gives way."""
    for name in sorted(_FRESH):
        new.execute(delete(METADATA.tables[name]))
    for table in tables:
        rows = old.execute(select(table), execution_options=STREAM).mappings()
        length = old.execute(select(func.count()).select_from(table)).scalar_one()
        for batch in _batches(watch(rows, table.name, length)):
            new.execute(insert(table), batch)


def plain_tables() -> list[Table]:
    """All tables without our own types, those that others refer to first."""
    return [_plain(table) for table in METADATA.sorted_tables]


def _batches(rows: Iterable[Any]) -> Iterator[list[dict[str, Any]]]:
    left = iter(rows)
    while batch := [dict(row) for row in islice(left, BATCH)]:
        yield batch


def _plain(table: Table) -> Table:
    """The same table without our own types: what is stored is copied as it is stored."""
    columns = [Column(column.name, _stored(column.type), primary_key=column.primary_key) for column in table.columns]
    return Table(table.name, MetaData(), *columns)


def _stored(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


def is_filled(new: Connection, tables: Iterable[Table]) -> bool:
    """Whether anything has ever been in this store."""
    rest = (table for table in tables if table.name not in _FRESH)
    return any(new.execute(select(table).limit(1)).first() is not None for table in rest)
