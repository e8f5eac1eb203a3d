"""Receives the bodies of one endpoint onto the spool, within bounds, and ends what waits when it is to be closed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from intermediary.core.values import Content
from intermediary.ingress.https.bounds import Bounds
from intermediary.keys.spool import Arriving, Spool

_WRITE_BYTES = 256 * 1024
_DRAIN_SECONDS = 1.0


class BodyTooLarge(Exception):
    """The client sends, or announces, more than the endpoint takes."""


class BodyTooSlow(Exception):
    """The body did not come in time; the connection ends with it."""


class BodyNotTaken(Exception):
    """It cannot be received now: the disk has no room, or the endpoint is being closed."""


class Receiving:
    """What is under way at one endpoint; all but `stop` is called in the loop's own thread."""

    def __init__(self, spool: Spool, bounds: Bounds, *, max_bytes: int) -> None:
        self._spool = spool
        self._bounds = bounds
        self._max_bytes = max_bytes
        self._waiting: set[asyncio.Timeout] = set()
        self._under_way: Counter[str] = Counter()
        self.is_stopping = False

    def stop(self) -> None:
        """From the loop's own thread: who waits is told to come again; what is under way beyond ends by itself."""
        self.is_stopping = True
        for one in tuple(self._waiting):
            one.reschedule(0)

    def is_full(self, partner: str) -> bool:
        """Nobody has more than half of the places, so that slow bodies do not shut the door to the others."""
        most = self._bounds.requests
        return self._under_way.total() >= most or self._under_way[partner] >= max(1, most // 2)

    @contextmanager
    def under_way(self, partner: str) -> Iterator[None]:
        """Counts a request as long as it lasts."""
        self._under_way[partner] += 1
        try:
            yield
        finally:
            self._under_way[partner] -= 1
            self._under_way += Counter()  # forgets who has none

    async def receive(self, request: Request) -> Content:
        """The whole body, on the spool if it is large; raises as the classes above, and `ClientDisconnect`."""
        stated = request.headers.get("content-length", "")
        if stated.isdigit() and int(stated) > self._max_bytes:
            raise BodyTooLarge
        arriving = self._spool.receive()
        try:
            return await self._spooled(request.stream(), arriving)
        except BaseException as failure:
            arriving.abandon()
            if isinstance(failure, TimeoutError):
                raise (BodyNotTaken if self.is_stopping else BodyTooSlow) from failure
            if isinstance(failure, OSError):  # no room on the disk
                raise BodyNotTaken from failure
            raise

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """A span that ends with TimeoutError: when it is over, and when the door is to be closed."""
        async with asyncio.timeout(0 if self.is_stopping else seconds) as span:
            self._waiting.add(span)
            try:
                yield
            finally:
                self._waiting.discard(span)

    async def _spooled(self, stream: AsyncIterator[bytes], arriving: Arriving) -> Content:
        end = asyncio.get_running_loop().time() + self._bounds.total
        waiting = bytearray()  # a client chooses how small the pieces are: they must not be kept or counted one by one
        while piece := await self._next(stream, end):
            waiting += piece
            if arriving.length + len(waiting) > self._max_bytes:
                raise BodyTooLarge
            if len(waiting) >= _WRITE_BYTES:
                await asyncio.to_thread(arriving.write, bytes(waiting))
                waiting.clear()
        arriving.write(bytes(waiting))
        return await asyncio.to_thread(arriving.finish)

    async def _next(self, stream: AsyncIterator[bytes], end: float) -> bytes:
        """The next bytes that are not none; empty at the end of the body. TimeoutError when they come too slowly."""
        left = end - asyncio.get_running_loop().time()
        async with self.within(min(self._bounds.idle, left)):
            async for piece in stream:
                if piece:
                    return piece
        return b""


class LastResponse(Response):
    """An answer after which the connection ends; what the client still sends is read for a moment, so that it sees it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [*self.raw_headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while (await receive()).get("more_body"):
                    pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def has_two_lengths(request: Request) -> bool:
    """Whether a proxy may have seen another end of the body than we do (RFC 9112 §6.1)."""
    return {"content-length", "transfer-encoding"} <= set(request.headers.keys())
