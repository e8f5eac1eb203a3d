"""The listening socket: who is one client, and who is turned away before anything is spent on them."""

from __future__ import annotations

import socket
import threading

import pytest
from structlog.testing import capture_logs

from intermediary.ingress.https.bounds import Bounds
from intermediary.ingress.https.listener import Listener, client_of, listen
from intermediary.osci.passive import PassiveDoor, PassiveSettings
from tests.acceptance.daemon import wait_until
from tests.unit.osci.passive.conftest import RULES, FakeHouse


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_whom_an_address_stands_for(address: str, client: str) -> None:
    """An IPv6 client owns a /64; an IPv4 address in IPv6 clothes is itself."""
    assert client == client_of(address)


@pytest.mark.parametrize("bounds", [Bounds(per_client=3), Bounds(connections=3)])
def test_one_too_many_is_turned_away(bounds: Bounds) -> None:
    """The fourth connection is closed at once, and taken again when one of the three has gone."""
    listener = listen("127.0.0.1", 0, bounds)
    clients: list[socket.socket] = []
    with listener:
        listener.setblocking(True)
        held = [accept_one(listener, clients) for _ in range(3)]
        with pytest.raises(BlockingIOError):
            accept_one(listener, clients)
        clients[-1].settimeout(5)
        assert b"" == clients[-1].recv(1)

        held[0].close()
        held.append(accept_one(listener, clients))
    for one in [*held, *clients]:
        one.close()


def accept_one(listener: Listener, clients: list[socket.socket]) -> socket.socket:
    clients.append(socket.create_connection(listener.getsockname()))
    return listener.accept()[0]


def test_an_address_that_cannot_be_had_is_named(fake: FakeHouse) -> None:
    """The log says which address, and why: the operator of a taken port looks nowhere else."""
    with listen("127.0.0.1", 0, Bounds()) as taken, capture_logs() as logs:
        port = taken.getsockname()[1]
        door = PassiveDoor(PassiveSettings(host="127.0.0.1", port=port), RULES, fake.house())
        thread = threading.Thread(target=door.run)
        thread.start()
        try:
            wait_until(lambda: bool(logs), "the door says why it is closed")
        finally:
            door.stop()
            thread.join()

    assert ("osci.closed", f"127.0.0.1:{port}: Address already in use") == (logs[0]["event"], logs[0]["where"])
