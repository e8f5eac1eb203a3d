"""The HTTP side of a passive recipient: paths, bounds, waiting for the verdict, the grid on which refusals leave."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from intermediary.core.values import Content
from intermediary.ingress.doors import DoorRules
from intermediary.keys.spool import Arriving, Spool
from intermediary.osci.passive.delivery import Arrived, Deliveries, Held
from intermediary.osci.passive.reply import Reply, later, too_large, too_slow
from intermediary.osci.passive.settings import PassiveSettings

_PATH = "/osci"
_MEDIA_TYPE = "text/xml; charset=UTF-8"
_WRITE_BYTES = 256 * 1024
_POLL_SECONDS = 0.05
_DRAIN_SECONDS = 1.0
_TAKING_THREADS = 4
_JUDGING_THREADS = 2
_TICKING_THREADS = 8
_FINE_SECONDS = 0.004
_SELDOM_SECONDS = 600.0

log = structlog.get_logger(__name__)


class Reception:
    """One ASGI application for one channel; `stop` ends what waits, from the loop's own thread."""

    def __init__(
        self,
        deliveries: Deliveries,
        settings: PassiveSettings,
        rules: DoorRules,
        *,
        spool: Spool,
        clock: Callable[[], datetime],
    ) -> None:
        self._deliveries = deliveries
        self._settings = settings
        self._rules = rules
        self._spool = spool
        self._clock = clock
        self._taking = ThreadPoolExecutor(_TAKING_THREADS, thread_name_prefix="osci-take")
        self._judging = ThreadPoolExecutor(_JUDGING_THREADS, thread_name_prefix="osci-judge")
        self._ticking = ThreadPoolExecutor(_TICKING_THREADS, thread_name_prefix="osci-tick")
        self._waiting: set[asyncio.Timeout] = set()
        self._under_way: Counter[str] = Counter()
        self._is_stopping = False
        self._told_at = -math.inf
        paths = [_PATH, f"{_PATH}/{{mandant}}"] if len(rules.mandanten) == 1 else [f"{_PATH}/{{mandant}}"]
        routes = [Route(path, self._deliver, methods=["POST"]) for path in paths]
        self.app = Starlette(routes=[*routes, Route("/{rest:path}", self._nowhere, methods=["POST"])])
        self.app.router.redirect_slashes = False  # the address would be the client's own Host header

    def stop(self) -> None:
        """From now on nothing is taken up, and who waits is told to come again; a take under way ends by itself."""
        self._is_stopping = True
        for one in tuple(self._waiting):
            one.reschedule(0)

    def close(self) -> None:
        """Let the threads go; a judgement still under way is left to itself."""
        self._taking.shutdown(wait=False, cancel_futures=True)
        self._judging.shutdown(wait=False, cancel_futures=True)
        self._ticking.shutdown(wait=False, cancel_futures=True)

    async def _deliver(self, request: Request) -> Response:
        mandant = request.path_params.get("mandant", self._rules.mandanten[0])
        if mandant not in self._rules.mandanten:
            return await self._nowhere(request)
        if {"content-length", "transfer-encoding"} <= set(request.headers.keys()):
            return _Last(status_code=400)  # a proxy may have seen another end of it (RFC 9112 §6.1)
        partner = request.state.partner
        if self._is_stopping or self._is_full(partner) or self._deliveries.is_closed(mandant):
            return _sent(later(), is_unread=True)
        self._under_way[partner] += 1
        try:
            body = await self._receive(request)
            if isinstance(body, Reply):
                return _sent(body, is_unread=True)
            return await self._answer(Arrived(mandant, body, partner, self._clock()))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        finally:
            self._under_way[partner] -= 1
            self._under_way += Counter()  # forgets who has none

    async def _nowhere(self, _request: Request) -> Response:
        """A path that is none of ours: most likely somebody registered us wrongly, so the operators are told, seldom."""
        now = asyncio.get_running_loop().time()
        if now >= self._told_at + _SELDOM_SECONDS:
            self._told_at = now
            paths = ", ".join(f"{_PATH}/{mandant}" for mandant in self._rules.mandanten)
            log.warning("osci.path.unknown", channel=self._rules.channel, where=f"ours: {paths}")
        return Response("Not Found", 404)

    def _is_full(self, partner: str) -> bool:
        """Nobody has more than half of the places, so that slow bodies do not shut the door to the others."""
        most = self._settings.bounds.requests
        return self._under_way.total() >= most or self._under_way[partner] >= max(1, most // 2)

    async def _receive(self, request: Request) -> Content | Reply:
        """The whole body, on the spool if it is large; a Reply when it is too large or comes too slowly."""
        stated = request.headers.get("content-length", "")
        if stated.isdigit() and int(stated) > self._rules.max_bytes:
            return too_large()
        arriving = self._spool.receive()
        content: Content | Reply
        try:
            content = await self._spooled(request.stream(), arriving)
        except TimeoutError:
            content = later() if self._is_stopping else too_slow()
        except OSError:  # no room on the disk
            content = later()
        except ClientDisconnect:
            arriving.abandon()
            raise
        if isinstance(content, Reply):
            arriving.abandon()
        return content

    async def _spooled(self, stream: AsyncIterator[bytes], arriving: Arriving) -> Content | Reply:
        end = asyncio.get_running_loop().time() + self._settings.bounds.total
        waiting = bytearray()  # a client chooses how small the pieces are: they must not be kept or counted one by one
        while piece := await self._next(stream, end):
            waiting += piece
            if arriving.length + len(waiting) > self._rules.max_bytes:
                return too_large()
            if len(waiting) >= _WRITE_BYTES:
                await asyncio.to_thread(arriving.write, bytes(waiting))
                waiting.clear()
        arriving.write(bytes(waiting))
        return await asyncio.to_thread(arriving.finish)

    async def _next(self, stream: AsyncIterator[bytes], end: float) -> bytes:
        """The next bytes that are not none; empty at the end of the body. TimeoutError when they come too slowly."""
        left = end - asyncio.get_running_loop().time()
        async with self._within(min(self._settings.bounds.idle, left)):
            async for piece in stream:
                if piece:
                    return piece
        return b""

    async def _answer(self, arrived: Arrived) -> Response:
        loop = asyncio.get_running_loop()
        start = loop.time()
        held = await loop.run_in_executor(self._taking, self._deliveries.take_in, arrived)
        reply = await self._judged(held) if isinstance(held, Held) else held
        if reply.is_refusal:
            tick = self._settings.tick_seconds
            await self._until(start + math.ceil((loop.time() - start) / tick) * tick)
        return _sent(reply)

    async def _until(self, moment: float) -> None:
        """Wait exactly so long: the loop rounds up to milliseconds, and the remainder would tell what was done before."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, moment - loop.time() - _FINE_SECONDS))
        await loop.run_in_executor(self._ticking, _sleep_until, moment)

    async def _judged(self, held: Held) -> Reply:
        """Wait for the verdict, but not longer than the channel does; a worker goes on in any case."""
        loop = asyncio.get_running_loop()
        try:
            async with self._within(self._settings.judged_seconds):
                await loop.run_in_executor(self._judging, self._deliveries.judge, held)
                while (reply := await loop.run_in_executor(self._taking, self._deliveries.answer, held)) is None:
                    await asyncio.sleep(_POLL_SECONDS)
                return reply
        except TimeoutError:
            return later()

    @asynccontextmanager
    async def _within(self, seconds: float) -> AsyncIterator[None]:
        """A span that ends with TimeoutError: when it is over, and when the door is to be closed."""
        async with asyncio.timeout(0 if self._is_stopping else seconds) as span:
            self._waiting.add(span)
            try:
                yield
            finally:
                self._waiting.discard(span)


class _Last(Response):
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


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _sent(reply: Reply, *, is_unread: bool = False) -> Response:
    headers = {"content-type": _MEDIA_TYPE}
    if reply.retry_after is not None:
        headers["retry-after"] = str(reply.retry_after)
    return (_Last if is_unread else Response)(reply.body, reply.status, headers=headers)
