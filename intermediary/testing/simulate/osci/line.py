"""The HTTP side: uvicorn with connections that can be cut on command, and an admin path for this machine only."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from intermediary.testing.simulate.osci.reply import Reply

MAX_BYTES = 512 * 1024**2
_START_SECONDS = 20.0


Answer = Callable[[bytes], Reply]
Admin = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Executes one admin command: its name and its arguments; ValueError or KeyError say what is wrong with them."""


class Line:
    """Serves `answer` at every path by POST, and `admin` at `/simulator/<command>` for callers from this machine.

    `url` is known after construction, for `listen` with port 0 too. `serve` blocks until SIGTERM or `stop`; as a context
    manager it serves in a thread.
    """

    def __init__(
        self, listen: tuple[str, int], *, answer: Answer, admin: Admin, tls: tuple[Path, Path] | None = None
    ) -> None:
        self._answer = answer
        self._admin = admin
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}
        self._socket = socket.create_server(listen)
        host, port = self._socket.getsockname()[:2]
        self.url = f"{'https' if tls else 'http'}://{host}:{port}/osci"
        app = Starlette(
            routes=[
                Route("/simulator/{command}", self._command, methods=["GET", "POST"]),
                Route("/{path:path}", self._osci, methods=["POST"]),
            ]
        )
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=self._watched(),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
                **_tls(tls),
            )
        )
        self._thread: threading.Thread | None = None

    def serve(self) -> None:
        """Serve until told to stop; in the main thread SIGTERM and SIGINT do that."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let `serve` return."""
        self._server.should_exit = True

    def __enter__(self) -> Line:
        self._thread = threading.Thread(target=self.serve, name="simulated-intermediary", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join(_START_SECONDS)
        self._socket.close()

    async def _osci(self, request: Request) -> Response:
        raw = await _body(request)
        if raw is None:
            return Response(status_code=413)
        reply = await run_in_threadpool(self._answer, raw)
        if reply.ending == "whole":
            return Response(reply.body, media_type="text/xml")
        transport = self._transports.get(_peer(request))
        if transport is not None:
            if reply.ending == "truncated":
                head = b"HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: %d\r\n\r\n" % len(reply.body)
                transport.write(head + reply.body[: len(reply.body) // 2])
            transport.close()
        return Response(status_code=500)  # written to a connection that is closed already

    async def _command(self, request: Request) -> Response:
        if _peer(request)[0] not in ("127.0.0.1", "::1"):
            return Response(status_code=404)
        body = await request.body()
        try:
            arguments = json.loads(body) if body else {}
            return JSONResponse(await run_in_threadpool(self._admin, request.path_params["command"], arguments))
        except (KeyError, ValueError, TypeError) as mistake:
            return JSONResponse({"error": str(mistake)}, status_code=400)

    def _watched(self) -> type[H11Protocol]:
        """The protocol that remembers the transport of every open connection, so that it can be cut."""
        transports = self._transports

        class Watched(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                transports[transport.get_extra_info("peername")[:2]] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self.transport.get_extra_info("peername")[:2], None)
                super().connection_lost(exc)

        return Watched


async def _body(request: Request) -> bytes | None:
    """The whole body, or None if it is larger than anything a simulator should hold."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _peer(request: Request) -> tuple[str, int]:
    return (request.client.host, request.client.port) if request.client is not None else ("", 0)


def _tls(files: tuple[Path, Path] | None) -> dict[str, Any]:
    """The server's certificate and key; TLS 1.2 is the least that uvicorn's context takes then."""
    if files is None:
        return {}
    return {"ssl_certfile": files[0], "ssl_keyfile": files[1], "ssl_version": ssl.PROTOCOL_TLS_SERVER}
