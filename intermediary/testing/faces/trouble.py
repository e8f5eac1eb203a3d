"""Answers a request with an effect as the knobs say: before, instead of, or after what it asks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from intermediary.testing.faces.mischief import Mischief
from intermediary.testing.faces.served import Served

_PAGE = b"<!doctype html><title>Anmeldung</title><p>Bitte melden Sie sich an.</p>"
ELSEWHERE = "https://elsewhere.invalid/collect"


class Disturbed:
    """The effects of one face under its knobs. `take` is called only where something is taken: once, or twice."""

    def __init__(self, served: Served, mischief: Mischief) -> None:
        self._served = served
        self._mischief = mischief

    async def answer(
        self,
        request: Request,
        kind: str,
        *,
        read: Callable[[], Awaitable[None]],
        take: Callable[[tuple[str, ...]], Response],
        reject: Callable[[tuple[str, ...]], Response],
    ) -> tuple[Response, tuple[str, ...]]:
        """The answer, and the names of the knobs that struck. `read` reads the body, `take` does what it asks for;
        it is told which knobs strike.
        """
        drawn = self._mischief.draw(kind)
        struck = tuple(drawn)
        before = await self._before(request, drawn, read)
        if before is not None:
            return before, struck
        await read()
        if "reset-before" in drawn:
            return self._cut(request), struck
        if "reject" in drawn:
            return reject(struck), struck
        answer = take(struck)
        return await self._after(request, drawn, take(struck) if "twice" in drawn else answer), struck

    async def _before(
        self, request: Request, drawn: dict[str, str], read: Callable[[], Awaitable[None]]
    ) -> Response | None:
        if "delay" in drawn:
            await asyncio.sleep(int(drawn["delay"]) / 1000)
        if "reset-inside" in drawn:
            async for _ in request.stream():
                break
            return self._cut(request)
        if "refuse" in drawn:
            await read()
            return Response(status_code=503, headers={"Retry-After": drawn["refuse"]})
        if "redirect" in drawn:
            await read()
            return Response(status_code=307, headers={"Location": ELSEWHERE})
        if "error-before" in drawn:
            await read()
            return Response(status_code=500)
        return None

    async def _after(self, request: Request, drawn: dict[str, str], answer: Response) -> Response:
        if "reset-after" in drawn:
            return self._cut(request)
        if "error-after" in drawn:
            return Response(status_code=500)
        if "hang" in drawn:
            while not await request.is_disconnected():
                await asyncio.sleep(0.02)
            return Response(status_code=500)
        if "wrong-type" in drawn:
            return Response(_PAGE, media_type="text/html")
        if "huge" in drawn:
            return StreamingResponse(_huge(int(drawn["huge"])), status_code=answer.status_code)
        if "drip" in drawn:
            return StreamingResponse(
                _dripping(bytes(answer.body), int(drawn["drip"]) / 1000), status_code=answer.status_code
            )
        return answer

    def _cut(self, request: Request) -> Response:
        self._served.cut(request)
        return Response(status_code=500)  # written to a connection that is gone already


async def _huge(mebibytes: int) -> AsyncIterator[bytes]:
    for _ in range(mebibytes * 16):
        yield b" " * 65536


async def _dripping(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    for position in range(len(body)):
        yield body[position : position + 1]
        await asyncio.sleep(seconds)
