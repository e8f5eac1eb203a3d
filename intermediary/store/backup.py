"""Writes the rows of one moment beside the running daemon: a SQLite file, the data keys, the names of the blobs.

The same for both engines, by nothing but a reading transaction: no superuser, no tool of the server's version, and what
SQLite wrote can be restored into PostgreSQL.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, func, select

from intermediary.audit.sealer import Head
from intermediary.store.database import Database
from intermediary.store.dialects import Sqlite
from intermediary.store.migrate import migrate
from intermediary.store.pour import STREAM, Watch, plain_tables, pour
from intermediary.store.tables import audit_events, audit_heads, data_keys, nachrichten


@dataclass(frozen=True, slots=True)
class Written:
    """What a backup holds: how many Nachrichten, payloads and data keys, and where its audit trail ends.

    `head` is the last signed head, None before the first; `unsealed` events follow it.
    """

    nachrichten: int
    payloads: int
    keys: int
    head: Head | None
    unsealed: int


class Backups:
    """What a backup takes out of one store, reached by `Store.backups`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def write(self, *, rows: Path, keys: Path, blobs: Path, watch: Watch) -> Written:
        """Write all rows except the data keys to the new SQLite file `rows`, these to `keys`, the blobs' names to `blobs`.

        Everything is of one moment. The daemon goes on meanwhile; on SQLite its log of changes grows until this is done.
        """
        return _write_rows(self._db, rows=rows, keys=keys, blobs=blobs, watch=watch)

    def open_blob(self, name: str) -> BinaryIO:
        """A wrapped payload as it rests; `Misconfigured("payload.missing")` when it is gone."""
        return self._db.blobs.open(name)


def _write_rows(db: Database, *, rows: Path, keys: Path, blobs: Path, watch: Watch) -> Written:
    dialect = Sqlite(rows)
    engine = dialect.engine()
    try:
        migrate(engine, dialect)
        with db.read() as old:
            with dialect.writing(engine) as new:
                tables = [table for table in plain_tables() if table.name != data_keys.name]
                pour(old, new, tables, watch)
            count = _write_lines(keys, _keys(old))
            payloads = _write_lines(blobs, _names(old))
            return _written(old, keys=count, payloads=payloads)
    finally:
        engine.dispose()


def read_keys(file: Path) -> Iterator[dict[str, Any]]:
    """The rows of `data_keys` in a file that `Backups.write` wrote."""
    with file.open("rb") as lines:
        for line in lines:
            row = json.loads(line)
            yield {**row, "wrapped": base64.b64decode(row["wrapped"])}


def _keys(old: Connection) -> Iterator[str]:
    plain = next(table for table in plain_tables() if table.name == data_keys.name)
    for row in old.execute(select(plain), execution_options=STREAM).mappings():
        yield json.dumps({**row, "wrapped": base64.b64encode(row["wrapped"]).decode()}, sort_keys=True)


def _names(old: Connection) -> Iterator[str]:
    chosen = select(nachrichten.c.blob).where(nachrichten.c.payload == "present").order_by(nachrichten.c.id)
    for row in old.execute(chosen, execution_options=STREAM):
        yield row.blob


def _written(old: Connection, *, keys: int, payloads: int) -> Written:
    total = old.execute(select(func.count()).select_from(nachrichten)).scalar_one()
    line = old.scalars(select(audit_heads.c.line).order_by(audit_heads.c.size.desc()).limit(1)).one_or_none()
    tail = select(func.count()).select_from(audit_events).where(audit_events.c.number.is_(None))
    head = None if line is None else Head.parse(line)
    return Written(total, payloads, keys, head, old.execute(tail).scalar_one())


def _write_lines(file: Path, lines: Iterable[str]) -> int:
    count = 0
    with file.open("x", encoding="utf-8") as written:
        for line in lines:
            written.write(f"{line}\n")
            count += 1
    return count
