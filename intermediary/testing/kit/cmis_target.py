"""A target for the connector `cmis`: the small DMS, each of whose objects is one effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from intermediary.testing.cmis.browser import object_json
from intermediary.testing.cmis.dms import ROOT
from intermediary.testing.cmis.node import Node
from intermediary.testing.cmis.server import CmisServer
from intermediary.testing.faces.mischief import Knob
from intermediary.testing.kit.http_target import fill
from intermediary.testing.kit.target import Effect, Trouble

_KEY = "efa:schluessel"
_SETTINGS: Mapping[str, object] = {
    "url": "{url}",
    "folder": "/",
    "key_property": _KEY,
    "contents": "documents",
    "case": {"type": "efa:vorgang", "name": "{mandant} {key}", "key_property": _KEY},
    "document": {"type": "efa:dokument"},
    "chunk_mb": 8,
    "http": {"idle_seconds": 2, "total_seconds": 4, "max_answer_bytes": 100_000},
}
_KNOBS: Mapping[str, str] = {
    Trouble.BUSY: "refuse",
    Trouble.BURST: "error-before",
    Trouble.RESET_BEFORE: "reset-before",
    Trouble.REDIRECT: "redirect",
    Trouble.RESET_AFTER: "reset-after",
    Trouble.ERROR_AFTER: "error-after",
    Trouble.SILENT_AFTER: "hang",
    Trouble.DRIP_AFTER: "drip",
    Trouble.HUGE_AFTER: "huge:1",
    Trouble.WRONG_TYPE_AFTER: "wrong-type",
}
_SAID = (Trouble.UNAUTHORIZED, Trouble.ERROR_BODY, Trouble.GATEWAY_AFTER, Trouble.FOREIGN_ID_AFTER)
_BURST = 3


class _Office(CmisServer):
    """The DMS, with somebody else's folder and document in it; `mood` is asked at each request with an effect."""

    def __init__(self, folder: Path, mood: Callable[[], str]) -> None:
        super().__init__(folder)
        self._mood = mood
        self._foreign: dict[str, Node] = {
            "createFolder": self.dms.create_folder(ROOT, {"cmis:name": "fremd"}, "jemand"),
            "createDocument": self.dms.create_document(ROOT, {"cmis:name": "fremd.pdf"}, None, "jemand"),
        }

    async def _disturb(self, request: Request, kind: str, read: Any, take: Callable[[], Response]) -> Response:
        trouble = self._mood() if request.method == "POST" else ""
        if trouble not in _SAID:
            if trouble:
                self.mischief.turn(Knob.parse(f"{_KNOBS[trouble]}=next1"))
            return await super()._disturb(request, kind, read, take)
        await read()
        if trouble == Trouble.UNAUTHORIZED:
            return Response(status_code=401)
        if trouble == Trouble.ERROR_BODY:  # as with suppressResponseCodes (CMIS 1.1, 5.2.10.1)
            return JSONResponse({"exception": "runtime", "message": "about a person"})
        take()
        if trouble == Trouble.GATEWAY_AFTER:
            return HTMLResponse("<html>Bad Gateway</html>", 502)
        return JSONResponse(object_json(self.dms, self._foreign[kind], {"succinct": "true"}), 201)


class CmisTarget:
    """`Target` whose effects are the objects of a DMS, in the order in which they were made.

    A folder is a `case`, a document in the folder of its own key a `document`, and one elsewhere is `misfiled`. It refuses
    no contents: a DMS takes what its types allow.
    """

    def __init__(self) -> None:
        self._office: _Office | None = None
        self._script: list[str] = []
        self._marks: dict[str, frozenset[str]] = {}

    def start(self, folder: Path) -> Mapping[str, object]:
        self._office = _Office(folder / "drop", self._next)
        self._office.__enter__()
        return fill(_SETTINGS, {"url": self._office.browser_url})

    def effects(self, key: str) -> Sequence[Effect]:
        """All since it was asked first: one Zustellung at a time is under way, and a double may come under any key."""
        made = self._made()
        mark = self._marks.setdefault(key, frozenset(made))
        return [effect for identity, effect in made.items() if identity not in mark]

    def misbehave(self, name: str, at: int = 0) -> bool:
        can = name in _KNOBS or name in _SAID
        self._script = [*[""] * at, *[name] * (_BURST if name == Trouble.BURST else 1)] if can else []
        return can or not name

    def stop(self) -> None:
        if self._office is not None:
            self._office.__exit__()

    def _made(self) -> dict[str, Effect]:
        if self._office is None:
            return {}
        dms = self._office.dms
        with dms.lock:
            folders = {one.id: one for one in dms.folders()}
            made = {one.id: Effect("case") for one in folders.values()}
            for one in dms.documents():
                if one.content is not None:
                    folder = folders.get(one.parent)
                    of = f"{folder.values.get(_KEY)}/" if folder is not None else "-"
                    is_there = str(one.values.get(_KEY)).startswith(of)
                    made[one.id] = Effect("document" if is_there else "misfiled", one.content.sha256)
        return dict(sorted(made.items()))

    def _next(self) -> str:
        return self._script.pop(0) if self._script else ""


KIT = CmisTarget
