"""uvicorn in the thread of a door: TLS, deadlines per connection, an end within a second."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from intermediary.core.faults import Misconfigured
from intermediary.ingress.https.bounds import Bounds, Listening
from intermediary.ingress.https.handshakes import Handshakes
from intermediary.ingress.https.listener import BACKLOG, client_of, listen
from intermediary.keys.tls import TlsFiles, load_certificate, server_context

log = structlog.get_logger(__name__)

_MOST_HEADER_BYTES = 16 * 1024
_KEEP_ALIVE_SECONDS = 5
_LOOK_SECONDS = 30.0
_SHUTDOWN_SECONDS = 0.5


class GuardedProtocol(H11Protocol):
    """HTTP/1.1 on one connection, cut when the client is slower with a header, or with taking an answer, than allowed.

    In the `state` of a request, `partner` is who the client is: its certificate, or else its address; `cut` ends it at once.
    """

    bounds = Bounds()
    _waiting: asyncio.TimerHandle | None = None
    _is_lost = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the parent
        super().connection_made(transport)
        self.app_state = {"partner": _partner(transport, self.client), "cut": self._cut}
        self._await_header()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._header_came()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._header_came()
        elif self._waiting is None and getattr(before, "response_complete", True):
            self._await_header()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.loop.call_later(self.bounds.send, self._cut_if_not_taken)

    def _await_header(self) -> None:
        self._waiting = self.loop.call_later(self.bounds.header, self._cut)

    def _header_came(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _cut(self) -> None:
        self.transport.abort()

    def _cut_if_not_taken(self) -> None:
        if not self._is_lost and self.transport.get_write_buffer_size() > 0:
            self.transport.abort()


class Server(uvicorn.Server):
    """uvicorn with a bounded listener and a bounded TLS handshake; `port` is known once `on_open` was called."""

    def __init__(self, app: ASGIApp, settings: Listening, *, on_open: Callable[[int], None]) -> None:
        protocol = type("Protocol", (GuardedProtocol,), {"bounds": settings.bounds})
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                loop="asyncio",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=max(1, int(settings.bounds.total)),
                h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
            )
        )
        self._settings = settings
        self._on_open = on_open
        self._renewing: asyncio.Task[None] | None = None

    def run_until_stopped(self) -> None:
        """Serve until `should_exit` is set. OSError when the address cannot be had, `Misconfigured` for the key."""
        asyncio.run(self._serve_and_renew())

    async def startup(self, sockets: object = None) -> None:
        """Open the door: in place of uvicorn's own way, which knows no limit for the TLS handshake."""
        settings = self._settings
        context = server_context(settings.tls) if settings.tls is not None else None
        listener = listen(settings.host, settings.port, settings.bounds)
        port: int = listener.getsockname()[1]
        if context is not None:
            Handshakes(f"{settings.host}:{port}").watch(context)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            self._protocol,
            sock=listener,
            ssl=context,
            backlog=BACKLOG,
            ssl_handshake_timeout=settings.bounds.handshake if context is not None else None,
            ssl_shutdown_timeout=_SHUTDOWN_SECONDS if context is not None else None,
        )
        self.servers = [server]
        self.started = True
        if context is not None and settings.tls is not None:
            self._renewing = loop.create_task(_renew(context, settings.tls))
        self._on_open(port)

    async def _serve_and_renew(self) -> None:
        try:
            await self.serve()
        finally:
            if self._renewing is not None:
                self._renewing.cancel()

    def _protocol(self) -> asyncio.Protocol:
        state: dict[str, Any] = {}
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # the class above
            config=self.config, server_state=self.server_state, app_state=state
        )


async def _renew(context: ssl.SSLContext, files: TlsFiles) -> None:
    """A renewed certificate is in force without a restart; one that does not load leaves the old in force."""
    seen = files.stamps()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        stamps = files.stamps()
        if stamps == seen:
            continue
        seen = stamps
        try:
            load_certificate(context, files)
        except Misconfigured as fault:
            log.error("https.certificate.refused", code=fault.code, where=fault.where)
        else:
            log.info("https.certificate.renewed")


def _partner(transport: asyncio.Transport, client: tuple[str, int] | None) -> str:
    tls = transport.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) if tls is not None else None
    if certificate:
        return hashlib.sha256(certificate).hexdigest()
    return client_of(client[0]) if client else ""
