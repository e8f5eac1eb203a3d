"""The REST face: takes any POST, PUT or PATCH below `/rest`, tells by GET what lies under a key."""

from __future__ import annotations

import uuid

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from intermediary.testing.faces.trouble import Disturbed
from intermediary.testing.simulate.fachverfahren.bodies import MOST_BYTES, Unreadable, contents_of, key_in
from intermediary.testing.simulate.fachverfahren.callbacks import HEADER, Callbacks
from intermediary.testing.simulate.fachverfahren.inbox import Arrival, Content, Inbox

FACE = "rest"
_STATUS = {"neu": 201, "doppelt": 201, "wiederholt": 200, "abweichend": 409}
_KEY_HEADERS = ("idempotency-key", "x-schluessel", "x-idempotency-key")


class RestFace:
    """Notes what comes and answers 201 with a number, 200 for a repetition, 409 for other content under a known key.

    With `callbacks` it answers 202 to what names an address in `X-Callback`, and tells its verdict there.
    """

    def __init__(self, inbox: Inbox, disturbed: Disturbed, callbacks: Callbacks | None = None) -> None:
        self._inbox = inbox
        self._disturbed = disturbed
        self._callbacks = callbacks

    def routes(self) -> list[Route]:
        paths = ("/rest", "/rest/{path:path}")
        return [Route(path, self._serve, methods=["GET", "OPTIONS", "POST", "PUT", "PATCH"]) for path in paths]

    async def _serve(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": "GET, OPTIONS, PATCH, POST, PUT"})
        if request.method == "GET":
            return self._told(request.path_params.get("path", ""))
        body = b""

        async def read() -> None:
            nonlocal body
            body = await whole_body(request)

        answer, _ = await self._disturbed.answer(
            request,
            FACE,
            read=read,
            take=lambda struck: self._take(request, body, struck, is_refused=False),
            reject=lambda struck: self._take(request, body, struck, is_refused=True),
        )
        return answer

    def _take(self, request: Request, body: bytes, struck: tuple[str, ...], *, is_refused: bool) -> Response:
        media = request.headers.get("content-type", "")
        key = next((request.headers[name] for name in _KEY_HEADERS if name in request.headers), "") or key_in(
            body, media
        )
        try:
            contents = contents_of(body, media, request.url.path.rsplit("/", 1)[-1])
        except Unreadable as damage:
            return JSONResponse({"code": f"unreadable-{damage}"}, status_code=400)
        if is_refused:
            self._inbox.note(FACE, key, contents, answer="422 E4711", trouble=struck, is_refused=True)
            return JSONResponse({"code": "E4711"}, status_code=422)
        return self._noted(key, contents, struck, request.headers.get(HEADER, ""))

    def _noted(self, key: str, contents: list[Content], struck: tuple[str, ...], callback: str) -> Response:
        first = self._inbox.first(FACE, key)
        status = _STATUS[self._inbox.judged(FACE, key, tuple(one.piece for one in contents))]
        arrival = self._inbox.note(FACE, key, contents, answer=str(status), trouble=struck)
        if status == 409:
            return JSONResponse({"code": "key-reused"}, status_code=409)
        told = first if status == 200 and first is not None else arrival
        if self._callbacks is not None and callback:
            self._callbacks.owe(callback, key)
            return JSONResponse(_receipt(told, "in Bearbeitung"), status_code=202)
        return JSONResponse(_receipt(told, "angenommen"), status_code=status)

    def _told(self, path: str) -> Response:
        key = path.rsplit("/", 1)[-1]
        found = self._inbox.first(FACE, key)
        if found is None:
            return JSONResponse({"state": "unbekannt"}, status_code=404)
        return JSONResponse(_receipt(found, "angenommen"))


async def whole_body(request: Request) -> bytes:
    """The body of a request, as far as a stand-in should hold it."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise ValueError("the body is too large for a stand-in")
    return bytes(body)


def _receipt(arrival: Arrival, state: str) -> dict[str, object]:
    files = [{"name": one.name, "length": one.size, "sha256": one.sha256} for one in arrival.pieces]
    number = str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:fachverfahren:{arrival.face}:{arrival.number}"))
    case = {"id": number, "number": f"FV-{arrival.number:06d}"}
    return {"id": number, "key": arrival.key, "state": state, "at": arrival.at, "vorgang": case, "files": files}
