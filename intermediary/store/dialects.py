"""Where the engines differ, side by side: opening, reading, writing, queueing for a name, claiming what is due.

No other file asks which engine it is.
"""

from __future__ import annotations

import fcntl
import os
import select as kernel
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, Executable, Table, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from intermediary.core.faults import Misconfigured
from intermediary.store.bell import Bell, NoBell, Notifications
from intermediary.store.leasing import LEASE_POSTGRES, LEASE_SQLITE, LEASE_SUSPECTS_POSTGRES, LEASE_SUSPECTS_SQLITE
from intermediary.store.tables import METADATA
from intermediary.store.writer_queue import WriterQueue

_BUSY_MILLISECONDS = 30_000
_IDLE_MILLISECONDS = 300_000
_SESSION = (
    f"-c lock_timeout={_BUSY_MILLISECONDS} -c idle_in_transaction_session_timeout={_IDLE_MILLISECONDS} "
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 "
    "-c synchronous_commit=on -c timezone=UTC"
)
"""What we demand of every session; stands behind the options of the URL, so that it wins."""

OLDEST_SERVER = 150_000

_CLEAN_OFTEN = tuple(
    f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.01, vacuum_index_cleanup = on)"
    for table in ("nachrichten", "zustellungen", "audit_events")
)
"""What is done stays in the indexes of what is due until the next VACUUM, and stands before it: every claim steps over it.
By the server's own measure that is a fifth of all that is stored, in a store of ten million weeks of work.
"""

_RESTS_SINCE = "intermediary.rests-since"
_TRUSTED_SECONDS = 1.0


class Dialect(Protocol):
    """What one engine does in its own way. `place` names the database in messages to people: no password in it."""

    is_shared: bool
    """Whether processes on other hosts may use the same database."""

    @property
    def place(self) -> str: ...

    def engine(self) -> Engine:
        """A connection pool, usable from any thread."""
        ...

    def exists(self) -> bool:
        """Whether there is a database at all; asking makes none."""
        ...

    @contextmanager
    def reading(self, engine: Engine, *, varied: bool = False) -> Iterator[Connection]:
        """A transaction that sees one moment, however long it lasts; see `Database.read`."""
        ...

    @contextmanager
    def glancing(self, engine: Engine) -> Iterator[Connection]:
        """A connection for one statement that reads, without the turns of a transaction around it."""
        ...

    @contextmanager
    def migrating(self, engine: Engine) -> Iterator[Connection]:
        """A writing transaction that no second migration can be in at the same time, in any process."""
        ...

    def queue_for(self, tx: Connection, names: Collection[str]) -> None:
        """Until the transaction ends, no other one gets past this line with one of these names.

        For what has no row yet that could be locked: two doors taking the same Sendung, two sealers, two first starts.
        """
        ...

    @contextmanager
    def writing(self, engine: Engine, *, lasting: bool = True) -> Iterator[Connection]:
        """A transaction in which reads already see what no other writer can change until it ends; see `Database.write`."""
        ...

    def bell(self, engine: Engine) -> Bell:
        """What wakes idle workers."""
        ...

    def after_copy(self, tx: Connection, tables: Iterable[Table]) -> None:
        """Rows came with their numbers: new ones begin behind them."""
        ...

    claim: Executable
    """Leases what is due and gives the rows back; takes `owner`, `now`, `until`, `limit` and the Mandanten as `turns`."""

    claim_suspects: Executable
    """The same for suspects, whosever they are."""

    after_erasure: tuple[str, ...]
    """Drops erased rows from the engine's own files, outside of a transaction; a row of three begins with 0 if it did."""

    alone: tuple[str, ...]
    """Keeps everybody else from writing into our tables until the transaction ends, however long it lasts."""

    after_upgrade: tuple[str, ...]
    """What the engine must be told of our tables besides their columns and indexes."""

    pulse: Executable
    """Gives `now`, microseconds since 1970 by a server's clock or NULL, and `is_read_only`."""


class Sqlite:
    """SQLite in WAL mode with `synchronous=FULL`: one writer at a time, readers never wait.

    `BEGIN IMMEDIATE` takes the writer's place at once, so a transaction never fails half-way for a lock. Threads of one
    process queue at a lock of our own, and so do processes (`writer_queue.py`), because SQLite's waiting is polling and
    unfair.
    """

    is_shared = False
    claim: Executable = LEASE_SQLITE
    claim_suspects: Executable = LEASE_SUSPECTS_SQLITE
    after_erasure: tuple[str, ...] = (
        "PRAGMA busy_timeout=0",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}",
    )
    alone: tuple[str, ...] = ()
    after_upgrade: tuple[str, ...] = ()
    pulse: Executable = text("SELECT NULL AS now, 0 AS is_read_only FROM meta LIMIT 1")

    def __init__(self, file: Path) -> None:
        self._file = file
        self._queue = WriterQueue(file.with_name("writer.lock"))

    @property
    def place(self) -> str:
        return str(self._file)

    def exists(self) -> bool:
        return self._file.exists()

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
    def writing(self, engine: Engine, *, lasting: bool = True) -> Iterator[Connection]:
        with (
            self._queue.turn(),
            engine.connect().execution_options(intermediary_writes=_LASTING if lasting else _LIGHT) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def reading(self, engine: Engine, *, varied: bool = False) -> Iterator[Connection]:
        with engine.connect() as connection, connection.begin():
            yield connection

    glancing = reading

    @contextmanager
    def migrating(self, engine: Engine) -> Iterator[Connection]:
        descriptor = os.open(self._file.with_name("migrate.lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with self.writing(engine) as connection:
                yield connection
        finally:
            os.close(descriptor)

    def queue_for(self, tx: Connection, names: Collection[str]) -> None:
        """Nothing to do: there is only one writer."""

    def bell(self, engine: Engine) -> Bell:
        return NoBell()

    def after_copy(self, tx: Connection, tables: Iterable[Table]) -> None:
        """Nothing to do: SQLite looks at the rows."""


class Postgres:
    """PostgreSQL 15 or newer: any number of processes on any number of hosts.

    Writes run under `READ COMMITTED` and lock the rows they change; what is claimed is skipped by others (`SKIP LOCKED`).
    Every wait ends: for a connection, for a lock, and of others for a transaction of ours that hangs. `url` is a libpq
    URL (`postgresql://…`) with any of libpq's options.
    """

    is_shared = True
    claim: Executable = LEASE_POSTGRES
    claim_suspects: Executable = LEASE_SUSPECTS_POSTGRES
    after_erasure: tuple[str, ...] = ()
    alone: tuple[str, ...] = (
        "SET LOCAL idle_in_transaction_session_timeout = 0",
        f"LOCK TABLE {', '.join(METADATA.tables)} IN SHARE ROW EXCLUSIVE MODE",
    )
    after_upgrade: tuple[str, ...] = _CLEAN_OFTEN
    pulse: Executable = text(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now, "
        "current_setting('transaction_read_only') = 'on' AS is_read_only"
    )

    def __init__(self, url: str, *, pool: int = 8) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:
            parsed = None
        if parsed is None or parsed.drivername != "postgresql":
            raise Misconfigured("store.url.invalid", where="url_file")
        self._url = parsed.set(drivername="postgresql+psycopg")
        self._pool = pool

    @property
    def url(self) -> URL:
        """Where the server is, and how it is spoken to; contains the password."""
        return self._url

    @property
    def place(self) -> str:
        return f"{self._url.host}/{self._url.database}"

    def exists(self) -> bool:
        return True

    def engine(self) -> Engine:
        try:
            return self._engine()
        except ModuleNotFoundError as missing:
            raise Misconfigured("store.driver.missing", where="url_file") from missing

    def _engine(self) -> Engine:
        engine = create_engine(
            self._url,
            pool_size=self._pool,
            max_overflow=self._pool,
            pool_timeout=_BUSY_MILLISECONDS / 1000,
            isolation_level="READ COMMITTED",
            connect_args={
                "connect_timeout": 10,
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "tcp_user_timeout": _BUSY_MILLISECONDS,
                "application_name": "intermediary",
                "options": f"{self._url.query.get('options', '')} {_SESSION}",
            },
        )
        _check_options(engine, self._url)
        event.listen(engine, "connect", _demand_version)
        event.listen(engine, "checkin", _rest)
        event.listen(engine, "checkout", partial(_demand_answer, engine))
        return engine

    @contextmanager
    def glancing(self, engine: Engine) -> Iterator[Connection]:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    @contextmanager
    def reading(self, engine: Engine, *, varied: bool = False) -> Iterator[Connection]:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with engine.connect().execution_options(**options) as connection, connection.begin():
            if varied:
                connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")
            yield connection

    @contextmanager
    def writing(self, engine: Engine, *, lasting: bool = True) -> Iterator[Connection]:
        with engine.connect() as connection, connection.begin():
            if not lasting:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            yield connection

    @contextmanager
    def migrating(self, engine: Engine) -> Iterator[Connection]:
        with self.writing(engine) as connection:
            self.queue_for(connection, ["migration"])
            yield connection

    def queue_for(self, tx: Connection, names: Collection[str]) -> None:
        numbers = sorted({int.from_bytes(sha256(name.encode()).digest()[:8], signed=True) for name in names})
        tx.execute(_QUEUE, {"numbers": numbers})

    def bell(self, engine: Engine) -> Bell:
        return Notifications(engine)

    def after_copy(self, tx: Connection, tables: Iterable[Table]) -> None:
        for table in tables:
            column = table.autoincrement_column
            if column is not None and tx.execute(_SERIAL, {"place": table.name, "name": column.name}).scalar_one():
                highest = tx.execute(select(func.max(column))).scalar_one()
                names = {"place": table.name, "name": column.name, "last": highest or 1, "used": highest is not None}
                tx.execute(_CONTINUE, names)


_SERIAL = text("SELECT pg_get_serial_sequence(:place, :name)")
_CONTINUE = text("SELECT setval(pg_get_serial_sequence(:place, :name), :last, :used)")
_QUEUE = text("SELECT pg_advisory_xact_lock(number) FROM unnest(CAST(:numbers AS bigint[])) AS number")


def _check_options(engine: Engine, url: URL) -> None:
    """What libpq does not know is told before the first connection, and without the URL."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    _, options = engine.dialect.create_connect_args(url)
    try:
        make_conninfo("", **{name: value for name, value in options.items() if name != "context"})
    except ProgrammingError:
        raise Misconfigured("store.url.invalid", where="url_file") from None


def _rest(connection: Any, record: ConnectionPoolEntry) -> None:
    """Begin a connection's rest. After a read-only transaction the engine demands writing ones of the next, over a
    server's word that it takes none (F7): that is forgotten.
    """
    record.info[_RESTS_SINCE] = time.monotonic()
    if connection is not None and not connection.closed:
        connection.read_only = None


def _demand_answer(engine: Engine, connection: Any, record: ConnectionPoolEntry, _user: object) -> None:
    """Replace a connection that has lost its server: it says something unasked, or has rested and does not answer now."""
    since = record.info.get(_RESTS_SINCE)
    if since is None:
        return
    try:
        if time.monotonic() - since < _TRUSTED_SECONDS and not _says_something(connection):
            return
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as silent:
        raise InvalidatePoolError from silent


def _says_something(connection: Any) -> bool:
    """Whether there is anything to read, at the cost of one call of the kernel: a farewell, or the end of the stream."""
    look = kernel.poll()
    look.register(connection.fileno(), kernel.POLLIN)
    return bool(look.poll(0))


def _demand_version(connection: Any, _record: object) -> None:
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        raise Misconfigured("store.server.unfit", where=f"PostgreSQL {version // 10_000}")


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


_LASTING = ("PRAGMA synchronous = FULL", "BEGIN IMMEDIATE")
_LIGHT = ("PRAGMA synchronous = NORMAL", "BEGIN IMMEDIATE")


def _begin(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    for statement in connection.get_execution_options().get("intermediary_writes", ("BEGIN",)):
        try:
            driver.execute(statement)
        except sqlite3.OperationalError as failure:  # locked by somebody who does not stand in our queue
            raise OperationalError(statement, None, failure) from failure
