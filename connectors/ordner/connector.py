"""Hands a package over as a file: everything is prepared in a private folder, then renamed into the drop at once.

What is known of a key is always readable from its files in the state folder, in this order:

    nothing, or `KEY.ready` without `KEY.sealed`   nothing was sent; a new attempt begins anew
    `KEY.sealed` and `KEY.ready`                   nothing was sent; a new attempt only renames
    `KEY.sealed` without `KEY.ready`               delivered, whatever the consumer has done with the file since

The second is what a crash leaves: an attempt that knows it has sent nothing takes its seal back and leaves the first,
empty. A file leaves the state folder by a rename, so it cannot be put into the drop twice. The steps themselves are in
`handover.py`, what is noted about a key in `memory.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from connectors.ordner import acknowledgement
from connectors.ordner.folder import opened, sync
from connectors.ordner.handover import (
    Place,
    demand_free,
    forget_unsealed,
    hand_over,
    is_unsent,
    left,
    make_ready,
    take_back,
    unseal,
)
from connectors.ordner.lock import alone
from connectors.ordner.memory import Sealed, read_sealed, read_verdict, write_sealed, write_verdict
from connectors.ordner.probe import probe_acknowledgement, probe_handover
from connectors.ordner.tidy import tidy
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

_KEY = re.compile(r"[A-Za-z0-9-]{1,64}")
_LONGEST_NAME = 255 - len(".sha256")

MANIFEST = Manifest(
    name="ordner",
    idempotency=Idempotency.LOOKUP,
    summary="puts each package into a folder by one atomic rename; the Fachverfahren takes it from there",
    concurrency=16,
)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Where the target says what became of a file."""

    folder: Path = field(metadata={"help": "folder with the target's answers: NAME.ok, or NAME.error with a code"})
    deadline_hours: int = field(default=72, metadata={"help": "hours until a missing answer is looked into"})


@dataclass(frozen=True, slots=True)
class OrdnerSettings:
    """The settings of one folder target; its folders must exist."""

    drop: Path = field(metadata={"help": "folder that the target empties; files appear in it complete"})
    state: Path = field(metadata={"help": "private folder on the same mount: what is underway, and the memory of keys"})
    checksum: bool = field(default=False, metadata={"help": "put NAME.sha256 into the drop before each package"})
    acknowledgement: Acknowledgement | None = field(
        default=None, metadata={"help": "wait for the target's answer instead of taking the hand-over as delivered"}
    )


class Ordner:
    """The connector of one folder target; several processes may use the same folders."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, settings: OrdnerSettings) -> None:
        self._settings = settings

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        with self._alone(auftrag.key) as place:
            sealed = self._sealed_for(place, auftrag)
            if sealed is None:
                sealed = self._sealed_anew(auftrag, now)
                self._prepare(place, auftrag, sealed)
            try:
                hand_over(place, auftrag.key, sealed)
            except (Transient, Misconfigured):
                take_back(place, auftrag.key, sealed)
                raise
        return self._answer(sealed)

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered:
        with self._alone(key) as place:
            sealed = read_sealed(place.state, key)
            if sealed is None:
                forget_unsealed(place, key)
                return NotDelivered()
            if left(place.state, key, sealed):
                return NotDelivered()
            sync(place.drop, "drop")  # a crash may have come between the rename and its sync
            sync(place.state, "state")
        return self._answer(sealed)

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        if self._settings.acknowledgement is None:
            return Delivered(dict(correlation))
        with self._alone(key) as place, opened(self._settings.acknowledgement.folder, "acknowledgement.folder") as box:
            verdict = read_verdict(place.state, key)
            if verdict is None:
                verdict = acknowledgement.read_answer(box, _safe(correlation["file_name"]))
                if verdict is None:
                    return None
                write_verdict(place.state, key, verdict)
            sync(place.state, "state")
            acknowledgement.clear(box, verdict)
        return verdict.outcome(dict(correlation))

    def probe(self) -> None:
        probe_handover(self._settings.state, self._settings.drop)
        if self._settings.acknowledgement is not None:
            probe_acknowledgement(self._settings.acknowledgement.folder)

    def tidy(self) -> int:
        return tidy(self._settings.state, self._settings.drop)

    @contextmanager
    def _alone(self, key: str) -> Iterator[Place]:
        if not _KEY.fullmatch(key):
            raise ValueError("an idempotency key is a UUID")
        with ExitStack() as stack:
            state = stack.enter_context(opened(self._settings.state, "state"))
            drop = stack.enter_context(opened(self._settings.drop, "drop"))
            stack.enter_context(alone(state, key))
            yield Place(state, drop)

    def _sealed_for(self, place: Place, auftrag: Zustellauftrag) -> Sealed | None:
        """What an earlier attempt sealed for the same package; another package replaces it only while it is unsent."""
        sealed = read_sealed(place.state, auftrag.key)
        if sealed is None or sealed.is_for(auftrag.package):
            return sealed
        if not is_unsent(place, auftrag.key, sealed):
            raise Unclear("output.changed", where="state")
        unseal(place, auftrag.key)
        return None

    def _sealed_anew(self, auftrag: Zustellauftrag, now: datetime) -> Sealed:
        package = auftrag.package
        return Sealed(
            name=_safe(package.file_name),
            sha256=package.content.sha256,
            length=package.content.length,
            checksum=self._settings.checksum,
            sealed_at=now,
        )

    def _prepare(self, place: Place, auftrag: Zustellauftrag, sealed: Sealed) -> None:
        demand_free(place, sealed)
        self._demand_unanswered(sealed.name)
        make_ready(place, auftrag.key, sealed, auftrag.package)
        try:
            sync(place.state, "state")  # a seal without its file would read as delivered
            write_sealed(place.state, auftrag.key, sealed)
        except (Transient, Misconfigured):
            take_back(place, auftrag.key, sealed)
            raise

    def _demand_unanswered(self, name: str) -> None:
        if self._settings.acknowledgement is not None:
            with opened(self._settings.acknowledgement.folder, "acknowledgement.folder") as box:
                if acknowledgement.is_waiting(box, name):
                    raise Transient("target.full", where="acknowledgement.folder")

    def _answer(self, sealed: Sealed) -> Delivered | Awaiting:
        if self._settings.acknowledgement is None:
            return Delivered(sealed.proof())
        until = sealed.sealed_at + timedelta(hours=self._settings.acknowledgement.deadline_hours)
        return Awaiting(until, sealed.proof())


class _Factory:
    """Builds one connector per target."""

    manifest: Manifest = MANIFEST
    settings_type: type = OrdnerSettings

    def build(self, settings: OrdnerSettings, base: Path) -> Ordner:
        return Ordner(settings)


CONNECTOR = _Factory()


def _safe(name: str) -> str:
    """A file name that stays in its folder and is no hidden file; any other is a mistake of the mapping."""
    is_safe = name and not name.startswith(".") and "/" not in name and name.isprintable()
    if not is_safe or len(os.fsencode(name)) > _LONGEST_NAME:
        raise Misconfigured("mapping.output.invalid", where="package.file_name")
    return name
