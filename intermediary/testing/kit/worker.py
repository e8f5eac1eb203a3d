"""Calls a connector as a worker does, in a lane, and writes down what it answered, printed and needed."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from intermediary.connect.lane.codec import contents_of, read_manifest, read_outcome, write_auftrag
from intermediary.connect.lane.grounds import ground_of
from intermediary.connect.lane.process import Died, Lane, LaneLimits, NotCalled
from intermediary.core.faults import Fault
from intermediary.core.ports import Awaiting, Delivered, Manifest
from intermediary.core.steps import Checkpoints, Steps
from intermediary.core.values import Zustellauftrag
from intermediary.route.plugins import is_foreign

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
_MOST_HEARD = 4 << 20
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


class Killed(Exception):
    """The kit ended the worker here; raised by its steps."""


class NotBuilt(Exception):
    """The connector cannot be loaded or built; the text says why."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one call: `kind` names the outcome or the Fault in small letters, or is `raised`, `died`, `overdue`,
    `killed`. `told` is all that a connector said of itself in it. `effects` is what the target then had.
    """

    kind: str
    code: str = ""
    told: str = field(default="", repr=False)
    proof: Mapping[str, str] = field(default_factory=dict, repr=False)
    effects: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        return self.kind in ("delivered", "awaiting")

    def words(self) -> str:
        return f"{self.kind} {self.code}".strip()


class _Heard(Lane):
    """A lane that keeps what is printed: here it is no citizen's."""

    def __init__(self, name: str, table: Any, limits: LaneLimits) -> None:
        self.heard = bytearray()
        super().__init__(name, table, limits)

    def _drain(self) -> bool:
        try:
            piece = os.read(self._output, 1 << 16)
        except BlockingIOError:
            return True
        self._printed += len(piece)
        if len(self.heard) < _MOST_HEARD:
            self.heard += piece
        return bool(piece)


class Worker:
    """One connector of one target. A lane is made when it is needed, and made anew after it has ended."""

    def __init__(self, entry: EntryPoint, table: Mapping[str, object], base: Path, *, seconds: float) -> None:
        self.entry, self.table, self.base = entry, table, base
        self._seconds = seconds
        self._limits = LaneLimits()
        self._lane: _Heard | None = None
        self.manifest: Manifest | None = None
        self.heard = bytearray()

    @property
    def pid(self) -> int | None:
        return self._lane.pid if self._lane is not None else None

    def steps(self) -> Checkpoints:
        """Fresh ones, with the names of the manifest."""
        manifest = self.manifest or self.ready()
        return Checkpoints(manifest.steps)

    def ready(self) -> Manifest:
        """A lane with the connector built in it; raises `NotBuilt`."""
        if self._lane is not None and self._lane.is_usable() and self.manifest is not None:
            return self.manifest
        self.end()
        try:
            self.manifest = self._made()
        except NotCalled:
            raise NotBuilt("der Prozess endet, während der Konnektor geladen oder gebaut wird") from None
        except Fault as fault:
            hints = "; ".join(f"{one.path}: {one.hint}" for one in fault.findings[:3])
            raise NotBuilt(f"{fault.code} {fault.where} {hints}".strip()) from None
        return self.manifest

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, *, seconds: float = 0) -> Attempt:
        order = {"auftrag": write_auftrag(auftrag), "now": NOW.isoformat()}
        return self._called("deliver", order, steps, seconds=seconds, contents=contents_of(auftrag))

    def lookup(self, key: str, steps: Steps) -> Attempt:
        return self._called("lookup", {"key": key, "now": NOW.isoformat()}, steps)

    def probe(self) -> Attempt:
        return self._called("probe", {"now": NOW.isoformat()}, Checkpoints())

    def peak_kilobytes(self) -> int:
        """The most memory its process has had at a time."""
        if self._lane is None:
            return 0
        found = _PEAK.search(Path(f"/proc/{self._lane.pid}/status").read_text(encoding="ascii", errors="replace"))
        return int(found[1]) if found else 0

    def kill(self, pid: int | None) -> None:
        """End the process of this number while another thread waits for its answer; nothing if it is not ours any more."""
        if pid is not None and self.pid == pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def end(self) -> None:
        if self._lane is not None:
            self.heard += self._lane.heard
            self._lane.end()
            self._lane = None

    def _made(self) -> Manifest:
        plan = {"table": self.table, "base": str(self.base), "where": "settings"}
        with_ground = _Heard(self.entry.name, ground_of(()), self._limits)
        try:
            self._load(with_ground)
            paths = [(Path(path), bool(secret)) for path, secret in with_ground.ask("settings", **plan)["paths"]]
        finally:
            with_ground.end()
        self._lane = _Heard(self.entry.name, ground_of(paths), self._limits)
        self._load(self._lane)
        return read_manifest(self._lane.ask("build", **plan)["manifest"])

    def _load(self, lane: Lane) -> None:
        about = lane.ask("load", name=self.entry.name, value=self.entry.value)
        if "flaw" in about:
            raise NotBuilt(str(about["flaw"])[:400])

    def _called(self, op: str, order: Mapping[str, Any], steps: Steps, *, seconds: float = 0, **more: Any) -> Attempt:
        self.ready()
        lane = self._lane
        assert lane is not None  # noqa: S101  ready() made it
        try:
            result = lane.call(op, order, seconds=seconds or self._seconds, steps=steps, **more)
            return _read(result, is_vendors=is_foreign(self.entry))
        except Died as failure:
            return Attempt(failure.how)
        except NotCalled:
            return Attempt("died")
        except Killed:
            return Attempt("killed")


def _read(result: dict[str, Any], *, is_vendors: bool) -> Attempt:
    if result.get("kind") == "raised":
        return Attempt("raised", str(result.get("name"))[:64])
    try:
        outcome = read_outcome(result, is_vendors=is_vendors)
    except (ValueError, LookupError, TypeError, OverflowError):
        return Attempt("raised", "unreadable")
    if isinstance(outcome, Fault):
        told = " ".join([outcome.where, *(f"{one.path} {one.rule} {one.hint}" for one in outcome.findings)])
        return Attempt(type(outcome).__name__.lower(), outcome.code, told)
    facts = outcome.proof if isinstance(outcome, Delivered) else {}
    facts = outcome.correlation if isinstance(outcome, Awaiting) else facts
    return Attempt(type(outcome).__name__.lower(), "", str(dict(facts)), dict(facts))
