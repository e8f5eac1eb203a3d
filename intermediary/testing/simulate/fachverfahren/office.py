"""The Fachverfahren put together: one port for page, REST and SOAP, and beside it the CMIS, SFTP and XTA faces."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from intermediary.testing.cmis.server import CmisServer
from intermediary.testing.faces.mischief import Knob, Mischief
from intermediary.testing.faces.served import Served
from intermediary.testing.faces.trouble import Disturbed
from intermediary.testing.simulate.fachverfahren.callbacks import Callbacks
from intermediary.testing.simulate.fachverfahren.inbox import Inbox
from intermediary.testing.simulate.fachverfahren.page import confirm_page, page
from intermediary.testing.simulate.fachverfahren.rest import RestFace
from intermediary.testing.simulate.fachverfahren.soap import SoapFace
from intermediary.testing.simulate.fachverfahren.watching import CmisShelf, SftpDrop, Watcher, XtaBox
from intermediary.testing.simulate.xta.simulator import Simulator as XtaSimulator
from intermediary.testing.sshd import PrivateSshd, SshdMissing

CMIS_KEY = "efa:schluessel"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a Fachverfahren is to be: its folder, its port, whether it keeps contents, removes no doubles, has SFTP.

    With `callback_token` it calls back where it is asked to, and shows that.
    """

    folder: Path
    listen: tuple[str, int] = ("127.0.0.1", 0)
    cmis_listen: tuple[str, int] = ("127.0.0.1", 0)
    keeps: bool = False
    forgetful: bool = False
    with_sftp: bool = True
    with_xta: bool = True
    seed: int = 0
    callback_token: str = ""


class Fachverfahren:
    """A simulated Fachverfahren; a context manager that serves in threads. `url` is its page, `faces` tells of each face."""

    def __init__(
        self, choice: Choice, *, knobs: Iterable[Knob] = (), now: Callable[[], datetime] | None = None
    ) -> None:
        self._now = now or (lambda: datetime.now(UTC))
        self._choice = choice
        self.inbox = Inbox(choice.folder, now=self._now, keeps=choice.keeps, forgetful=choice.forgetful)
        self.mischief = Mischief(knobs, seed=choice.seed)
        self._served = Served(choice.listen)
        self.url = self._served.url
        disturbed = Disturbed(self._served, self.mischief)
        self._callbacks = Callbacks(choice.callback_token) if choice.callback_token else None
        self._rest = RestFace(self.inbox, disturbed, self._callbacks)
        self._soap = SoapFace(self.inbox, disturbed, self.url)
        self.wsdl = self._soap.write_wsdl(choice.folder)
        self.cmis = CmisServer(choice.folder / "cmis", listen=choice.cmis_listen, seed=choice.seed, clock=self._now)
        self.sshd: PrivateSshd | None = None
        self.faces = {
            "rest": f"{self.url}/rest   (Schlüssel in Idempotency-Key)",
            "soap": f"{self.url}/soap   (WSDL: {self.wsdl.name})",
            "cmis": f"{self.cmis.browser_url}   (key_property {CMIS_KEY}, Typ efa:dokument)",
        }
        self._watchers: list[Watcher] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.inbox.close)
            stack.callback(self._served.__exit__)
            if self._callbacks is not None:
                self._callbacks.start()
                stack.callback(self._callbacks.close)
            stack.enter_context(self.cmis)
            self._watch(stack, Watcher(CmisShelf(self.cmis.dms, self.inbox, CMIS_KEY).look))
            if self._choice.with_sftp:
                self._open_sftp(stack)
            if self._choice.with_xta:
                self._open_xta(stack)
            self._served.begin(self._app())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def look(self) -> None:
        """Look at once where nobody calls us."""
        for watcher in self._watchers:
            watcher.look()

    def state(self) -> dict[str, Any]:
        """For scripts: figures, arrivals, knobs, addresses."""
        self.look()
        knobs = [one.words() for one in self.mischief.turned()]
        callbacks = dict(self._callbacks.told) if self._callbacks is not None else {}
        return {**self.inbox.state(), "knobs": knobs, "faces": dict(self.faces), "callbacks": callbacks}

    def _open_sftp(self, stack: ExitStack) -> None:
        try:
            self.sshd = stack.enter_context(PrivateSshd())
        except SshdMissing as missing:
            self.faces["sftp"] = f"nicht vorhanden ({missing})"
            return
        root = self.sshd.root
        (root / "zustellung").mkdir(mode=0o700)
        drop = SftpDrop(root / "eingang", self.inbox)
        self._watch(stack, Watcher(drop.look))
        self.faces["sftp"] = (
            f"127.0.0.1:{self.sshd.port}   (user {self.sshd.user}, drop {drop.drop}, staging {root / 'zustellung'}, "
            f"key_file {self.sshd.client_key}, host_key {self.sshd.host_key})"
        )

    def _open_xta(self, stack: ExitStack) -> None:
        folder = self._choice.folder / "xta"
        simulator = stack.enter_context(XtaSimulator(folder, seed=self._choice.seed))
        self._watch(stack, Watcher(XtaBox(simulator, self.inbox).look))
        tls = folder / "tls"
        self.faces["xta"] = (
            f"{simulator.url}   (client_cert {tls / 'reader.cert.pem'}, client_key {tls / 'reader.key.pem'}, "
            f"ca {tls / 'ca.cert.pem'})"
        )

    def _watch(self, stack: ExitStack, watcher: Watcher) -> None:
        watcher.start()
        stack.callback(watcher.close)
        self._watchers.append(watcher)

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._page, methods=["GET"]),
                Route("/inhalt/{sha256}", self._content, methods=["GET", "POST"]),
                Route("/stoerung", self._form, methods=["POST"]),
                Route("/ruhe", self._calm, methods=["POST"]),
                Route("/simulator/{command}", self._command, methods=["GET", "POST"]),
                *self._rest.routes(),
                *self._soap.routes(),
            ]
        )

    async def _page(self, request: Request) -> Response:
        if not self._is_own(request):
            return Response(status_code=404)
        self.look()
        asked = request.query_params
        knobs = self.mischief.turned()
        text = page(self.inbox, faces=self.faces, knobs=knobs, chosen=asked.get("tor", ""), only=asked.get("nur", ""))
        return HTMLResponse(text, headers=_HEADERS)

    async def _content(self, request: Request) -> Response:
        sha256 = request.path_params["sha256"]
        path = self.inbox.content(sha256) if self._is_own(request) else None
        if path is None:
            return Response(status_code=404)
        pieces = [piece for one in self.inbox.arrivals() for piece in one.pieces if piece.sha256 == sha256]
        if request.method == "GET":
            return HTMLResponse(confirm_page(sha256, pieces[0].name), headers=_HEADERS)
        name = {"Content-Disposition": f'attachment; filename="{sha256[:16]}"'}
        return Response(path.read_bytes(), media_type="application/octet-stream", headers={**_HEADERS, **name})

    async def _form(self, request: Request) -> Response:
        if not self._is_own(request):
            return Response(status_code=404)
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        argument = f":{form['argument']}" if form.get("argument") else ""
        kind = f"@{form['kind']}" if form.get("kind") else ""
        try:
            self.mischief.turn(Knob.parse(f"{form.get('name', '')}{argument}{kind}=next{form.get('count', '1')}"))
        except ValueError as mistake:
            return HTMLResponse(f"<p>{mistake}</p>", status_code=400, headers=_HEADERS)
        return RedirectResponse("/", status_code=303)

    async def _calm(self, request: Request) -> Response:
        if not self._is_own(request):
            return Response(status_code=404)
        self.mischief.calm()
        return RedirectResponse("/", status_code=303)

    async def _command(self, request: Request) -> Response:
        if not self._is_own(request):
            return Response(status_code=404)
        body = await request.body()
        try:
            return JSONResponse(self._commanded(request.path_params["command"], json.loads(body) if body else {}))
        except (KeyError, ValueError, TypeError) as mistake:
            return JSONResponse({"error": str(mistake)}, status_code=400)

    def _commanded(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        match name:
            case "state":
                return self.state()
            case "knob":
                knob = Knob.parse(str(arguments["knob"]))
                self.mischief.turn(knob)
                self.cmis.mischief.turn(knob)
                return {"knob": knob.words()}
            case "calm":
                self.mischief.calm()
                self.cmis.mischief.calm()
                return {}
        raise ValueError("commands: state, knob, calm")

    def _is_own(self, request: Request) -> bool:
        """From this machine, under its own name, and from no other page: contents and knobs are for the operator."""
        host = request.headers.get("host", "").rpartition(":")[0].strip("[]")
        site = request.headers.get("sec-fetch-site", "none")
        here = request.client is not None and request.client.host in ("127.0.0.1", "::1")
        return here and host in ("127.0.0.1", "localhost", "::1") and site in ("none", "same-origin")
