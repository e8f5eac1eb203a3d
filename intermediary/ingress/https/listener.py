"""A listening socket that turns clients away before anything is spent on them (threat T28)."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from weakref import WeakSet

from intermediary.ingress.https.bounds import Bounds

BACKLOG = 256


class Listener(socket.socket):
    """Accepts at most so many connections at once, over all and per client; what is above is closed at once.

    asyncio calls `accept` on it directly, so that a half-open TLS handshake counts as well.
    """

    def __init__(self, family: int, bounds: Bounds) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._bounds = bounds
        self._open: dict[str, WeakSet[socket.socket]] = {}

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection that is let in. `BlockingIOError` when there is none, or it was turned away."""
        connection, address = super().accept()
        client = client_of(str(address[0]))
        if self._is_full(client):
            connection.close()
            raise BlockingIOError
        self._open.setdefault(client, WeakSet()).add(connection)
        return connection, address

    def _is_full(self, client: str) -> bool:
        counts = {one: _count(held) for one, held in self._open.items()}
        self._open = {one: held for one, held in self._open.items() if counts[one]}
        return counts.get(client, 0) >= self._bounds.per_client or sum(counts.values()) >= self._bounds.connections


def listen(host: str, port: int, bounds: Bounds) -> Listener:
    """A bound listener; OSError when the address cannot be had."""
    (family, _type, _proto, _name, address) = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = Listener(family, bounds)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def client_of(address: str) -> str:
    """Whom an address stands for: itself, or its /64, in which an IPv6 client chooses freely."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 6 and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(ip), 64), strict=False))
    return str(ip if ip.version == 4 else ip.ipv4_mapped)


def _count(held: WeakSet[socket.socket]) -> int:
    return sum(one.fileno() != -1 for one in held)
