"""The HTTP side of an XTA server: three paths, who may come in, bodies on the spool, answers as streams."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from weakref import WeakValueDictionary

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from intermediary.core.faults import Fault, Rejected
from intermediary.ingress.doors import DoorRules
from intermediary.ingress.https.bounds import Bounds
from intermediary.ingress.https.receiving import (
    BodyNotTaken,
    BodyTooLarge,
    BodyTooSlow,
    LastResponse,
    Receiving,
    has_two_lengths,
)
from intermediary.keys.spool import Spool
from intermediary.unseal import mime
from intermediary.unseal.xta.names import MAX_ENTITY_BYTES
from intermediary.xta.server.calls import Answer, Arrived
from intermediary.xta.server.desk import Desk, Waiting
from intermediary.xta.server.settings import ServerSettings
from intermediary.xta.wire.operations import Port

HANDS = 8
"""So many requests are worked on at a time; half of these may be of one account."""

PATHS: dict[str, Port] = {"/xta/management": "management", "/xta/send": "send", "/xta/msgbox": "msgbox"}

_POLL_SECONDS = 0.05
_JUDGING_THREADS = 2
_SELDOM_SECONDS = 600.0
_PIECE_BYTES = 256 * 1024

log = structlog.get_logger(__name__)


class Reception:
    """One ASGI application for one channel; `stop` ends what waits, from the loop's own thread."""

    def __init__(
        self,
        desk: Desk,
        settings: ServerSettings,
        rules: DoorRules,
        *,
        spool: Spool,
        clock: Callable[[], datetime],
    ) -> None:
        self._desk = desk
        self._settings = settings
        self._channel = rules.channel
        self._clock = clock
        self._receiving = Receiving(spool, settings.bounds, max_bytes=min(rules.max_bytes, MAX_ENTITY_BYTES))
        self._working = ThreadPoolExecutor(HANDS, thread_name_prefix="xta-call")
        self._judging = ThreadPoolExecutor(_JUDGING_THREADS, thread_name_prefix="xta-judge")
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._told_at = -math.inf
        routes = [Route(path, self._call, methods=["POST"]) for path in PATHS]
        self.app = Starlette(routes=[*routes, Route("/{rest:path}", self._nowhere, methods=["POST"])])
        self.app.router.redirect_slashes = False  # the address would be the client's own Host header

    def stop(self) -> None:
        """From now on nothing is taken up, and who waits is told to come again; a take under way ends by itself."""
        self._receiving.stop()

    def close(self) -> None:
        """Let the threads go; a judgement still under way is left to itself."""
        self._working.shutdown(wait=False, cancel_futures=True)
        self._judging.shutdown(wait=False, cancel_futures=True)

    async def _call(self, request: Request) -> Response:
        if has_two_lengths(request):
            return LastResponse(status_code=400)
        loop, desk, receiving = asyncio.get_running_loop(), self._desk, self._receiving
        certificate, action = request.state.partner, action_of(request.headers)
        port = PATHS[request.url.path]
        client = await loop.run_in_executor(self._working, desk.let_in, certificate, port, action)
        if isinstance(client, Answer):
            return await self._last(client)
        if receiving.is_stopping or receiving.is_full(certificate):
            return await self._last(desk.later(action))
        try:
            with receiving.under_way(certificate):
                body = await receiving.receive(request)
                arrived = Arrived(
                    client=client,
                    port=port,
                    content_type=request.headers.get("content-type", ""),
                    body=body,
                    at=self._clock(),
                    action=action,
                    wants_mtom=_wants_mtom(request),
                )
                return _Streamed(await self._answer(arrived), self._settings.bounds)
        except BodyTooLarge:
            return await self._last(desk.too_large(action))
        except BodyTooSlow:
            return LastResponse(status_code=408)
        except BodyNotTaken:
            return await self._last(desk.later(action))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    async def _answer(self, arrived: Arrived) -> Answer:
        loop = asyncio.get_running_loop()
        turns = self._turns.setdefault(arrived.client.kennung, asyncio.Semaphore(HANDS // 2))
        async with turns:  # what one account sends may take long to read: others have hands left
            taken = await loop.run_in_executor(self._working, self._desk.take_up, arrived)
        return await self._judged(taken) if isinstance(taken, Waiting) else taken

    async def _judged(self, waiting: Waiting) -> Answer:
        """Wait for the verdict, but not longer than the channel does; a worker goes on in any case."""
        loop, desk = asyncio.get_running_loop(), self._desk
        try:
            async with self._receiving.within(self._settings.judged_seconds):
                await loop.run_in_executor(self._judging, desk.judge, waiting)
                while (answer := await loop.run_in_executor(self._working, desk.answer, waiting)) is None:
                    await asyncio.sleep(_POLL_SECONDS)
                return answer
        except TimeoutError:
            return await asyncio.to_thread(desk.open_answer, waiting)

    async def _nowhere(self, _request: Request) -> Response:
        """A path that is none of ours: most likely somebody wrote it down wrongly, so the operators are told, seldom."""
        now = asyncio.get_running_loop().time()
        if now >= self._told_at + _SELDOM_SECONDS:
            self._told_at = now
            log.warning("xta.path.unknown", channel=self._channel, where=f"ours: {', '.join(PATHS)}")
        return Response("Not Found", 404)

    async def _last(self, answer: Answer) -> Response:
        body = await asyncio.to_thread(answer.entity.content.read)
        return LastResponse(body, answer.status, headers=_headers(answer))


class _Streamed(Response):
    """An answer of any length, read and sent in pieces; a client that does not take them in time is cut off."""

    def __init__(self, answer: Answer, bounds: Bounds) -> None:
        super().__init__(status_code=answer.status, headers=_headers(answer))
        self.raw_headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        self.raw_headers.append((b"content-length", str(answer.entity.content.length).encode()))
        self._content = answer.entity.content
        self._seconds = bounds.send

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = await asyncio.to_thread(self._content.open)
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while piece := await asyncio.to_thread(stream.read, _PIECE_BYTES):
                async with asyncio.timeout(self._seconds):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (TimeoutError, Fault) as failure:  # too slow, or what is read broke off: half an answer is none
            log.warning("xta.answer.cut", failure=type(failure).__name__)
            scope["state"]["cut"]()
        finally:
            await asyncio.to_thread(stream.close)


def _headers(answer: Answer) -> dict[str, str]:
    headers = {"content-type": answer.entity.content_type}
    if answer.retry_after is not None:
        headers["retry-after"] = str(answer.retry_after)
    return headers


def action_of(headers: Mapping[str, str]) -> str:
    """The operation as HTTP names it: the parameter of the media type (SOAP 1.2), or SOAPAction as in 1.1."""
    try:
        parameters = mime.structured(headers.get("content-type", ""), "content type")[1]
    except Rejected:
        return ""
    return parameters.get("action", "") or headers.get("soapaction", "").strip().strip('"')


def _wants_mtom(request: Request) -> bool:
    """Who sends parts beside the envelope reads them too; others say so."""
    said = request.headers.get("content-type", "").lower(), request.headers.get("accept", "").lower()
    return said[0].lstrip().startswith("multipart/related") or "multipart/related" in said[1] or "xop+xml" in said[1]
