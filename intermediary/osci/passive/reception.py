"""The HTTP side of a passive recipient: paths, bounds, waiting for the verdict, the grid on which refusals leave."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from intermediary.core.values import Content
from intermediary.ingress.doors import DoorRules
from intermediary.ingress.https.receiving import (
    BodyNotTaken,
    BodyTooLarge,
    BodyTooSlow,
    LastResponse,
    Receiving,
    has_two_lengths,
)
from intermediary.keys.spool import Spool
from intermediary.osci.passive.delivery import Arrived, Deliveries, Held
from intermediary.osci.passive.reply import Reply, later, too_large, too_slow
from intermediary.osci.passive.settings import PassiveSettings

_PATH = "/osci"
_MEDIA_TYPE = "text/xml; charset=UTF-8"
_POLL_SECONDS = 0.05
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
        self._receiving = Receiving(spool, settings.bounds, max_bytes=rules.max_bytes)
        self._clock = clock
        self._taking = ThreadPoolExecutor(_TAKING_THREADS, thread_name_prefix="osci-take")
        self._judging = ThreadPoolExecutor(_JUDGING_THREADS, thread_name_prefix="osci-judge")
        self._ticking = ThreadPoolExecutor(_TICKING_THREADS, thread_name_prefix="osci-tick")
        self._told_at = -math.inf
        paths = [_PATH, f"{_PATH}/{{mandant}}"] if len(rules.mandanten) == 1 else [f"{_PATH}/{{mandant}}"]
        routes = [Route(path, self._deliver, methods=["POST"]) for path in paths]
        self.app = Starlette(routes=[*routes, Route("/{rest:path}", self._nowhere, methods=["POST"])])
        self.app.router.redirect_slashes = False  # the address would be the client's own Host header

    def stop(self) -> None:
        """From now on nothing is taken up, and who waits is told to come again; a take under way ends by itself."""
        self._receiving.stop()

    def close(self) -> None:
        """Let the threads go; a judgement still under way is left to itself."""
        self._taking.shutdown(wait=False, cancel_futures=True)
        self._judging.shutdown(wait=False, cancel_futures=True)
        self._ticking.shutdown(wait=False, cancel_futures=True)

    async def _deliver(self, request: Request) -> Response:
        mandant = request.path_params.get("mandant", self._rules.mandanten[0])
        if mandant not in self._rules.mandanten:
            return await self._nowhere(request)
        if has_two_lengths(request):
            return LastResponse(status_code=400)
        partner = request.state.partner
        receiving = self._receiving
        if receiving.is_stopping or receiving.is_full(partner) or self._deliveries.is_closed(mandant):
            return _sent(later(), is_unread=True)
        try:
            with receiving.under_way(partner):
                body = await self._receive(request)
                if isinstance(body, Reply):
                    return _sent(body, is_unread=True)
                return await self._answer(Arrived(mandant, body, partner, self._clock()))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    async def _nowhere(self, _request: Request) -> Response:
        """A path that is none of ours: most likely somebody registered us wrongly, so the operators are told, seldom."""
        now = asyncio.get_running_loop().time()
        if now >= self._told_at + _SELDOM_SECONDS:
            self._told_at = now
            paths = ", ".join(f"{_PATH}/{mandant}" for mandant in self._rules.mandanten)
            log.warning("osci.path.unknown", channel=self._rules.channel, where=f"ours: {paths}")
        return Response("Not Found", 404)

    async def _receive(self, request: Request) -> Content | Reply:
        """The whole body, on the spool if it is large; a Reply when it is too large, too slow, or cannot be taken now."""
        try:
            return await self._receiving.receive(request)
        except BodyTooLarge:
            return too_large()
        except BodyTooSlow:
            return too_slow()
        except BodyNotTaken:
            return later()

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
            async with self._receiving.within(self._settings.judged_seconds):
                await loop.run_in_executor(self._judging, self._deliveries.judge, held)
                while (reply := await loop.run_in_executor(self._taking, self._deliveries.answer, held)) is None:
                    await asyncio.sleep(_POLL_SECONDS)
                return reply
        except TimeoutError:
            return later()


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _sent(reply: Reply, *, is_unread: bool = False) -> Response:
    headers = {"content-type": _MEDIA_TYPE}
    if reply.retry_after is not None:
        headers["retry-after"] = str(reply.retry_after)
    return (LastResponse if is_unread else Response)(reply.body, reply.status, headers=headers)
