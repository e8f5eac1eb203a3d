"""Pushes a Zustellauftrag to an HTTP interface: the requests of its settings in order, each of them done once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.rest.answer import value_at
from connectors.rest.body import body_of, of_one_file, values_of
from connectors.rest.callback import KEY, hear, verdict_in
from connectors.rest.exchange import Exchange
from connectors.rest.settings import Lookup, Request, RestSettings
from intermediary.connect.api import (
    Awaiting,
    Callback,
    Delivered,
    Dokument,
    Heard,
    HttpAnswer,
    Idempotency,
    Manifest,
    NotDelivered,
    Refused,
    Steps,
    Unclear,
    Unheard,
    Zustellauftrag,
)

_STATUS = "http-status"

MANIFEST = Manifest(
    name="rest",
    idempotency=Idempotency.LOOKUP,
    summary="pushes to an HTTP interface as configured: JSON, multipart or files, in one request or more",
    steps=("request",),
    concurrency=8,
)


class Rest:
    """The connector of one HTTP target. Its manifest has the idempotency that its settings state."""

    def __init__(self, settings: RestSettings) -> None:
        self.manifest = replace(MANIFEST, idempotency=Idempotency(settings.idempotency))
        self._settings = settings
        self._exchange = Exchange(settings)

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        if auftrag.attempt > 1 and self.manifest.idempotency is Idempotency.LOOKUP:
            found = self.lookup(auftrag.key, steps, now)  # whatever has been asked before: it costs one question
            if not isinstance(found, NotDelivered):
                return found
        values = values_of(auftrag)
        facts: dict[str, str] = {}
        status = 0
        for request, file, number in self._planned(auftrag):
            step = _step(request, number)
            done = steps.get(step)
            if done is None:
                done = self._made(request, auftrag, file, number, {**values, **facts}, now)
                steps.done(step, done)
            status = int(done.get(_STATUS, "0"))
            facts |= {name: value for name, value in done.items() if name != _STATUS}
        return self._outcome(auftrag.key, facts, now, has_verdict=status in self._later)

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered:
        asked = self._settings.lookup
        if asked is None:  # a native target: repeating under the same key is what it asks for
            return NotDelivered()
        known = _known(steps)
        answer = self._exchange.ask(asked.path, {"key": _demanded(key), **known}, now)
        if answer.status in asked.absent:
            return NotDelivered()
        if answer.status not in asked.found:
            raise answer.ask_fault(where="rest: lookup")
        return self._found(key, asked, answer, steps, known, now)

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        asked = self._settings.verdict
        if asked is None:
            return Delivered(dict(correlation))
        if not asked.path:  # it calls back
            return None
        answer = self._exchange.ask(asked.path, {**correlation, "key": key}, now)
        if answer.status in (202, 204, 404):  # nothing to say yet
            return None
        if not answer.is_success:
            raise answer.ask_fault(where="rest: verdict")
        tree, _ = self._exchange.read(answer, {}, "rest: verdict")
        return verdict_in(tree, asked, correlation)

    def hear(self, callback: Callback, now: datetime) -> Heard | Unheard:
        return hear(self._settings.verdict, callback, now)

    def probe(self) -> None:
        self._exchange.knock(datetime.now(UTC))

    def examine(self) -> None:
        """The files of certificates can be used; offline."""
        self._exchange.examine()

    @property
    def _later(self) -> tuple[int, ...]:
        return self._settings.verdict.statuses if self._settings.verdict else ()

    def _planned(self, auftrag: Zustellauftrag) -> Iterator[tuple[Request, Dokument | None, int]]:
        """Every request with the file it is for, and its number."""
        for request in self._settings.requests:
            match request.per:
                case "once":
                    yield request, None, 0
                case "document":
                    yield from ((request, one, number) for number, one in enumerate(auftrag.dokumente, 1))
                case _:
                    files = (*auftrag.dokumente, auftrag.package)
                    yield from ((request, one, number) for number, one in enumerate(files, 1))

    def _made(
        self,
        request: Request,
        auftrag: Zustellauftrag,
        file: Dokument | None,
        number: int,
        values: Mapping[str, object],
        now: datetime,
    ) -> dict[str, str]:
        if file is not None:
            values = {**values, **of_one_file(file, number)}
        shape, parts = self._settings.document_json, self._settings.multipart
        media_type, body = body_of(request, auftrag, file, values, document_json=shape, multipart=parts)
        is_only = len(self._settings.requests) == 1 and request.per == "once"
        key = _demanded(auftrag.key) if is_only else f"{_demanded(auftrag.key)}.{_step(request, number)[8:]}"
        status, facts = self._exchange.make(request, media_type, body, key=key, values=values, now=now)
        self._demand_same(facts, (file or auftrag.package).content.sha256)
        return {**facts, _STATUS: str(status)}

    def _found(
        self, key: str, asked: Lookup, answer: HttpAnswer, steps: Steps, known: dict[str, str], now: datetime
    ) -> Delivered | Awaiting | NotDelivered:
        tree: Any = None
        facts: dict[str, str] = {}
        if asked.take or asked.state or self._settings.answer == "json":
            tree, facts = self._exchange.read(answer, asked.take, "rest: lookup")
        if asked.state and value_at(tree, asked.state) not in asked.complete:
            step = f"request/{asked.completes}"
            if asked.completes and steps.get(step) is None:
                steps.done(step, {**facts, _STATUS: str(answer.status)})
            return NotDelivered()
        return self._outcome(key, {**known, **facts}, now, has_verdict=bool(self._later))

    def _outcome(self, key: str, facts: dict[str, str], now: datetime, *, has_verdict: bool) -> Delivered | Awaiting:
        proof = {"key": key, **facts}
        if has_verdict and self._settings.verdict is not None:
            return Awaiting(now + timedelta(hours=self._settings.verdict.deadline_hours), proof)
        return Delivered(proof)

    def _demand_same(self, facts: Mapping[str, str], sha256: str) -> None:
        """A target that tells the hash of what it took has to tell ours."""
        if facts.get("sha256", sha256).lower().removeprefix("sha256:") != sha256:
            raise Unclear("target.answer.unreadable", where="rest: sha256")


class _Factory:
    """Builds one connector per target."""

    manifest: Manifest = MANIFEST
    settings_type: type = RestSettings

    def build(self, settings: RestSettings, base: Path) -> Rest:
        return Rest(settings)


CONNECTOR = _Factory()


def _step(request: Request, number: int) -> str:
    return f"request/{request.name}.{number}" if number else f"request/{request.name}"


def _known(steps: Steps) -> dict[str, str]:
    """The facts of all requests that are done."""
    found: dict[str, str] = {}
    for step in steps:
        found |= {name: value for name, value in (steps.get(step) or {}).items() if name != _STATUS}
    return found


def _demanded(key: str) -> str:
    if not KEY.fullmatch(key):
        raise ValueError("an idempotency key is a UUID")
    return key
