"""The HTTP side of callbacks: paths, bounds, and what each answer says."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from intermediary.core.callbacks import Callback, Heard, Hearing, Unheard
from intermediary.core.faults import Fault, Transient
from intermediary.ingress.callbacks.verdicts import Told, Verdicts
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
from intermediary.store.errors import Busy, LeaseLost

MAX_BYTES = 64 * 1024
_PATH = "/callbacks/{mandant}/{route}/{target}"
_THREADS = 2
_POLL_SECONDS = 0.1
_LATER_SECONDS = 5
_SELDOM_SECONDS = 600.0
_STATUS = {Told.TAKEN: 200, Told.KNOWN: 200, Told.PENDING: 202, Told.UNKNOWN: 404, Told.CONFLICT: 409}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who may call back at one address: its connector, and the names its target is known by."""

    connector: Hearing
    names: Collection[str]


FindCaller = Callable[[str, str, str], Caller | None]
"""By Mandant, route and target; None where nobody calls back. Called in the threads of the door, one at a time."""


class Reception:
    """One ASGI application; `stop` ends what waits, from the loop's own thread.

    `wait_seconds` is how long a callback waits for a worker that has the Nachricht; `note_holding` is told of a store that
    is away.
    """

    def __init__(
        self,
        find: FindCaller,
        verdicts: Verdicts,
        *,
        spool: Spool,
        clock: Callable[[], datetime],
        wait_seconds: float,
        note_holding: Callable[[str], None],
    ) -> None:
        self._find = find
        self._verdicts = verdicts
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._note_holding = note_holding
        self._receiving = Receiving(spool, Bounds(), max_bytes=MAX_BYTES)
        self._hearing = ThreadPoolExecutor(1, thread_name_prefix="callback-hear")
        self._taking = ThreadPoolExecutor(_THREADS, thread_name_prefix="callback-take")
        self._warned_at = -math.inf
        routes = [Route(path, self._heard, methods=["POST"]) for path in (_PATH, f"{_PATH}/{{key}}")]
        self.app = Starlette(routes=routes)
        self.app.router.redirect_slashes = False  # the address would be the client's own Host header

    def stop(self) -> None:
        """From now on nothing is taken up, and who waits is told to come again."""
        self._receiving.stop()

    def close(self) -> None:
        """Let the threads go."""
        self._hearing.shutdown(wait=False, cancel_futures=True)
        self._taking.shutdown(wait=False, cancel_futures=True)

    async def _heard(self, request: Request) -> Response:
        receiving, partner = self._receiving, request.state.partner
        if has_two_lengths(request):
            return LastResponse(status_code=400)
        if receiving.is_stopping or receiving.is_full(partner):
            return _later(is_unread=True)
        try:
            with receiving.under_way(partner):
                body = await receiving.receive(request)
                with body.open() as stream:
                    said = Callback(request.path_params.get("key", ""), dict(request.headers), stream.read())
                return await self._answer(request, said)
        except BodyTooLarge:
            return LastResponse(status_code=413)
        except BodyTooSlow:
            return LastResponse(status_code=408)
        except BodyNotTaken:
            return _later(is_unread=True)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    async def _answer(self, request: Request, callback: Callback) -> Response:
        """Who is not let in learns nothing: not even whether there is such a target."""
        loop = asyncio.get_running_loop()
        path = request.path_params
        where = f"{path['mandant']}/{path['route']}/{path['target']}"
        try:
            caller, heard = await loop.run_in_executor(self._hearing, self._hear, path, callback)
            if caller is None or heard is Unheard.STRANGER:
                self._warn(where if caller is not None else "")
                return JSONResponse({"error": Unheard.STRANGER}, 401)
            if isinstance(heard, Unheard):
                log.warning("callback.unreadable", target=where)
                return JSONResponse({"error": heard}, 400)
            told, nachricht_id = await self._take(caller, heard)
        except (TimeoutError, LeaseLost):
            return _later()
        except Fault as fault:
            log.error("callback.held", target=where, code=fault.code, where=fault.where)
            if isinstance(fault, Transient):
                self._note_holding(fault.code)
            return _later()
        self._note_holding("")
        status = _STATUS[told]
        if status >= 400:
            log.warning("callback.not-taken", target=where, nachricht_id=nachricht_id, reason=told.value)
            return JSONResponse({"error": told}, status)
        log.info("callback.answered", target=where, nachricht_id=nachricht_id, outcome=told.value)
        return JSONResponse({"status": told}, status)

    def _hear(self, path: dict[str, str], callback: Callback) -> tuple[Caller | None, Heard | Unheard]:
        caller = self._find(path["mandant"], path["route"], path["target"])
        if caller is None:
            return None, Unheard.STRANGER
        return caller, caller.connector.hear(callback, self._clock())

    async def _take(self, caller: Caller, heard: Heard) -> tuple[Told, str]:
        """A worker has a Nachricht for moments, the longest of them right after its target has answered."""
        loop = asyncio.get_running_loop()
        async with self._receiving.within(self._wait_seconds):
            while True:
                try:
                    return await loop.run_in_executor(self._taking, self._verdicts.take, caller.names, heard)
                except Busy:
                    await asyncio.sleep(_POLL_SECONDS)

    def _warn(self, where: str) -> None:
        """Seldom: anybody can make us write it. An address that is none of ours is a stranger's words and left out."""
        now = asyncio.get_running_loop().time()
        if now >= self._warned_at + _SELDOM_SECONDS:
            self._warned_at = now
            log.warning("callback.refused", target=where)


def _later(*, is_unread: bool = False) -> Response:
    headers = {"retry-after": str(_LATER_SECONDS)}
    kind = LastResponse if is_unread else Response
    return kind(b'{"error":"later"}', 503, headers=headers, media_type="application/json")
