"""A web application on a port of its own, whose connections can be cut."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Self

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

_JOIN_SECONDS = 20.0


class Served:
    """A port of 127.0.0.1, or wherever `listen` says; `url` is known after construction, for port 0 too.

    `begin` serves an application on it in a thread, leaving the context manager ends that.
    """

    def __init__(self, listen: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}
        self._socket = socket.create_server(listen, backlog=256)
        host, port = self._socket.getsockname()[:2]
        self.port: int = port
        self.url = f"http://{host}:{port}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def begin(self, app: ASGIApp) -> Self:
        """Serve this application from now on, in a thread."""
        self._server = self._made(app)
        self._thread = threading.Thread(target=self._run, name=f"face-{self.port}", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """No new requests; those under way are ended within a second."""
        if self._server is not None:
            self._server.should_exit = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join(_JOIN_SECONDS)
        self._socket.close()

    def cut(self, request: Request) -> None:
        """Reset the connection of this request (RST): the client reads no more of it."""
        transport = self._transports.get(_peer(request))
        if transport is not None:
            transport.abort()

    def _run(self) -> None:
        if self._server is not None:
            self._server.run(sockets=[self._socket])

    def _made(self, app: ASGIApp) -> uvicorn.Server:
        return uvicorn.Server(
            uvicorn.Config(
                app,
                http=self._watched(),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
                server_header=False,
            )
        )

    def _watched(self) -> type[H11Protocol]:
        """The protocol that remembers the transport of every open connection."""
        transports = self._transports

        class Watched(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                transports[transport.get_extra_info("peername")[:2]] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self.transport.get_extra_info("peername")[:2], None)
                super().connection_lost(exc)

        return Watched


def _peer(request: Request) -> tuple[str, int]:
    return (request.client.host, request.client.port) if request.client is not None else ("", 0)
