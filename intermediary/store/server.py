"""What a database server is like, asked without changing anything; for `doctor`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from intermediary.core.faults import Fault, Transient
from intermediary.store.dialects import Postgres

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings of the server without which what was told to be taken can be lost."""


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server as our sessions see it. `ahead`: its clock minus ours; `not_durable`: what of `DURABLE` is off;
    `is_cleaned`: whether it vacuums by itself.
    """

    place: str
    version: str
    not_durable: tuple[str, ...]
    ahead: timedelta
    is_encrypted: bool
    is_local: bool
    is_read_only: bool
    connections_left: int
    may_create: bool
    is_cleaned: bool


def look_at_server(url: str, now: Callable[[], datetime]) -> Server:
    """The server at `url`.

    Raises `Misconfigured` when the URL, the driver or the version of the server does not fit, and
    `Transient("store.unavailable")` when it does not answer, with what it says instead: never the password.
    """
    dialect = Postgres(url)
    engine = dialect.engine()
    try:
        with engine.connect() as connection:
            before = now()
            row = connection.execute(_ASK).one()
            after = now()
            middle = before + (after - before) / 2
            return Server(
                place=dialect.place,
                version=row.version,
                not_durable=tuple(name for name in DURABLE if getattr(row, name) == "off"),
                ahead=datetime.fromtimestamp(float(row.clock), UTC) - middle,
                is_encrypted=bool(row.encrypted),
                is_local=bool(row.local),
                is_read_only=row.read_only != "off" or row.standby,
                connections_left=row.most - row.used,
                may_create=row.may_create,
                is_cleaned=row.autovacuum == "on",
            )
    except DBAPIError as failure:
        raise Transient("store.unavailable", where=f"{dialect.place}: {_said(failure, dialect)}") from None
    finally:
        with suppress(Fault):
            engine.dispose()


def _said(failure: DBAPIError, dialect: Postgres) -> str:
    """The first line of what the driver says, which names host and user."""
    password = dialect.url.password or ""
    line = str(failure.orig).strip().partition("\n")[0]
    return line.replace(str(password), "…") if password else line


_ASK = text(
    """
    SELECT current_setting('server_version') AS version,
           current_setting('fsync') AS fsync,
           current_setting('full_page_writes') AS full_page_writes,
           current_setting('synchronous_commit') AS synchronous_commit,
           current_setting('transaction_read_only') AS read_only,
           current_setting('autovacuum') AS autovacuum,
           pg_is_in_recovery() AS standby,
           extract(epoch FROM clock_timestamp()) AS clock,
           (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS encrypted,
           coalesce(inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1', true) AS local,
           current_setting('max_connections')::int AS most,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
           has_schema_privilege(current_schema(), 'CREATE') AS may_create
    """
)
