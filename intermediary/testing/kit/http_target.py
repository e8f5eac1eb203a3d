"""A target with an HTTP interface: that of `rest_target`, with the paths and answers that a description gives it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intermediary.testing import rest_target
from intermediary.testing.kit.target import Effect, Trouble
from intermediary.testing.rest_target import RestTarget

_TROUBLES: Mapping[str, rest_target.Trouble] = {
    Trouble.BUSY: rest_target.Trouble.BUSY,
    Trouble.BURST: rest_target.Trouble.ERROR_BEFORE,
    Trouble.RESET_BEFORE: rest_target.Trouble.RESET_BEFORE,
    Trouble.ERROR_BODY: rest_target.Trouble.ERROR_BODY,
    Trouble.REDIRECT: rest_target.Trouble.REDIRECT,
    Trouble.UNAUTHORIZED: rest_target.Trouble.UNAUTHORIZED,
    Trouble.REFUSE: rest_target.Trouble.REFUSED,
    Trouble.RESET_AFTER: rest_target.Trouble.RESET_AFTER,
    Trouble.ERROR_AFTER: rest_target.Trouble.ERROR_AFTER,
    Trouble.GATEWAY_AFTER: rest_target.Trouble.GATEWAY_AFTER,
    Trouble.SILENT_AFTER: rest_target.Trouble.SILENT_AFTER,
    Trouble.DRIP_AFTER: rest_target.Trouble.DRIP_AFTER,
    Trouble.HUGE_AFTER: rest_target.Trouble.HUGE_AFTER,
    Trouble.WRONG_TYPE_AFTER: rest_target.Trouble.HTML_AFTER,
    Trouble.FOREIGN_ID_AFTER: rest_target.Trouble.FOREIGN_ID_AFTER,
}
_BURST = 3
_NAMED = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One request of the interface: `effect` names what it does; without one it only asks, for the effect `of`.

    `path` may contain `{key}` and `{id}`, also in its query. `key` says where the key of the Zustellung stands if the
    path has none: `header:NAME` or `json:NAME`. In `answer`, `{id}`, `{key}`, `{sha256}` and `{count:EFFECT}` are filled in;
    `{any:EFFECT:YES:NO}` says whether there is one.
    """

    path: str
    effect: str = ""
    of: str = ""
    key: str = "header:Idempotency-Key"
    answer: Mapping[str, str] = field(default_factory=dict)
    status: int = 200

    def match(self, path: str) -> Mapping[str, str] | None:
        """What stands for the names in its path; None for another path."""
        pattern = "".join(
            f"(?P<{piece[1:-1]}>[^/&?]+)" if _NAMED.fullmatch(piece) else re.escape(piece)
            for piece in re.split(r"(\{\w+\})", self.path)
        )
        found = re.fullmatch(pattern, path)
        return None if found is None else found.groupdict()


@dataclass
class Scripted(RestTarget):
    """`RestTarget` behind other paths; without routes it is that."""

    routes: Sequence[Route] = ()

    def __post_init__(self) -> None:
        self._owners: dict[str, tuple[str, str]] = {}
        super().__post_init__()

    def take(self, path: str, headers: Mapping[str, str], body: Any) -> tuple[int, dict[str, object]]:
        if not self.routes:
            return super().take(path, headers, body)
        with self._lock:
            for route in self.routes:
                found = route.match(path)
                if route.effect and found is not None:
                    return self._taken(route, found, headers, body)
        return 404, {"error": "not-found"}

    def ask(self, path: str, query: Mapping[str, list[str]]) -> tuple[int, dict[str, object]]:
        if not self.routes:
            return super().ask(path, query)
        whole = path + ("?" + "&".join(f"{name}={values[0]}" for name, values in query.items()) if query else "")
        with self._lock:
            for route in self.routes:
                found = route.match(whole)
                if not route.effect and found is not None:
                    return self._asked(route, found.get("key", ""))
        return 404, {"error": "not-found"}

    def _taken(
        self, route: Route, found: Mapping[str, str], headers: Mapping[str, str], body: Any
    ) -> tuple[int, dict[str, object]]:
        where, _, name = route.key.partition(":")
        said = headers.get(name.lower(), "") if where == "header" else str(body.fields.get(name, ""))
        owner = self._owners.get(found.get("id", ""), ("", ""))[1]
        key = found.get("key") or owner or said
        once = f"{route.effect} {headers.get('idempotency-key', '')}"
        if self.removes_doubles and headers.get("idempotency-key") and once in self._answers:
            return route.status, self._answers[once]
        number = self._note(rest_target.Effect(route.effect, key, body.name, body.sha256))
        made = f"{route.effect}-{number}"
        self._owners[made] = (route.effect, key)
        answer = self._answer(route, made, key, body.sha256)
        self._answers[once] = answer
        return route.status, answer

    def _asked(self, route: Route, key: str) -> tuple[int, dict[str, object]]:
        made = next((one for one, owner in self._owners.items() if owner == (route.of, key)), "")
        return (route.status, self._answer(route, made, key, "")) if made else (404, {"error": "not-found"})

    def _answer(self, route: Route, made: str, key: str, sha256: str) -> dict[str, object]:
        return {name: self._filled(text, made, key, sha256) for name, text in route.answer.items()}

    def _filled(self, text: str, made: str, key: str, sha256: str) -> object:
        counted = re.fullmatch(r"\{count:(\w+)\}", text)
        if counted:
            return sum(one.kind == counted[1] and one.key == key for one in self.effects)
        whether = re.fullmatch(r"\{any:(\w+):(\w+):(\w+)\}", text)
        if whether:
            return whether[2] if any(one.kind == whether[1] and one.key == key for one in self.effects) else whether[3]
        return text.replace("{id}", made).replace("{key}", key).replace("{sha256}", sha256)


class HttpTarget:
    """`Target` over HTTP on a free port of this machine; `{url}` in the settings is its address."""

    def __init__(self, settings: Mapping[str, object], *, routes: Sequence[Route], removes_doubles: bool) -> None:
        self._settings = settings
        self._server = self.server(routes, removes_doubles=removes_doubles)
        self._script: list[rest_target.Trouble | None] = []
        self._marks: dict[str, int] = {}

    def server(self, routes: Sequence[Route], *, removes_doubles: bool) -> RestTarget:
        """What serves; it asks for its troubles here."""
        return Scripted(removes_doubles=removes_doubles, mood=self._next, routes=routes)

    def start(self, folder: Path) -> Mapping[str, object]:
        self._server.__enter__()
        return fill(self._settings, {"url": self._server.url, "folder": str(folder)})

    def effects(self, key: str) -> Sequence[Effect]:
        """All since it was asked first: one Zustellung at a time is under way, and a double may come under any key."""
        found = list(self._server.effects)
        mark = self._marks.setdefault(key, len(found))
        return [Effect(one.kind, one.sha256) for one in found[mark:]]

    def misbehave(self, name: str, at: int = 0) -> bool:
        trouble = _TROUBLES.get(name)
        times = _BURST if name == Trouble.BURST else 1
        self._script = [*[None] * at, *[trouble] * times] if trouble is not None else []
        return trouble is not None or not name

    def stop(self) -> None:
        self._server.__exit__(None, None, None)

    def _next(self) -> rest_target.Trouble | None:
        return self._script.pop(0) if self._script else None


def fill(settings: Mapping[str, object], known: Mapping[str, str]) -> dict[str, object]:
    """Settings with `{name}` replaced by what is known; other braces stay, they may be the connector's own."""
    return {name: _filled(one, known) for name, one in settings.items()}


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return fill(value, known)
    if isinstance(value, list | tuple):
        return [_filled(one, known) for one in value]
    if not isinstance(value, str):
        return value
    if value == "{port}" and "port" in known:
        return int(known["port"])
    for name, text in known.items():
        value = value.replace(f"{{{name}}}", text)
    return value
