"""Where the engines differ, side by side: opening, beginning a write, claiming what is due.

Today there is SQLite. PostgreSQL gets a second class with the same three methods (`READ COMMITTED`, `FOR UPDATE`,
`FOR UPDATE SKIP LOCKED`) and its name in the conformance suite; no other file may ask which engine it is.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Executable,
    Integer,
    bindparam,
    create_engine,
    event,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.pool import QueuePool

from intermediary.store.tables import Moment, nachrichten

_BUSY_MILLISECONDS = 30_000


LEASE = update(nachrichten).values(
    lease_owner=bindparam("owner"),
    lease_until=bindparam("until"),
    lease_token=nachrichten.c.lease_token + 1,
    took_over=nachrichten.c.lease_owner.is_not(None),
)
"""The part of a claim that all engines share: a new token, and whether somebody else's lease was taken over."""

_ZERO: ColumnElement[int] = literal_column("0")
"""Written out: an index of suspects cannot serve a question whose number is bound later."""

_IS_DUE = nachrichten.c.due_at <= bindparam("now", type_=Moment)

_DUE = (
    select(nachrichten.c.id)
    .where(_IS_DUE)
    .where(nachrichten.c.lease_until.is_(None))
    .where(nachrichten.c.unexplained == _ZERO)
    .order_by(nachrichten.c.due_at, nachrichten.c.received_at)
    .limit(bindparam("limit", type_=Integer))
)

_ALONE = union_all(
    select(nachrichten.c.id, nachrichten.c.due_at)
    .where(_IS_DUE)
    .where(nachrichten.c.unexplained > _ZERO)
    .where(nachrichten.c.lease_until.is_(None)),
    select(nachrichten.c.id, nachrichten.c.due_at)
    .where(_IS_DUE)
    .where(nachrichten.c.lease_owner.is_not(None))
    .where(nachrichten.c.lease_until <= bindparam("now", type_=Moment)),
).subquery()

SUSPECTS = select(_ALONE.c.id).order_by(_ALONE.c.due_at).limit(bindparam("limit", type_=Integer))
"""What is due and opened alone: claims that ended unexplained, and leases that ran out. Never in `claim`."""


class Dialect(Protocol):
    """What one engine does in its own way."""

    def engine(self) -> Engine:
        """A connection pool, usable from any thread."""
        ...

    @contextmanager
    def writing(self, engine: Engine) -> Iterator[Connection]:
        """A transaction in which reads already see what no other writer can change until it ends."""
        ...

    claim: Executable
    """One statement that leases what is due and gives the rows back; takes `owner`, `now`, `until` and `limit`."""

    claim_suspects: Executable
    """The same for `SUSPECTS`."""


class Sqlite:
    """SQLite in WAL mode with `synchronous=FULL`: one writer at a time, readers never wait.

    `BEGIN IMMEDIATE` takes the writer's place at once, so a transaction never fails half-way for a lock. Threads of one
    process queue at a lock of our own, because SQLite's waiting is polling and unfair.
    """

    claim: Executable = LEASE.where(nachrichten.c.id.in_(_DUE)).returning(nachrichten)
    claim_suspects: Executable = LEASE.where(nachrichten.c.id.in_(SUSPECTS)).returning(nachrichten)

    def __init__(self, file: Path) -> None:
        self._file = file
        self._writer = threading.Lock()

    def engine(self) -> Engine:
        os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        engine = create_engine(
            f"sqlite:///{self._file}",
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=32,
            connect_args={"check_same_thread": False, "timeout": _BUSY_MILLISECONDS / 1000},
        )
        event.listen(engine, "connect", _prepare_connection)
        event.listen(engine, "begin", _begin)
        return engine

    @contextmanager
    def writing(self, engine: Engine) -> Iterator[Connection]:
        with (
            self._writer,
            engine.connect().execution_options(intermediary_writes=True) as connection,
            connection.begin(),
        ):
            yield connection


def _prepare_connection(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {_BUSY_MILLISECONDS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
        "trusted_schema = OFF",
        "wal_autocheckpoint = 4000",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    is_writer = connection.get_execution_options().get("intermediary_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")
