"""One request to the target, logged in and signed, and what its answer means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.rest.answer import Unreadable, code_at, facts_of, tree_of
from connectors.rest.login import Login, signed
from connectors.rest.settings import Request, RestSettings
from connectors.rest.template import Template
from intermediary.connect.api import (
    Body,
    HttpAnswer,
    HttpClient,
    HttpRequest,
    Misconfigured,
    Rejected,
    Transient,
    Unclear,
)


class Exchange:
    """The requests of one target; for one thread at a time."""

    def __init__(self, settings: RestSettings) -> None:
        self._settings = settings
        self._client = HttpClient(settings.url, settings.http, where="rest")
        self._login = Login(settings)

    def make(
        self, request: Request, media_type: str, body: Body, *, key: str, values: Mapping[str, object], now: datetime
    ) -> tuple[int, dict[str, str]]:
        """Make a request with an effect; its status and facts when it is done, otherwise a Fault."""
        where = f"rest: {request.name}"
        headers = {name: _header(Template(text), values) for name, text in request.headers.items()}
        if self._settings.key_header:
            headers[self._settings.key_header] = key
        if media_type:
            headers["Content-Type"] = media_type
        if self._settings.signature is not None:
            headers |= signed(self._settings.signature, body, now)
        path = self._address(request.path, values)
        answer = self._send(HttpRequest(request.method, path, {**headers, "Accept": "application/json"}, body), now)
        if answer.status in request.expect or (answer.status == 409 and request.conflict == "done"):
            return answer.status, self._facts(answer, request.take, where)
        reason = self._refusal(answer)
        is_refused = answer.status in self._settings.refused or (answer.status == 409 and request.conflict == "refused")
        if is_refused and reason:
            raise Rejected("target.refused", where=f"{where}: HTTP {answer.status} {reason}")
        if answer.status == 409:
            raise Unclear("target.no-answer", where=f"{where}: HTTP 409")
        if answer.status in (400, 422):  # not said to be a refusal: our request does not suit the interface
            raise Misconfigured("target.http", where=f"{where}: HTTP {answer.status}")
        raise answer.fault(where=where)

    def ask(
        self, path: Template, values: Mapping[str, object], now: datetime, *, accept: str = "application/json"
    ) -> HttpAnswer:
        """Ask for something, whatever the status; `Transient` or `Misconfigured` when there is no answer."""
        return self._send(HttpRequest("GET", self._address(path, values), {"Accept": accept}), now)

    def read(self, answer: HttpAnswer, take: Mapping[str, str], where: str) -> tuple[Any, dict[str, str]]:
        """The JSON and the facts of an answer to a question; `Transient` when it is not what was agreed."""
        try:
            tree = tree_of(answer)
            return tree, facts_of(answer, tree, take)
        except Unreadable as error:
            raise Transient("target.unreachable", where=answer.place(f"{where}: answer")) from error

    def examine(self) -> None:
        """The files of certificates, also those of the login; offline."""
        self._client.examine()
        self._login.examine()

    def knock(self, now: datetime) -> None:
        """See that somebody is there and lets us in; `doctor` shows the Fault."""
        if self._settings.probe:
            answer = self.ask(Template(self._settings.probe), {}, now)
            if not answer.is_success:
                raise answer.ask_fault(where="rest: probe")
            return
        answer = self._send(HttpRequest("OPTIONS", self._settings.url), now)
        if answer.status in (401, 403) or answer.status >= 500:
            raise answer.ask_fault(where="rest: probe")

    def _send(self, request: HttpRequest, now: datetime) -> HttpAnswer:
        """A token that is not accepted is renewed once: 401 says that nothing was done (RFC 9110, 15.5.2)."""
        answer = self._logged_in(request, now)
        if answer.status == 401 and self._login.renew():
            answer = self._logged_in(request, now)
        return answer

    def _logged_in(self, request: HttpRequest, now: datetime) -> HttpAnswer:
        headers = {**request.headers, **self._login.headers(now)}
        return self._client.send(HttpRequest(request.method, request.url, headers, request.body), now=now)

    def _address(self, path: Template, values: Mapping[str, object]) -> str:
        first, brace, rest = path.removeprefix("{").partition("}")
        value = "" if first.startswith("business.") else str(values.get(first, ""))  # a citizen's words are no address
        if path.startswith("{") and brace and value.startswith(("https://", "http://", "/")):  # a Location
            return self._client.resolve(value + Template(rest).fill(values, is_path=True))
        filled = path.fill(values, is_path=True)
        return f"{self._settings.url.rstrip('/')}/{filled.lstrip('/')}" if filled else str(self._settings.url)

    def _facts(self, answer: HttpAnswer, take: Mapping[str, str], where: str) -> dict[str, str]:
        if self._settings.answer == "any" and not take:
            return {}
        try:
            return facts_of(answer, tree_of(answer), take)
        except Unreadable as error:
            raise Unclear("target.answer.unreadable", where=where) from error

    def _refusal(self, answer: HttpAnswer) -> str:
        """The code of a refusal; empty where it is not the Fachverfahren that speaks: a proxy answers with a page (400)."""
        if self._settings.answer == "any" and not self._settings.reason:
            return code_at(None, "")
        try:
            return code_at(tree_of(answer), self._settings.reason)
        except Unreadable:
            return ""


def _header(text: Template, values: Mapping[str, object]) -> str:
    filled = text.fill(values)
    if not filled.isascii() or not filled.isprintable():
        raise Misconfigured("target.misconfigured", where="headers: not ASCII")
    return filled
