"""The connectors of the chaos plug-in: one for each kind of idempotency, all speaking to the sink over a socket.

What the sink does to a call (commits and then fails, hangs, asks for patience) is the sink's business; a connector only
translates what it hears into the port's faults.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from intermediary.connect.api import (
    Awaiting,
    Delivered,
    Idempotency,
    Manifest,
    Misconfigured,
    NotDelivered,
    Refused,
    Steps,
    Transient,
    Unclear,
    Zustellauftrag,
)

ANSWER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """Where the sink listens."""

    socket: Path = field(metadata={"help": "Unix socket of the sink"})
    locks: Path = field(metadata={"help": "folder where whoever is at a key says so"})


class SinkConnector:
    """One target at the sink; the kind of idempotency is its manifest's."""

    def __init__(self, manifest: Manifest, settings: SinkSettings) -> None:
        self.manifest = manifest
        self._path = settings.socket
        self._locks = settings.locks

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        if self.manifest.idempotency is not Idempotency.LOOKUP:
            return self._send(auftrag)
        with self._alone(auftrag.key):
            found = self._look_up(auftrag.key)
            return found if isinstance(found, Delivered) else self._send(auftrag)

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered:
        with self._alone(key):
            return self._look_up(key)

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        return None

    def probe(self) -> None:
        if not self._path.is_socket():
            raise Misconfigured("target.misconfigured", where="sink")

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """A rival that was stopped in the middle keeps the key until it goes on or dies: the sink itself has no fence."""
        descriptor = os.open(self._locks / key, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as busy:
            raise Transient("target.busy") from busy
        finally:
            os.close(descriptor)

    def _send(self, auftrag: Zustellauftrag) -> Delivered:
        package = auftrag.package.content
        answer = self._ask(
            {
                "op": "deliver",
                "kind": self.manifest.idempotency.value,
                "key": auftrag.key,
                "nachricht": auftrag.nachricht_id,
                "target": auftrag.target,
                "attempt": auftrag.attempt,
                "sha256": package.sha256,
                "length": package.length,
            }
        )
        match answer["verdict"]:
            case "delivered":
                return Delivered({"number": str(answer["number"])})
            case "later":
                raise Transient("target.unreachable", retry_after=timedelta(seconds=answer["retry_after"]))
            case _:
                raise Unclear("delivery.unclear", where="sink")

    def _look_up(self, key: str) -> Delivered | NotDelivered:
        answer = self._ask({"op": "lookup", "kind": self.manifest.idempotency.value, "key": key})
        match answer["verdict"]:
            case "delivered":
                return Delivered({"number": str(answer["number"])})
            case "unknown":
                return NotDelivered()
            case _:
                raise Transient("target.unreachable")

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """One question, one connection. Before anything was sent a failure is `Transient`, afterwards it is ambiguous."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(ANSWER_SECONDS)
            try:
                line.connect(str(self._path))
            except OSError as error:
                raise Transient("target.unreachable") from error
            try:
                line.sendall(json.dumps(question).encode() + b"\n")
                answer = line.makefile("rb").readline()
            except OSError as error:
                raise Unclear("delivery.unclear", where="sink") from error
        if not answer.endswith(b"\n"):
            raise Unclear("delivery.unclear", where="sink")
        return json.loads(answer)


@dataclass(frozen=True, slots=True)
class _Factory:
    """Builds the connectors of one kind."""

    manifest: Manifest
    settings_type: type = SinkSettings

    def build(self, settings: SinkSettings, base: Path) -> SinkConnector:
        return SinkConnector(self.manifest, settings)


def _factory(idempotency: Idempotency) -> _Factory:
    return _Factory(Manifest(f"chaos-{idempotency.value}", idempotency, f"the sink as a target of kind {idempotency}"))


NATIVE = _factory(Idempotency.NATIVE)
LOOKUP = _factory(Idempotency.LOOKUP)
NONE = _factory(Idempotency.NONE)
