"""The DMS as a server: both bindings on one port, with knobs for trouble and an admin path."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from intermediary.testing.cmis import browser
from intermediary.testing.cmis.atompub import AtomPub
from intermediary.testing.cmis.dms import Dms, Traits
from intermediary.testing.cmis.errors import CmisError
from intermediary.testing.cmis.form import Form, read_form
from intermediary.testing.cmis.node import Node
from intermediary.testing.faces.mischief import Knob, Mischief
from intermediary.testing.faces.served import Served
from intermediary.testing.faces.trouble import Disturbed

_CSRF = "X-CSRF-Token"


@dataclass(frozen=True, slots=True)
class Login:
    """Who may come in: a user with a password, or a bearer token; nobody is asked where both are empty."""

    user: str = ""
    password: str = ""
    bearer: str = ""
    csrf: bool = False

    def user_of(self, header: str) -> str | None:
        """The user of an Authorization header, None when that is not let in."""
        if not self.user and not self.bearer:
            return "jedermann"
        if self.bearer and header == f"Bearer {self.bearer}":
            return "dienst"
        try:
            name, _, password = base64.b64decode(header.removeprefix("Basic ")).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return name if self.user and (name, password) == (self.user, self.password) else None


@dataclass(frozen=True, slots=True)
class Seen:
    """One request with an effect: what it asked for, what was answered (0: nothing), which knobs struck."""

    action: str
    status: int
    knobs: tuple[str, ...]


class CmisServer(AbstractContextManager["CmisServer"]):
    """A DMS that is served while the context lasts; `browser_url` and `atom_url` are its addresses.

    `mischief` takes knobs for actions by their name (`reset-after@createDocument=0.1`). `seen` lists what came.
    """

    def __init__(
        self,
        folder: Path,
        *,
        listen: tuple[str, int] = ("127.0.0.1", 0),
        traits: Traits | None = None,
        login: Login | None = None,
        knobs: Iterable[Knob] = (),
        seed: int = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.dms = Dms(folder, clock=clock, traits=traits)
        self.login = login or Login()
        self.mischief = Mischief(knobs, seed=seed)
        self.seen: list[Seen] = []
        self._tokens: dict[str, str] = {}
        self._served = Served(listen)
        self._disturbed = Disturbed(self._served, self.mischief)
        self.url = self._served.url
        self.browser_url = f"{self.url}/browser"
        self.atom_url = f"{self.url}/atom"

    def __enter__(self) -> Self:
        self._served.begin(self.app())
        return self

    def __exit__(self, *_: object) -> None:
        self._served.__exit__()

    def app(self) -> Starlette:
        root = f"/browser/{browser.REPOSITORY_ID}/root"
        return Starlette(
            routes=[
                Route("/browser", self._guarded(self._services), methods=["GET"]),
                Route(f"/browser/{browser.REPOSITORY_ID}", self._guarded(self._ask_dms), methods=["GET", "POST"]),
                Route(root, self._guarded(self._object), methods=["GET", "POST"]),
                Route(root + "/{path:path}", self._guarded(self._object), methods=["GET", "POST"]),
                *AtomPub(lambda: self.dms, self.atom_url, self._user).routes("/atom"),
            ]
        )

    def _guarded(self, handle: Callable[[Request, str], Any]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            user = self._user(request)
            if user is None:
                return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="cmis"'})
            try:
                answer: Response = await handle(request, user)
            except CmisError as refusal:
                return _refused(refusal)
            except ClientDisconnect:  # nothing was taken, and nobody reads this
                return Response(status_code=400)
            return answer

        return guarded

    def _user(self, request: Request) -> str | None:
        return self.login.user_of(request.headers.get("authorization", ""))

    async def _services(self, request: Request, user: str) -> Response:
        answer = JSONResponse(browser.services(self.dms, self.url))
        if request.headers.get(_CSRF, "").lower() == "fetch":
            session, token = secrets.token_hex(8), secrets.token_hex(8)
            self._tokens[session] = token
            answer.headers[_CSRF] = token
            answer.set_cookie("session", session, httponly=True)
            answer.set_cookie("balance", "a1", expires=3600)
        return answer

    async def _ask_dms(self, request: Request, user: str) -> Response:
        asked = dict(request.query_params)
        if request.method == "POST":
            asked |= (await read_form(request, self.dms.folder)).fields
        selector = asked.get("cmisselector") or asked.get("cmisaction", "")
        asked["q"] = asked.get("q", asked.get("statement", ""))

        def take() -> Response:
            return JSONResponse(browser.ask_dms(self.dms, selector, asked, self.url))

        return await self._disturb(request, selector or "repositoryInfo", _nothing, take)

    async def _object(self, request: Request, user: str) -> Response:
        if request.method == "POST":
            return await self._act(request, user)
        asked = dict(request.query_params)
        selector = asked.get("cmisselector") or asked.get("selector", "")
        node = self._addressed(request)
        if selector == "content":
            return _content(node)

        def take() -> Response:
            return JSONResponse(browser.ask_object(self.dms, node, selector, asked))

        return await self._disturb(request, selector or "object", _nothing, take)

    async def _act(self, request: Request, user: str) -> Response:
        if self.login.csrf and not self._has_token(request):
            return Response(status_code=403, headers={_CSRF: "Required"})
        form, kind = Form(), request.query_params.get("cmisaction", "")

        async def read() -> None:
            nonlocal form
            form = await read_form(request, self.dms.folder)
            form.fields = {**dict(request.query_params), **form.fields}

        def take() -> Response:
            if "objectId" in form.fields:
                node = self.dms.node(form.fields["objectId"])
            else:
                node = self._addressed(request)
            return self._made(browser.act(self.dms, node, form, user), form)

        # The knobs are for actions; a form names its own only inside, so that it is read before they strike in its middle.
        if not kind and not self._strikes_inside():
            await read()
            kind = form.fields.get("cmisaction", "")
            return await self._disturb(request, kind, _nothing, take)
        return await self._disturb(request, kind, read, take)

    def _strikes_inside(self) -> bool:
        return any(one.name == "reset-inside" for one in self.mischief.turned())

    def _made(self, node: Node | None, form: Form) -> Response:
        if node is None:
            return Response(status_code=200)
        return JSONResponse(browser.object_json(self.dms, node, form.fields), status_code=201)

    async def _disturb(self, request: Request, kind: str, read: Any, take: Callable[[], Response]) -> Response:
        def done(_: tuple[str, ...]) -> Response:
            try:
                return take()
            except CmisError as refusal:
                return _refused(refusal)

        answer, struck = await self._disturbed.answer(
            request, kind, read=read, take=done, reject=lambda _: _refused(CmisError("constraint"))
        )
        self.seen.append(Seen(kind, answer.status_code, struck))
        return answer

    def _addressed(self, request: Request) -> Node:
        identity = request.query_params.get("objectId", "")
        if identity:
            return self.dms.node(identity)
        return self.dms.at_path("/" + request.path_params.get("path", ""))

    def _has_token(self, request: Request) -> bool:
        token = self._tokens.get(request.cookies.get("session", ""))
        return token is not None and request.headers.get(_CSRF) == token


def _content(node: Node) -> Response:
    if node.content is None:
        raise CmisError("constraint", "no content")
    return StreamingResponse(
        node.content.pieces(), media_type=node.content.media_type, headers={"Content-Length": str(node.content.length)}
    )


def _refused(refusal: CmisError) -> Response:
    return JSONResponse({"exception": refusal.name, "message": str(refusal)}, status_code=refusal.status)


async def _nothing() -> None:
    """The body has been read already."""
