"""What `doctor` says about a database server."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from intermediary.core.faults import Misconfigured, Transient
from intermediary.operations.database import judge_server
from intermediary.store.server import Server, look_at_server
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.servers import free_ports
from intermediary.wiring import utc_now

LEASE = timedelta(seconds=120)
GOOD = Server(
    place="db/intermediary",
    version="16.4",
    not_durable=(),
    ahead=timedelta(milliseconds=3),
    is_encrypted=True,
    is_local=False,
    is_read_only=False,
    connections_left=80,
    may_create=True,
    is_cleaned=True,
)


def test_nothing_is_said_of_a_good_server() -> None:
    """Quiet when all is well."""
    assert [] == list(judge_server(GOOD, lease=LEASE))
    assert [] == list(judge_server(replace(GOOD, is_encrypted=False, is_local=True), lease=LEASE))


@pytest.mark.parametrize(
    ("flaw", "verdict", "told"),
    [
        ({"not_durable": ("fsync",)}, "bad", "fsync = off"),
        ({"is_read_only": True}, "bad", "takes no writes"),
        ({"ahead": timedelta(seconds=-40)}, "bad", "-40.0 s"),
        ({"ahead": timedelta(seconds=2)}, "warning", "+2.0 s"),
        ({"is_encrypted": False}, "warning", "without TLS"),
        ({"connections_left": 5}, "warning", "only 5 connections"),
        ({"may_create": False}, "warning", "cannot make tables"),
        ({"is_cleaned": False}, "warning", "autovacuum = off"),
    ],
)
def test_each_flaw_has_a_line(flaw: dict[str, object], verdict: str, told: str) -> None:
    """What is wrong, where, what to do."""
    (line,) = judge_server(replace(GOOD, **flaw), lease=LEASE)

    assert verdict == line.verdict
    assert told in line.what
    assert "db/intermediary" in line.what
    assert line.hint


def test_a_real_server_is_seen_as_it_is(postgres: PrivatePostgres) -> None:
    """A private server is durable, local, and of our own time."""
    server = look_at_server(postgres.database(), utc_now)

    assert ((), False, True, False, True, True) == (
        server.not_durable,
        server.is_encrypted,
        server.is_local,
        server.is_read_only,
        server.may_create,
        server.is_cleaned,
    )
    assert abs(server.ahead) < timedelta(seconds=1)
    assert 0 < server.connections_left < 200


def test_another_time_is_noticed(postgres: PrivatePostgres) -> None:
    """The difference has a sign: this host is a minute late."""

    def late() -> datetime:
        return utc_now() - timedelta(minutes=1)

    assert look_at_server(postgres.database(), late).ahead > timedelta(seconds=58)


def test_a_database_that_takes_no_writes_is_noticed(postgres: PrivatePostgres) -> None:
    """As a standby would be."""
    url = postgres.database()
    postgres.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on")

    assert look_at_server(url, utc_now).is_read_only


def test_what_does_not_answer_is_told_without_the_password() -> None:
    """Host and port stand in the line, the password nowhere."""
    (port,) = free_ports(1)

    with pytest.raises(Transient) as fault:
        look_at_server(f"postgresql://u:geheim@127.0.0.1:{port}/x", utc_now)

    assert str(port) in fault.value.where
    assert "geheim" not in f"{fault.value!r} {fault.value.__cause__!r}"


def test_what_is_no_url_is_the_operators() -> None:
    """Nothing of it is told."""
    with pytest.raises(Misconfigured) as fault:
        look_at_server("geheim", utc_now)

    assert "geheim" not in str(fault.value)
