"""A vendor's connector with steps: makes a case, puts six documents, closes it; runs in a lane, copied into a folder.

`trouble` is the share of steps at which its own process ends, before the effect, after it, or after it was noted.
"""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from intermediary.connect.api import (
    Awaiting,
    Delivered,
    Idempotency,
    Manifest,
    NotDelivered,
    Refused,
    Steps,
    Transient,
    Unclear,
    Zustellauftrag,
)

DOCUMENTS = 6
STEPS = ("case", *(f"document/{number}" for number in range(1, DOCUMENTS + 1)), "close")
_ANSWER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the target listens."""

    socket: Path = field(metadata={"help": "Unix socket"})
    trouble_percent: int = field(default=0, metadata={"help": "share of steps at which the process ends"})


class Akten:
    """One target; its kind is its manifest's."""

    def __init__(self, manifest: Manifest, settings: Settings) -> None:
        self.manifest = manifest
        self._settings = settings
        self._dice = random.Random(os.getpid())

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        for step in STEPS:
            if steps.get(step) is None:
                steps.done(step, {"id": self._made(auftrag, step)})
                self._stumble()
        return Delivered({"case": (steps.get("case") or {})["id"]})

    def _made(self, auftrag: Zustellauftrag, step: str) -> str:
        """The id of what this step makes: what a crashed attempt made before, where the target can tell."""
        if self.manifest.idempotency is Idempotency.LOOKUP:
            found = self._ask("find", auftrag.key, step, looks=True)
            if found["id"]:
                return str(found["id"])
        self._stumble()
        made = self._ask("make", auftrag.key, step, attempt=auftrag.attempt)
        self._stumble()
        return str(made["id"])

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered:
        is_closed = self._ask("find", key, "close", looks=True)["id"]
        return Delivered({"case": (steps.get("case") or {"id": ""})["id"]}) if is_closed else NotDelivered()

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        return None

    def probe(self) -> None:
        self._settings.socket.stat()

    def _stumble(self) -> None:
        if self._dice.random() * 100 < self._settings.trouble_percent / 3:
            os._exit(1)

    def _ask(self, op: str, key: str, step: str, *, looks: bool = False, attempt: int = 0) -> dict[str, Any]:
        question = {"op": op, "kind": self.manifest.idempotency.value, "key": key, "step": step, "attempt": attempt}
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_ANSWER_SECONDS)
            try:
                line.connect(str(self._settings.socket))
            except OSError as error:
                raise Transient("target.unreachable") from error
            try:
                line.sendall(json.dumps(question).encode() + b"\n")
                answer = line.makefile("rb").readline()
            except OSError as error:
                raise (Transient("target.unreachable") if looks else Unclear("delivery.unclear")) from error
        if not answer.endswith(b"\n"):
            raise Transient("target.unreachable") if looks else Unclear("delivery.unclear")
        found: dict[str, Any] = json.loads(answer)
        if "busy" in found:
            raise Transient("target.unreachable")
        return found


@dataclass(frozen=True, slots=True)
class _Factory:
    """Builds the connectors of one kind."""

    manifest: Manifest
    settings_type: type = Settings

    def build(self, settings: Settings, base: Path) -> Akten:
        return Akten(self.manifest, settings)


def _factory(kind: Idempotency) -> _Factory:
    return _Factory(Manifest(f"akten-{kind.value}", kind, "cases", ("case", "document", "close"), concurrency=2))


NATIVE, LOOKUP, NONE = (_factory(kind) for kind in Idempotency)
