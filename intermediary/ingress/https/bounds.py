"""Where an endpoint listens, and what its clients may cost."""

from __future__ import annotations

from dataclasses import dataclass

from intermediary.keys.tls import TlsFiles


@dataclass(frozen=True, slots=True)
class Bounds:
    """What clients may cost (threat T28). Times in seconds.

    `handshake`, `header` and `idle` are the longest waits for a TLS handshake, for the header of a request, and for the
    next piece of its body; `total` is for a whole request, `send` for a client to take its answer. `per_client`
    connections are counted by address (IPv6: by /64), `connections` and `requests` (under way at once) over all, half
    of which one partner may have.
    """

    handshake: float = 10.0
    header: float = 10.0
    idle: float = 20.0
    total: float = 900.0
    send: float = 30.0
    per_client: int = 100
    connections: int = 400
    requests: int = 64


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen. Without `tls` the endpoint speaks plain HTTP: on the loopback interface, or behind a proxy."""

    host: str
    port: int
    tls: TlsFiles | None = None
    bounds: Bounds = Bounds()
