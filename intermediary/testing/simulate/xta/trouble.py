"""Trouble of XTA on command: which knobs there are, and what they do to an answer on its way."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intermediary.testing.simulate.osci.trouble import Knob, Trouble
from intermediary.unseal.xta.envelope import Addressing
from intermediary.xta.server.reception import action_of
from intermediary.xta.wire.entity import OutgoingMessage, Random, write_entity
from intermediary.xta.wire.faults import ERRORS, error, write_error
from intermediary.xta.wire.operations import BY_ACTION

KNOBS: dict[str, str] = {
    "delay": "answer late, by ARGUMENT milliseconds",
    "drop-before": "close the connection before anything is committed",
    "drop-after": "commit, then close the connection without an answer (@close: the lost close)",
    "die-before": "end by SIGKILL before anything is committed",
    "die-after": "commit, then end by SIGKILL without an answer",
    "truncate": "commit, then close the connection after half of the answer",
    "fault": "the exception with the number ARGUMENT instead of executing the request",
    "unavailable": "503 with Retry-After ARGUMENT seconds instead of executing the request",
    "wrong-type": "commit, then answer with another Content-Type",
    "huge": "commit, then an answer of ARGUMENT MiB that is none",
    "same-id": "createMessageId gives the id it gave before; a list shows every message twice",
}
DEFAULTS = {"delay": "200", "fault": "9030", "unavailable": "1", "huge": "300"}

_MEBIBYTE = bytes(1024 * 1024)


def parse(words: str) -> Knob:
    """Reads `NAME[:ARGUMENT][@OPERATION]=PROBABILITY` or `…=nextN`; ValueError with what is allowed."""
    knob = Knob.parse(words, knobs=KNOBS, defaults=DEFAULTS)
    if knob.name == "fault" and knob.argument not in ERRORS:
        raise ValueError(f"a fault is one of {', '.join(ERRORS)}")
    return knob


class Troubled:
    """An application of the server with trouble around it; `same_id` is told when that knob is drawn."""

    def __init__(self, app: ASGIApp, trouble: Trouble, *, random: Random, same_id: Callable[[], None]) -> None:
        self._app = app
        self._trouble = trouble
        self._random = random
        self._same_id = same_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        action = action_of({name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]})
        operation = BY_ACTION.get(action)
        drawn = self._trouble.draw(operation.name if operation is not None else "")
        cut: Callable[[], None] = scope["state"]["cut"]
        if "delay" in drawn:
            await asyncio.sleep(int(drawn["delay"]) / 1000)
        if "die-before" in drawn:
            os.kill(os.getpid(), signal.SIGKILL)
        if "drop-before" in drawn:
            cut()
        elif "unavailable" in drawn:
            headers = [(b"retry-after", drawn["unavailable"].encode())]
            await _whole(send, 503, "text/plain", b"", headers)
        elif "fault" in drawn:
            await self._fault(send, drawn["fault"], action)
        else:
            if "same-id" in drawn:
                self._same_id()
            await self._app(scope, receive, _Spoiled(send, drawn, cut))

    async def _fault(self, send: Send, number: str, action: str) -> None:
        addressing = Addressing(action, "http://www.w3.org/2005/08/addressing/anonymous")
        message = OutgoingMessage(addressing, body=write_error(error(number)))
        entity = write_entity(message, random=self._random, mtom=False)
        await _whole(send, 500, entity.content_type, entity.content.read())


class _Spoiled:
    """What the application answers, on its way to the client."""

    def __init__(self, send: Send, drawn: dict[str, str], cut: Callable[[], None]) -> None:
        self._send = send
        self._drawn = drawn
        self._cut = cut
        self._is_over = False

    async def __call__(self, message: Message) -> None:
        if self._is_over:
            return
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif "truncate" in self._drawn:
            half = message["body"][: len(message["body"]) // 2]
            await self._send({**message, "body": half, "more_body": True})
            self._end()
        else:
            await self._send(message)

    async def _begin(self, message: Message) -> None:
        drawn = self._drawn
        if "die-after" in drawn:
            os.kill(os.getpid(), signal.SIGKILL)
        if "drop-after" in drawn:
            self._end()
        elif "huge" in drawn:
            await self._huge(int(drawn["huge"]), message)
        elif "wrong-type" in drawn:
            headers = [pair for pair in message["headers"] if pair[0] != b"content-type"]
            await self._send({**message, "headers": [*headers, (b"content-type", b"text/html; charset=utf-8")]})
        else:
            await self._send(message)

    def _end(self) -> None:
        self._is_over = True
        self._cut()

    async def _huge(self, mebibytes: int, start: Message) -> None:
        self._is_over = True
        length = str(mebibytes * len(_MEBIBYTE)).encode()
        headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
        await self._send({**start, "headers": [*headers, (b"content-length", length)]})
        for _ in range(mebibytes):
            await self._send({"type": "http.response.body", "body": _MEBIBYTE, "more_body": True})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


async def _whole(send: Send, status: int, kind: str, body: bytes, headers: Any = ()) -> None:
    own = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": own})
    await send({"type": "http.response.body", "body": body, "more_body": False})
