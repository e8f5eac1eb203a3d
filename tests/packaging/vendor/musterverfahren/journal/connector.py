"""Hands a package over as one JSON line at the end of a file, which the Fachverfahren reads from there.

A line counts once its end is written: what a crash left without one was never delivered. The journal itself is the
memory of keys, so a key is written at most once, and what became of it can always be looked up.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from intermediary.connect.api import (
    Awaiting,
    Delivered,
    Idempotency,
    Manifest,
    Misconfigured,
    NotDelivered,
    Refused,
    Steps,
    Unclear,
    Zustellauftrag,
)
from musterverfahren.journal.file import append, find, opened, sync

MANIFEST = Manifest(
    name="musterverfahren-journal",
    idempotency=Idempotency.LOOKUP,
    summary="appends each package as one JSON line to a file",
)


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """The settings of one journal."""

    journal: Path = field(metadata={"help": "file that grows by one line per delivery; its folder must exist"})


class Journal:
    """The connector of one journal; several processes may write to it."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, settings: JournalSettings) -> None:
        self._path = settings.journal

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        sha256 = auftrag.package.content.sha256
        with opened(self._path) as journal:
            known = find(journal, auftrag.key)
            if known is None:
                return _proof(append(journal, _line(auftrag, now)), sha256)
            sync(journal)
        if known.sha256 != sha256:
            raise Unclear("output.changed", where="journal")
        return _proof(known.number, known.sha256)

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered:
        with opened(self._path) as journal:
            known = find(journal, key)
            sync(journal)  # a crash may have come between the line and its sync
        return _proof(known.number, known.sha256) if known is not None else NotDelivered()

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        return None  # nothing is awaited: `deliver` never answers `Awaiting`

    def probe(self) -> None:
        place = self._path if self._path.exists() else self._path.parent
        is_usable = self._path.parent.is_dir() and not self._path.is_dir() and os.access(place, os.R_OK | os.W_OK)
        if not is_usable:
            raise Misconfigured("target.misconfigured", where="journal")


class _Factory:
    """Builds one connector per target."""

    manifest: Manifest = MANIFEST
    settings_type: type = JournalSettings

    def build(self, settings: JournalSettings, base: Path) -> Journal:
        return Journal(settings)


CONNECTOR = _Factory()


def _proof(number: int, sha256: str) -> Delivered:
    return Delivered({"line": str(number), "sha256": sha256})


def _line(auftrag: Zustellauftrag, now: datetime) -> bytes:
    package = auftrag.package
    fields = {
        "key": auftrag.key,
        "mandant": auftrag.mandant,
        "nachricht": auftrag.nachricht_id,
        "test": auftrag.is_test,
        "written_at": now.isoformat(),
        "file_name": package.file_name,
        "media_type": package.media_type,
        "sha256": package.content.sha256,
        "content": b64encode(package.content.read()).decode("ascii"),
    }
    return json.dumps(fields).encode("ascii") + b"\n"
