"""Fills a store with millions of synthetic Nachrichten: rows of its real ones, copied inside the database.

The copies have ids and hashes of their own, spread over all that there can be, so that what is new belongs between them
as it does in life; moments of receipt spread over the last year; and erased payloads, as those of a year have. One audit
event stands for each of them, sealed under a number far beyond the real ones.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Engine, Table, text
from sqlalchemy.schema import CreateIndex, DropIndex

from intermediary.store.tables import audit_events, intake_keys, nachrichten, search_keys, zustellungen

_YEAR = 365 * 24 * 3600 * 1_000_000
_SERIES = {
    "sqlite": "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < :rows)",
    "postgresql": "WITH series AS (SELECT generate_series(1, :rows) AS n)",
}
_ID = {
    "sqlite": "printf('%08x-0000-5000-8000-%012x', n * :step, n)",
    "postgresql": "lpad(to_hex(n * CAST(:step AS bigint)), 8, '0') || '-0000-5000-8000-' || lpad(to_hex(n), 12, '0')",
}
_RECEIVED = f"t.received_at - {_YEAR} + n * ({_YEAR} / :rows)"


def multiply(engine: Engine, rows: int) -> None:
    """Add so many Nachrichten to a store in which some are completed; indexes are made anew at the end."""
    kind = engine.dialect.name
    own = _ID[kind]
    copies: tuple[tuple[Table, Mapping[str, str]], ...] = (
        (
            nachrichten,
            {"id": own, "received_at": _RECEIVED, "since": _RECEIVED, "payload": "'erased'", "headers": "NULL"}
            | {"blob": "''", "chain_length": "1"},
        ),
        (zustellungen, {"key": f"{own} || '/' || x.position", "nachricht_id": own}),
        (intake_keys, {"message_hash": own, "nachricht_id": own, "taken_at": _RECEIVED}),
        (
            search_keys,
            {"nachricht_id": own, "received_at": _RECEIVED}
            | {"value_hash": f"CASE x.name WHEN 'leika' THEN x.value_hash ELSE {own} END"},
        ),
        (audit_events, {"id": "1000000000 + n", "chain": own, "number": "1000000000000 + n"}),
    )
    with engine.connect() as connection, connection.begin():
        if kind == "postgresql":
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            connection.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # no look for each row's owner
        connection.execute(text("CREATE TEMPORARY TABLE patterns (k INTEGER, id TEXT)"))
        numbered = "SELECT row_number() OVER (ORDER BY id) - 1, id FROM nachrichten WHERE state = 'completed'"
        if not connection.execute(text(f"INSERT INTO patterns {numbered}")).rowcount:
            raise ValueError("no Nachricht is completed, so there is none to copy")
        for table, _ in copies:
            for index in table.indexes:
                connection.execute(DropIndex(index))
        for table, changed in copies:
            _copy(connection, kind, table, changed, rows)
        for table, _ in copies:
            for index in table.indexes:
                connection.execute(CreateIndex(index))
    if kind == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
            connection.execute(text("CHECKPOINT"))


def _copy(connection: Connection, kind: str, table: Table, changed: Mapping[str, str], rows: int) -> None:
    owner = {"nachrichten": "id", "audit_events": "chain"}.get(table.name, "nachricht_id")
    names = [column.name for column in table.columns]
    values = ", ".join(changed.get(name, f"x.{name}") for name in names)
    first = "AND x.seq = 1" if table is audit_events else ""
    statement = (
        f"INSERT INTO {table.name} ({', '.join(names)}) {_SERIES[kind]} SELECT {values} FROM series "
        "JOIN patterns ON patterns.k = n % (SELECT count(*) FROM patterns) "
        f"JOIN nachrichten t ON t.id = patterns.id JOIN {table.name} x ON x.{owner} = t.id {first}"
    )
    connection.execute(text(statement), {"rows": rows, "step": 0xFFFFFFFF // rows})
