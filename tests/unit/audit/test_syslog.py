"""Heads on their way to syslog (RFC 5424), and read back from what a server wrote."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.audit.chain import START
from intermediary.audit.sealer import Head
from intermediary.audit.syslog import Syslog, heads_in, read_syslog
from intermediary.core.faults import Transient

OWN = "63b1739e-f67b-5a4b-baa5-710cb1d9231d"
RFC5424 = re.compile(rb"<109>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]{1,255} intermediary - audit-head - ")


def _head(size: int, installation: str = OWN) -> Head:
    return Head(installation, size, "ab" * 32, datetime(2026, 11, 21, tzinfo=UTC), START, b"s" * 64)


HEADS = [_head(10), _head(20)]


@pytest.fixture
def datagrams() -> Iterator[socket.socket]:
    """A syslog server for UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        yield server


def test_over_udp(datagrams: socket.socket) -> None:
    """One datagram per head, in the form of the RFC, short enough for every receiver."""
    with Syslog(f"udp://127.0.0.1:{datagrams.getsockname()[1]}", host="amt-1") as syslog:
        syslog.send(HEADS)
    lines = [datagrams.recv(65_536) for _ in HEADS]

    assert all(RFC5424.match(line) and len(line) <= 2048 for line in lines)
    assert tuple(HEADS) == heads_in(lines, OWN)


def test_over_tcp() -> None:
    """Each message behind its length in octets (RFC 6587)."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with Syslog(f"tcp://127.0.0.1:{server.getsockname()[1]}", host="amt-1") as syslog:
            peer, _ = server.accept()
            syslog.send(HEADS)
        with peer, peer.makefile("rb") as stream:
            data = stream.read()
    messages = []
    while data:
        length, _, rest = data.partition(b" ")
        messages.append(rest[: int(length)])
        data = rest[int(length) :]

    assert all(RFC5424.match(message) for message in messages)
    assert tuple(HEADS) == heads_in(messages, OWN)


def test_to_the_local_socket(tmp_path: Path) -> None:
    """As `/dev/log` takes them."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        server.settimeout(10)
        with Syslog(f"unix:{tmp_path / 'log'}", host="amt-1") as syslog:
            syslog.send(HEADS)

        assert tuple(HEADS) == heads_in([server.recv(65_536) for _ in HEADS], OWN)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "unix:/nonexistent/log", "udp://nowhere.invalid:514"])
def test_a_failing_syslog_is_temporary(address: str) -> None:
    """Nobody listens, no socket, no such host: time may heal it, and the setting is named."""
    with pytest.raises(Transient) as fault, Syslog(address, host="amt-1"):
        pass

    assert ("audit.syslog", f"audit.heads_syslog: {address}") == (fault.value.code, fault.value.where)


def test_a_syslog_file_is_read(tmp_path: Path) -> None:
    """Behind any header of a server, among other lines, once each; not those of others, not what was cut short."""
    file = tmp_path / "messages"
    bsd = "Nov 21 12:00:00 amt-1 intermediary: "
    iso = "2026-11-21T12:00:00+01:00 amt-1 intermediary - audit-head "
    lines = [
        f"{bsd}something else",
        bsd + HEADS[0].line(),
        iso + HEADS[0].line(),
        iso + _head(15, "other").line(),
        iso + HEADS[1].line()[:-9],
        iso + HEADS[1].line(),
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    assert tuple(HEADS) == read_syslog(file, OWN)
