"""One HTTP exchange with an XTA service over mutual TLS: request out, answer into the spool, in bounded time.

Nothing is followed, decompressed, proxied or believed that the operator did not configure (threats T14, T28). A fault of
SOAP comes with an HTTP status of failure: what is XML of SOAP is given back whatever its status.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx2

from intermediary.connect.sent import Overdue, Sent
from intermediary.connect.watchdog import Watchdog
from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.core.values import Content
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles, client_context
from intermediary.unseal.xta.entity import entity_head
from intermediary.unseal.xta.names import MAX_ENTITY_BYTES
from intermediary.xta.wire.entity import Entity

_PIECE_BYTES = 256 * 1024
_BUSY = frozenset({429, 503})
_LONGEST_WAIT_SECONDS = 3600
_OF_OUR_CERTIFICATE = (
    "ALERT_CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_UNKNOWN_CA",
    "ALERT_ACCESS_DENIED",
    "ALERT_HANDSHAKE_FAILURE",
)


class Exchange(Protocol):
    """Brings one request to an endpoint and its answer back; may be used by several threads.

    The answer is kept as `unseal.xta.entity` says; None for an empty one. Raises `Transient` when nothing was sent, or the
    service was too busy to read it; `Misconfigured` when nobody there speaks SOAP 1.2 or a certificate is refused;
    `Rejected("xta.refused.too-large")`; `Unclear` when the request may have been read. OSError comes from the spool alone.
    """

    @property
    def url(self) -> str: ...

    def post(self, request: Entity) -> Content | None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Seconds until a connection stands, until the next bytes go or come, and for the whole; bytes of an answer."""

    connect_seconds: float = 10.0
    idle_seconds: float = 60.0
    total_seconds: float = 600.0
    max_answer_bytes: int = MAX_ENTITY_BYTES


@dataclass(frozen=True, slots=True)
class Address:
    """One of the addresses of a service and who vouches for it; `ca_file` replaces the system's authorities."""

    url: str
    ca_file: Path | None = None


class HttpExchange:
    """`Exchange` by HTTP POST to one endpoint with one client certificate; renewed files count at once.

    `where` names channel and endpoint in faults. A set `should_stop` ends the receiving of an answer.
    """

    def __init__(
        self,
        address: Address,
        tls: TlsFiles,
        *,
        where: str,
        spool: Spool,
        limits: HttpLimits,
        should_stop: Callable[[], bool] = lambda: False,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._tls = tls
        self._where = where
        self._spool = spool
        self._limits = limits
        self._should_stop = should_stop
        self._ticks = ticks
        self._client: httpx2.Client | None = None
        self._stamps: tuple[object, ...] = ()
        self._is_closed = False

    @property
    def url(self) -> str:
        return self._address.url

    def post(self, request: Entity) -> Content | None:
        """See `Exchange`."""
        if self._is_closed:
            raise Transient("xta.unreachable", where=self._where)
        client = self._opened()
        sent = Sent()
        deadline = self._ticks() + self._limits.total_seconds
        try:
            with Watchdog(self._limits.total_seconds) as dog:

                def trace(event: str, info: dict[str, Any]) -> None:
                    sent.trace(event)
                    dog.trace(event, info)

                with client.stream(
                    "POST",
                    self._address.url,
                    content=self._pieces(request.content, deadline),
                    headers={"Content-Type": request.content_type, "Content-Length": str(request.content.length)},
                    extensions={"trace": trace},
                ) as response:
                    return self._answer(response, deadline)
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise Misconfigured("xta.http", where=self._where) from error
        except (httpx2.TransportError, Overdue) as error:
            raise self._lost(error, sent) from error

    def close(self) -> None:
        """End all connections; a request under way in another thread fails."""
        self._is_closed = True
        if self._client is not None:
            self._client.close()

    def _opened(self) -> httpx2.Client:
        """A client with the certificate as it is now; one whose files were replaced lives on until its requests end."""
        stamps = self._tls.stamps()
        if self._client is None or stamps != self._stamps:
            limits = self._limits
            self._client = httpx2.Client(
                verify=client_context(self._tls, ca_file=self._address.ca_file),
                timeout=httpx2.Timeout(limits.idle_seconds, connect=limits.connect_seconds),
                follow_redirects=False,
                trust_env=False,
                # Each request has a connection of its own, so that its watchdog knows which one to end.
                limits=httpx2.Limits(max_connections=32, max_keepalive_connections=0),
                headers={"Accept-Encoding": "identity", "User-Agent": "intermediary"},
            )
            self._stamps = stamps
        return self._client

    def _answer(self, response: httpx2.Response, deadline: float) -> Content | None:
        status = response.status_code
        has_encoding = response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity")
        content_type = response.headers.get("Content-Type", "")
        head = None if has_encoding or 300 <= status < 400 else _head(content_type)
        if head is not None:
            return self._receive(response, head, deadline)
        if response.is_success:
            if not content_type and not next(response.iter_raw(), b""):
                return None
            raise Unclear("xta.answer.unreadable", where=f"{self._where}: content type")
        raise self._of_status(response)

    def _of_status(self, response: httpx2.Response) -> Fault:
        """An answer without SOAP: from a proxy or a web server in front of the service."""
        status = response.status_code
        where = f"{self._where}: HTTP {status}"
        if status in _BUSY:
            return Transient("xta.unreachable", where=where, retry_after=_retry_after(response))
        if status == httpx2.codes.CONTENT_TOO_LARGE:
            return Rejected("xta.refused.too-large", where=where)
        if status in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
            return Misconfigured("xta.tls.refused", where=where)
        if status < httpx2.codes.INTERNAL_SERVER_ERROR:
            return Misconfigured("xta.http", where=where)
        return Unclear("xta.no-answer", where=where)

    def _receive(self, response: httpx2.Response, head: bytes, deadline: float) -> Content:
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and int(length) > self._limits.max_answer_bytes:
            raise Unclear("xta.answer.too-large", where=self._where)
        with self._spool.receive() as arriving:
            arriving.write(head)
            for piece in response.iter_raw(_PIECE_BYTES):
                if arriving.length - len(head) + len(piece) > self._limits.max_answer_bytes:
                    raise Unclear("xta.answer.too-large", where=self._where)
                if self._ticks() > deadline or self._should_stop():
                    raise Overdue
                arriving.write(piece)
            return arriving.finish()

    def _pieces(self, content: Content, deadline: float) -> Iterator[bytes]:
        with content.open() as stream:
            while piece := stream.read(_PIECE_BYTES):
                if self._ticks() > deadline:
                    raise Overdue
                yield piece

    def _lost(self, error: Exception, sent: Sent) -> Fault:
        """TLS 1.3 tells that our certificate is refused only when the answer is read (RFC 8446, 4.4.2.4)."""
        for one in _causes(error):
            if isinstance(one, ssl.SSLError):
                if str(one.reason).endswith(_OF_OUR_CERTIFICATE):
                    return Misconfigured("xta.tls.refused", where=self._where)
                if not sent.any and not isinstance(one, ssl.SSLEOFError | ssl.SSLZeroReturnError):
                    return Misconfigured("xta.tls", where=self._where)
        if not sent.any:
            return Transient("xta.unreachable", where=self._where)
        return Unclear("xta.no-answer", where=self._where)


def _head(content_type: str) -> bytes | None:
    """What to keep in front of a body of this type; None if it holds no SOAP."""
    try:
        return entity_head(content_type)
    except Rejected:
        return None


def _retry_after(response: httpx2.Response) -> timedelta | None:
    seconds = response.headers.get("Retry-After", "").strip()
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 9):
        return None
    return timedelta(seconds=min(int(seconds), _LONGEST_WAIT_SECONDS))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
