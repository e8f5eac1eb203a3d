"""The lines of `doctor` on the database server: whether it is reachable, durable, and of one time with this host."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from intermediary.core.faults import Fault
from intermediary.operations.diagnosis import Diagnosis, bad
from intermediary.settings.models import Settings
from intermediary.store.server import Server
from intermediary.wiring import look_at_database

SUBJECT = "database"

_FEW_CONNECTIONS = 20
_AHEAD_WARNING = timedelta(seconds=1)


def database(settings: Settings) -> Iterator[Diagnosis]:
    """Nothing for SQLite; else a line for everything that is wrong with the server, or one that all is well."""
    if settings.store.url_file is None:
        return
    try:
        server = look_at_database(settings)
    except Fault as fault:
        yield bad(SUBJECT, fault, str(settings.store.url_file))
        return
    if server is not None:
        lease = timedelta(seconds=settings.store.lease_seconds)
        found = list(judge_server(server, lease=lease))
        yield from found or [Diagnosis(SUBJECT, "ok", f"PostgreSQL {server.version} at {server.place}")]


def judge_server(server: Server, *, lease: timedelta) -> Iterator[Diagnosis]:
    """What is wrong with a server; `lease` is what a wrong clock cuts short."""
    where = f"PostgreSQL {server.version} at {server.place}"
    if server.not_durable:
        hint = "set it to on: without it what the sender was told is lost when the server falls"
        yield Diagnosis(SUBJECT, "bad", f"{where}: {', '.join(server.not_durable)} = off", hint)
    if server.is_read_only:
        hint = "name the primary in the URL (target_session_attrs=read-write finds it among several hosts)"
        yield Diagnosis(SUBJECT, "bad", f"{where} takes no writes", hint)
    if not server.may_create:
        hint = "GRANT CREATE ON SCHEMA public TO the account, or let the owner start a new version first"
        yield Diagnosis(SUBJECT, "warning", f"{where}: this account cannot make tables", hint)
    if not server.is_cleaned:
        hint = "set it to on: otherwise each claim steps over everything that was done since the last VACUUM"
        yield Diagnosis(SUBJECT, "warning", f"{where}: autovacuum = off", hint)
    ahead = abs(server.ahead)
    if ahead > _AHEAD_WARNING:
        hint = "let all hosts take their time from one server (NTP): leases and deadlines are told by their clocks"
        what = f"{where}: its clock differs from this host's by {server.ahead.total_seconds():+.1f} s"
        yield Diagnosis(SUBJECT, "bad" if ahead > lease / 4 else "warning", what, hint)
    if not server.is_encrypted and not server.is_local:
        hint = "add ?sslmode=verify-full&sslrootcert=… to the URL"
        yield Diagnosis(SUBJECT, "warning", f"{where} is spoken to without TLS", hint)
    if server.connections_left < _FEW_CONNECTIONS:
        hint = "every process of ours takes up to 17: raise max_connections, or end what else is connected"
        yield Diagnosis(SUBJECT, "warning", f"{where}: only {server.connections_left} connections are left", hint)
