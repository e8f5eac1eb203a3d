"""Speaks the browser binding with one repository: finds its addresses, asks, and does (CMIS 1.1, chapter 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from connectors.cmis.answer import Absent, Found, ask_refusal, found, found_all, json_of, refusal
from connectors.cmis.form import Fields, Upload, form_request, upload_request
from intermediary.connect.api import HttpAnswer, HttpClient, HttpRequest, Misconfigured, Unclear

_MOST_HITS = 10_000
_COOKIE = re.compile(r"(?:^|,)\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+=[^;,\s]*)")


@dataclass(frozen=True, slots=True)
class Dms:
    """What a server says of one repository: paths on the configured host, and the capabilities we look at."""

    id: str
    path: str
    root: str
    root_folder: str
    version: str
    updatability: str
    query: str


class Session:
    """The exchanges of one connector; for one thread at a time.

    `authorize(now)` gives the headers of the login. Faults name `where`, a word of the settings. What only asks raises
    `Absent` or what `ask_refusal` says, what has an effect what `refusal` says.
    """

    def __init__(
        self,
        client: HttpClient,
        *,
        dms_id: str,
        csrf_header: str,
        authorize: Callable[[datetime], Mapping[str, str]],
    ) -> None:
        self._client = client
        self._wanted = dms_id
        self._csrf_header = csrf_header
        self._authorize = authorize
        self._known: Dms | None = None
        self._types: dict[str, Mapping[str, Any]] = {}

    def dms(self, now: datetime) -> Dms:
        """The configured repository, or the only one; asked for once."""
        if self._known is None:
            self._known = self._chosen(self._services(now))
        return self._known

    def at_path(self, path: str, now: datetime, *, where: str) -> Found:
        """The object at a path from the root folder, as the data base has it, not the index."""
        return self._object(self.dms(now).root + quote(path), {}, now, where)

    def by_id(self, identity: str, now: datetime, *, where: str) -> Found:
        return self._object(self.dms(now).root, {"objectId": identity}, now, where)

    def query(self, statement: str, now: datetime, *, where: str) -> list[str]:
        """The ids of the objects that a query finds; an index may be late."""
        ids: list[str] = []
        while len(ids) < _MOST_HITS:
            arguments = {"cmisselector": "query", "q": statement, "maxItems": "100", "skipCount": str(len(ids))}
            data = self._ask(self.dms(now).path, {**arguments, "succinct": "true"}, now, where)
            hits = self._understood(found_all, data, where)
            ids += [hit.id for hit in hits]
            if not hits or not isinstance(data, dict) or data.get("hasMoreItems") is not True:
                break
        return ids

    def type(self, name: str, now: datetime, *, where: str) -> Mapping[str, Any]:
        """A type definition; asked for once. `Misconfigured` where there is none."""
        if name not in self._types:
            arguments = {"cmisselector": "typeDefinition", "typeId": name}
            try:
                data = self._ask(self.dms(now).path, arguments, now, where)
            except Absent as failure:
                raise Misconfigured("target.misconfigured", where=f"{where}: there is no such type") from failure
            self._types[name] = data if isinstance(data, dict) else {}
        return self._types[name]

    def do(
        self,
        action: str,
        identity: str,
        fields: Fields,
        now: datetime,
        *,
        where: str,
        upload: Upload | None = None,
    ) -> Found | None:
        """One action on one object; what became of it, None where the server does not say."""
        url = self.dms(now).root + "?" + urlencode({"objectId": identity})
        form = [("cmisaction", action), *fields, ("succinct", "true"), ("_charset_", "UTF-8")]
        headers = self._headers(now)
        request = form_request(url, form, headers) if upload is None else upload_request(url, form, upload, headers)
        answer = self._client.send(request, now=now)
        if not answer.is_success:
            raise refusal(answer, where=where)
        if not answer.body.strip():
            return None
        try:
            return found(json_of(answer))
        except ValueError as failure:
            raise Unclear("target.answer.unreadable", where=where) from failure

    def close(self) -> None:
        self._client.close()

    def _object(self, url: str, arguments: Mapping[str, str], now: datetime, where: str) -> Found:
        arguments = {**arguments, "cmisselector": "object", "succinct": "true"}
        one: Found = self._understood(found, self._ask(url, arguments, now, where), where)
        return one

    def _ask(self, url: str, arguments: Mapping[str, str], now: datetime, where: str) -> object:
        reference = f"{url}?{urlencode(arguments)}" if arguments else url
        answer = self._client.send(HttpRequest("GET", reference, self._login(now)), now=now)
        if not answer.is_success:
            raise ask_refusal(answer, where=where)
        return self._understood(lambda _: json_of(answer), None, where)

    def _services(self, now: datetime) -> object:
        try:
            return self._ask("", {}, now, "url")
        except Absent as failure:
            raise Misconfigured("target.http", where="url: HTTP 404") from failure

    def _chosen(self, services: object) -> Dms:
        known = services if isinstance(services, dict) else {}
        if self._wanted:
            chosen = known.get(self._wanted)
        else:
            chosen = next(iter(known.values())) if len(known) == 1 else None
        if not isinstance(chosen, dict):
            there = "one of several" if known and not self._wanted else "none of that id"
            raise Misconfigured("target.misconfigured", where=f"repository: {there}")
        capabilities = chosen.get("capabilities")
        able = capabilities if isinstance(capabilities, dict) else {}
        return Dms(
            id=str(chosen.get("repositoryId", "")),
            path=_path(chosen.get("repositoryUrl")),
            root=_path(chosen.get("rootFolderUrl")),
            root_folder=str(chosen.get("rootFolderId", "")),
            version=str(chosen.get("cmisVersionSupported", "")),
            updatability=str(able.get("capabilityContentStreamUpdatability", "")),
            query=str(able.get("capabilityQuery", "")),
        )

    def _login(self, now: datetime) -> dict[str, str]:
        return {**self._authorize(now), "Accept": "application/json"}

    def _headers(self, now: datetime) -> dict[str, str]:
        """Of a request with an effect: the login and, where the server demands one, a fresh CSRF token and its session."""
        login = self._login(now)
        if not self._csrf_header:
            return login
        request = HttpRequest("GET", "", {**login, self._csrf_header: "fetch"})
        return {**login, **_guard(self._client.send(request, now=now), self._csrf_header)}

    def _understood(self, read: Callable[[Any], Any], data: object, where: str) -> Any:
        try:
            return read(data)
        except ValueError as failure:
            raise Misconfigured("target.http", where=f"{where}: no answer of a CMIS browser binding") from failure


def _guard(answer: HttpAnswer, header: str) -> dict[str, str]:
    token = answer.headers.get(header.lower(), "")
    if not answer.is_success or not token:
        raise Misconfigured("target.misconfigured", where="csrf_header: the server gives no token")
    cookies = "; ".join(_COOKIE.findall(answer.headers.get("set-cookie", "")))
    return {header: token, **({"Cookie": cookies} if cookies else {})}


def _path(url: object) -> str:
    """The path of an address the server gave. Its host is ignored: behind a proxy servers name their inner one, and our
    login goes to the configured host only.
    """
    path = urlsplit(url).path if isinstance(url, str) else ""
    if not path.startswith("/"):
        raise Misconfigured("target.http", where="url: no CMIS browser binding")
    return path.rstrip("/")
