"""One HTTP exchange with a partner: the whole request goes out, the answer is streamed into the spool, in bounded time.

Nothing is followed, decompressed, proxied or believed that the operator did not configure (threats T14, T28).
"""

from __future__ import annotations

import io
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

import httpx2

from intermediary.connect.watchdog import Watchdog
from intermediary.core.faults import Misconfigured, Transient, Unclear
from intermediary.core.values import Content
from intermediary.keys.spool import Spool, SpoolStopped, SpoolTooLarge

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CONTENT_TYPE = "text/xml"
"""What the reference transport states; the real media type stands inside the body (digest §3)."""

_BUFFER_BYTES = 256 * 1024
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_BUSY = frozenset({429, 503})


class Exchange(Protocol):
    """Brings one request to a partner and its answer back; may be used by several threads.

    Raises `Transient` when nothing was sent, `Misconfigured` when nobody there speaks OSCI, `Unclear` when the request may
    have been read: `dialog.no-answer`, or `dialog.answer.too-large`. OSError comes from the spool alone.
    """

    def post(self, request: Content) -> Content: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Seconds until a connection stands, until the next bytes go or come, and for the whole; bytes of an answer."""

    connect_seconds: float = 10.0
    idle_seconds: float = 60.0
    total_seconds: float = 900.0
    max_answer_bytes: int = 128 * 1024 * 1024


class HttpExchange:
    """`Exchange` by HTTP POST to one address; redirects are not followed and proxies of the environment not used.

    `ca_file` replaces the system's certificate authorities. `where` names the partner in faults. A set `should_stop` ends
    the receiving of an answer.
    """

    def __init__(
        self,
        url: str,
        *,
        where: str,
        spool: Spool,
        limits: HttpLimits,
        ca_file: Path | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        ticks: Callable[[], float] = time.monotonic,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._url = url
        self._where = where
        self._spool = spool
        self._limits = limits
        self._should_stop = should_stop
        self._ticks = ticks
        idle = limits.idle_seconds
        self._client = httpx2.Client(
            verify=tls_context(ca_file, where),
            timeout=httpx2.Timeout(idle, connect=limits.connect_seconds),
            follow_redirects=False,
            trust_env=False,
            # Each request has a connection of its own, so that its watchdog knows which one to end.
            limits=httpx2.Limits(max_connections=32, max_keepalive_connections=0),
            headers={"Content-Type": CONTENT_TYPE, "Accept-Encoding": "identity", "User-Agent": "intermediary"},
            transport=transport,
        )

    def post(self, request: Content) -> Content:
        """See `Exchange`."""
        if self._client.is_closed:
            raise Transient("dialog.unreachable", where=self._where)
        length = {"Content-Length": str(request.length)}
        deadline = self._ticks() + self._limits.total_seconds
        try:
            with (
                Watchdog(self._limits.total_seconds) as dog,
                self._client.stream(
                    "POST",
                    self._url,
                    content=self._pieces(request, deadline),
                    headers=length,
                    extensions={"trace": dog.trace},
                ) as response,
            ):
                self._check(response)
                return self._receive(response, deadline)
        except _Overdue as error:  # nobody takes the request
            raise Unclear("dialog.no-answer", where=self._where) from error
        except _NOT_SENT as error:
            raise self._not_sent(error) from error
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise Misconfigured("dialog.http", where=self._where) from error
        except httpx2.TransportError as error:
            raise Unclear("dialog.no-answer", where=self._where) from error

    def close(self) -> None:
        """End all connections; a request under way in another thread fails."""
        self._client.close()

    def _check(self, response: httpx2.Response) -> None:
        status = response.status_code
        if status == httpx2.codes.OK:
            if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
                raise Unclear("dialog.answer.unreadable", where=f"{self._where}: content encoding")
            return
        if status in _BUSY:
            raise Transient("dialog.unreachable", where=f"{self._where}: HTTP {status}")
        if status < httpx2.codes.INTERNAL_SERVER_ERROR:
            raise Misconfigured("dialog.http", where=f"{self._where}: HTTP {status}")
        raise Unclear("dialog.no-answer", where=f"{self._where}: HTTP {status}")

    def _pieces(self, request: Content, deadline: float) -> Iterator[bytes]:
        with request.open() as stream:
            while piece := stream.read(_BUFFER_BYTES):
                if self._ticks() > deadline:
                    raise _Overdue
                yield piece

    def _receive(self, response: httpx2.Response, deadline: float) -> Content:
        arriving = _Arriving(response.iter_raw(), deadline=deadline, ticks=self._ticks)
        with closing(cast(BinaryIO, io.BufferedReader(arriving, _BUFFER_BYTES))) as stream:
            try:
                return self._spool.copy(stream, max_bytes=self._limits.max_answer_bytes, should_stop=self._should_stop)
            except SpoolTooLarge as error:
                raise Unclear("dialog.answer.too-large", where=self._where) from error
            except (SpoolStopped, _Overdue) as error:
                raise Unclear("dialog.no-answer", where=self._where) from error

    def _not_sent(self, error: httpx2.TransportError) -> Exception:
        if any(isinstance(one, ssl.SSLError) for one in _causes(error)):
            return Misconfigured("dialog.tls", where=self._where)
        return Transient("dialog.unreachable", where=self._where)


def tls_context(ca_file: Path | None, where: str) -> ssl.SSLContext:
    """Verifies chain and host name; TLS 1.2 or better. `Misconfigured("dialog.tls")` when the file cannot be read."""
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured("dialog.tls", where=f"{where}: ca_file") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Overdue(Exception):
    """The answer drips so slowly that it would never end."""


class _Arriving(io.RawIOBase):
    """The answer's bytes as a stream with a deadline for the whole."""

    def __init__(self, chunks: Iterator[bytes], *, deadline: float, ticks: Callable[[], float]) -> None:
        super().__init__()
        self._chunks = chunks
        self._deadline = deadline
        self._ticks = ticks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")
        while not self._rest:
            if self._ticks() > self._deadline:
                raise _Overdue
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
