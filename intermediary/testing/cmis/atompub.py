"""AtomPub as far as libcmis and cmislib need it to look and to file (CMIS 1.1, chapter 3)."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from intermediary.testing.cmis.atom import ATOM, CMIS, CMISRA, NAMESPACES, entry, feed, service, type_entry
from intermediary.testing.cmis.dms import ROOT, Dms
from intermediary.testing.cmis.errors import CmisError
from intermediary.testing.cmis.node import Node
from intermediary.testing.cmis.statement import Statement
from intermediary.testing.cmis.stored import Stored
from intermediary.testing.cmis.types import TYPES
from intermediary.xml.parser import parse

_ENTRY = "application/atom+xml;type=entry"
_FEED = "application/atom+xml;type=feed"


class AtomPub:
    """The AtomPub binding of whatever DMS there is now; `base` is its address, `user_of` says who asks."""

    def __init__(self, dms: Callable[[], Dms], base: str, user_of: Callable[[Request], str | None]) -> None:
        self._dms = dms
        self._base = base
        self._user_of = user_of

    def routes(self, prefix: str) -> list[Route]:
        """Everything below `prefix`, which is the path of `base`."""
        routes = {
            "": (self._service, ["GET"]),
            "/id": (self._by_id, ["GET", "PUT", "DELETE"]),
            "/path": (self._by_path, ["GET"]),
            "/children": (self._children, ["GET", "POST"]),
            "/content": (self._content, ["GET", "PUT"]),
            "/parents": (self._parents, ["GET"]),
            "/versions": (self._versions, ["GET"]),
            "/type": (self._type, ["GET"]),
            "/types": (self._types, ["GET"]),
            "/query": (self._query, ["GET", "POST"]),
        }
        return [Route(prefix + path, self._guarded(one), methods=ways) for path, (one, ways) in routes.items()]

    def _guarded(self, handle: Callable[[Request, str], Any]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            user = self._user_of(request)
            if user is None:
                return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="cmis"'})
            try:
                answer: Response = await handle(request, user)
            except CmisError as refusal:
                return Response(refusal.name, status_code=refusal.status, media_type="text/plain")
            return answer

        return guarded

    async def _service(self, request: Request, user: str) -> Response:
        return Response(service(self._dms(), self._base), media_type="application/atomsvc+xml")

    async def _by_id(self, request: Request, user: str) -> Response:
        identity = request.query_params.get("id", "")
        if request.method == "DELETE":
            self._dms().delete(identity)
            return Response(status_code=204)
        if request.method == "PUT":
            values, _ = self._read(await request.body())
            values.pop("cmis:objectTypeId", None)
            return self._entry(self._dms().update(identity, values, user))
        return self._entry(self._dms().node(identity))

    async def _by_path(self, request: Request, user: str) -> Response:
        return self._entry(self._dms().at_path(request.query_params.get("path", "/")))

    async def _children(self, request: Request, user: str) -> Response:
        parent = request.query_params.get("id", ROOT)
        if request.method == "GET":
            return self._feed(self._dms().children(parent))
        values, content = self._read(await request.body())
        kind = TYPES.get(str(values.get("cmis:objectTypeId")))
        if kind is not None and kind.base == "cmis:folder":
            return self._entry(self._dms().create_folder(parent, values, user), 201)
        return self._entry(self._dms().create_document(parent, values, content, user), 201)

    async def _content(self, request: Request, user: str) -> Response:
        node = self._dms().node(request.query_params.get("id", ""))
        if request.method == "PUT":
            media = request.headers.get("content-type", "application/octet-stream")
            content = self._stored(await request.body(), media, node.name)
            self._dms().set_content(node.id, content, user, overwrite=True, token="")
            return Response(status_code=200, headers={"Content-Location": f"{self._base}/content?id={node.id}"})
        if node.content is None:
            raise CmisError("constraint")
        return StreamingResponse(node.content.pieces(), media_type=node.content.media_type)

    async def _parents(self, request: Request, user: str) -> Response:
        node = self._dms().node(request.query_params.get("id", ""))
        return self._feed([self._dms().node(node.parent)] if node.parent else [])

    async def _versions(self, request: Request, user: str) -> Response:
        return self._feed(self._dms().versions(request.query_params.get("id", "")))

    async def _type(self, request: Request, user: str) -> Response:
        kind = TYPES.get(request.query_params.get("id", ""))
        if kind is None:
            raise CmisError("objectNotFound")
        return Response(etree.tostring(type_entry(kind, self._base)), media_type=_ENTRY)

    async def _types(self, request: Request, user: str) -> Response:
        parent = request.query_params.get("typeId", "")
        entries = [type_entry(one, self._base) for one in TYPES.values() if one.parent == parent]
        return Response(etree.tostring(feed("types", entries)), media_type=_FEED)

    async def _query(self, request: Request, user: str) -> Response:
        text = request.query_params.get("q", "")
        if request.method == "POST":
            found = parse(await request.body()).findtext(f"{{{CMIS}}}statement")
            text = found or ""
        return self._feed(self._dms().find(Statement.parse(text)))

    def _entry(self, node: Node, status: int = 200) -> Response:
        data = etree.tostring(entry(self._dms(), node, self._base))
        headers = {"Location": f"{self._base}/id?id={node.id}"} if status == 201 else {}
        return Response(data, status_code=status, media_type=_ENTRY, headers=headers)

    def _feed(self, nodes: list[Node]) -> Response:
        data = etree.tostring(feed("objects", [entry(self._dms(), one, self._base) for one in nodes]))
        return Response(data, media_type=_FEED)

    def _read(self, body: bytes) -> tuple[dict[str, str], Stored | None]:
        """The properties and the content of an entry."""
        root = parse(body)
        values: dict[str, str] = {}
        for one in root.iterfind(".//cmis:properties/*", NAMESPACES):
            value = one.findtext(f"{{{CMIS}}}value")
            if value is not None:
                values[one.get("propertyDefinitionId", "")] = value
        values.setdefault("cmis:name", root.findtext(f"{{{ATOM}}}title") or "")
        inline, media = root.findtext(f".//{{{CMISRA}}}base64"), root.findtext(f".//{{{CMISRA}}}mediatype")
        if inline is None:
            return values, None
        data = base64.b64decode(inline)
        return values, self._stored(data, media or "application/octet-stream", values["cmis:name"])

    def _stored(self, data: bytes, media_type: str, file_name: str) -> Stored:
        path = self._dms().folder / f"content-{uuid.uuid4().hex}"
        path.write_bytes(data)
        return Stored((path,), len(data), media_type, file_name)
