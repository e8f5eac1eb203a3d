"""Connectors that claim what they do not keep: the scaffold's, each with one lie.

Runs in a lane, beside the package `ehrlich`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ehrlich.connector import MANIFEST, Connector
from ehrlich.interface import Case, Interface
from ehrlich.settings import Settings

from intermediary.connect.api import Awaiting, Body, Delivered, Dokument, Fault, HttpRequest, Idempotency, Steps


class ClaimsNative(Connector):
    """Says that the target removes doubles, and makes a new case each time."""

    @property
    def manifest(self) -> Any:
        return replace(MANIFEST, idempotency=Idempotency.NATIVE)

    def _case(self, key: str, steps: Steps, now: datetime) -> tuple[str, int]:
        return self._interface.create(key, now).id, 0


class FailingIsFine(Interface):
    """Takes a failure of the server for an answer like any other."""

    def close(self, case: str, key: str, now: datetime) -> None:
        self._send(HttpRequest("POST", f"cases/{case}/close", {"Idempotency-Key": key}), now)


class Prints(Connector):
    """Shows what it sends."""

    def deliver(self, auftrag: Any, steps: Steps, now: datetime) -> Delivered | Awaiting:
        with auftrag.package.content.open() as stream:
            print(stream.read(100))
        return super().deliver(auftrag, steps, now)


class Patient(Interface):
    """Waits for its target as long as it takes."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(replace(settings, http=replace(settings.http, idle_seconds=9999, total_seconds=9999)))


class Greedy(Interface):
    """Holds each document in memory."""

    def upload(self, case: str, number: int, key: str, dokument: Dokument, now: datetime) -> str:
        data = dokument.content.read()
        return self._changed(f"cases/{case}/documents", key, "application/zip", Body((data,)), now, expects="sha256")


class Forgetful(Connector):
    """Believes its own notes, and never looks at the target."""

    def _case(self, key: str, steps: Steps, now: datetime) -> tuple[str, int]:
        known = steps.get("case")
        if known is not None:
            return known["id"], 0
        made: Case = self._interface.create(key, now)
        steps.done("case", {"id": made.id})
        return made.id, 0


class Cheerful(Connector):
    """Whatever went wrong, it was delivered."""

    def deliver(self, auftrag: Any, steps: Steps, now: datetime) -> Delivered | Awaiting:
        try:
            return super().deliver(auftrag, steps, now)
        except Exception:
            return Delivered({"case": "C-1"})


class HangsOnClose(Interface):
    """Has no end when the last answer does not come."""

    def close(self, case: str, key: str, now: datetime) -> None:
        try:
            super().close(case, key, now)
        except Fault:
            threading.Event().wait()


@dataclass(frozen=True, slots=True)
class Factory:
    """Builds a liar."""

    manifest: Any
    kind: Callable[[Any], Connector] = Connector
    interface: Callable[[Settings], Interface] = Interface
    settings_type: type = Settings

    def build(self, settings: Settings, base: Path) -> Connector:
        return self.kind(self.interface(settings))


CLAIMS_NATIVE = Factory(replace(MANIFEST, idempotency=Idempotency.NATIVE), kind=ClaimsNative)
LOSES_ON_500 = Factory(MANIFEST, interface=FailingIsFine)
LOGS_CONTENT = Factory(MANIFEST, kind=Prints)
IGNORES_TIMEOUT = Factory(MANIFEST, interface=Patient)
BUFFERS = Factory(MANIFEST, interface=Greedy)
RECREATES_THE_CASE = Factory(MANIFEST, kind=Forgetful)
SWALLOWS_ERRORS = Factory(MANIFEST, kind=Cheerful)
HANGS_ON_CLOSE = Factory(MANIFEST, interface=HangsOnClose)
