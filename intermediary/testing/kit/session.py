"""One target and one worker: a Zustellung is driven through a trouble as the engine would drive it, and counted."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from intermediary.core.ports import Idempotency, Manifest
from intermediary.core.steps import Checkpoints, Steps
from intermediary.core.values import EMPTY, Zustellauftrag
from intermediary.testing.kit.description import Candidate
from intermediary.testing.kit.order import order
from intermediary.testing.kit.target import Keeper, Target
from intermediary.testing.kit.worker import Attempt, Killed, Worker

_MOST_ATTEMPTS = 8

Ending = Literal["delivered", "parked", "rejected", "never"]


@dataclass(frozen=True, slots=True)
class Course:
    """How a Zustellung went: its attempts, how it ended for the engine, and what the target has of it."""

    attempts: tuple[Attempt, ...]
    ending: Ending
    effects: tuple[str, ...]

    def words(self) -> str:
        went = " → ".join(one.words() for one in self.attempts)
        return f"{went}; am Ziel: {', '.join(self.effects) or 'nichts'}"


class Fence(Checkpoints):
    """Steps that end the worker at one of them, right before it is durable or right after; once."""

    def __init__(self, names: tuple[str, ...], at: int, *, is_durable: bool) -> None:
        super().__init__(names)
        self._left, self._is_durable = at, is_durable
        self.has_struck = False

    def done(self, step: str, facts: Mapping[str, str] = EMPTY) -> None:
        strikes = self._left == 0 and not self.has_struck
        self._left -= 1
        if strikes and not self._is_durable:
            self.has_struck = True
            raise Killed
        super().done(step, facts)
        if strikes:
            self.has_struck = True
            raise Killed


@dataclass
class Session:
    """The kit's view of one connector during a check. `told` collects all that the connector said or left anywhere; a brief
    one tries no more of a guarantee that is broken already.
    """

    candidate: Candidate
    target: Target
    worker: Worker
    folder: Path
    manifest: Manifest
    is_brief: bool = False
    baseline: tuple[str, ...] = ()
    told: list[str] = field(default_factory=list)
    attempts: list[tuple[str, Attempt]] = field(default_factory=list)
    _number: int = 0

    @property
    def level(self) -> Idempotency:
        return self.manifest.idempotency

    def new_order(self) -> Zustellauftrag:
        """An order of a key that was never used; the target begins to count for it."""
        self._number += 1
        auftrag = order(self._number)
        self.target.effects(auftrag.key)
        return auftrag

    def kinds(self, key: str) -> tuple[str, ...]:
        """What the target has of this key."""
        return tuple(one.kind for one in self.target.effects(key))

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, *, during: str = "", seconds: float = 0) -> Attempt:
        made = self.worker.deliver(auftrag, steps, seconds=seconds)
        if made.kind == "awaiting" and isinstance(self.target, Keeper):
            made = replace(made, kind=self.target.keep(auftrag, made.proof) or made.kind)
        return self._noted(during, auftrag.key, made, steps)

    def lookup(self, auftrag: Zustellauftrag, steps: Steps, *, during: str = "") -> Attempt:
        return self._noted(during, auftrag.key, self.worker.lookup(auftrag.key, steps), steps)

    def settle(self, auftrag: Zustellauftrag, steps: Steps, *, during: str) -> Course:
        """Attempt after attempt as the engine would; the trouble is over when it has struck."""
        return self._driven(auftrag, steps, during, [])

    def resume(self, auftrag: Zustellauftrag, steps: Steps) -> Course:
        """The same after a crash, which the engine takes for an attempt that is unclear."""
        attempts = [Attempt("killed")]
        found = self._after_doubt(auftrag, steps, "kill", attempts)
        if found.kind in ("delivered", "awaiting", "parked"):
            return self._course(auftrag, attempts, "parked" if found.kind == "parked" else "delivered")
        return self._driven(auftrag, steps, "kill", attempts)

    def _driven(self, auftrag: Zustellauftrag, steps: Steps, during: str, attempts: list[Attempt]) -> Course:
        for number in range(len(attempts) + 1, len(attempts) + 1 + _MOST_ATTEMPTS):
            made = self.deliver(replace(auftrag, attempt=number), steps, during=during)
            attempts.append(made)
            if made.kind in ("transient", "misconfigured"):
                self.target.misbehave("")  # time has passed, or the operator has healed it
                continue
            if not made.is_done and made.kind != "rejected":
                made = self._after_doubt(auftrag, steps, during, attempts)
            if made.is_done:
                return self._course(auftrag, attempts, "delivered")
            if made.kind in ("rejected", "parked"):
                return self._course(auftrag, attempts, "rejected" if made.kind == "rejected" else "parked")
        return self._course(auftrag, attempts, "never")

    def _course(self, auftrag: Zustellauftrag, attempts: list[Attempt], ending: Ending) -> Course:
        self.target.misbehave("")
        return Course(tuple(attempts), ending, self.kinds(auftrag.key))

    def killed_at_effect(self, auftrag: Zustellauftrag, steps: Steps, at: int) -> bool:
        """Deliver, and kill the worker when the target has done the effect after `at` and says nothing; False: it cannot."""
        if not self.target.misbehave("silent-after", at):
            return False
        self.worker.ready()
        pid, over = self.worker.pid, threading.Event()

        def watch() -> None:
            while not over.wait(0.01):
                if len(self.target.effects(auftrag.key)) > at:
                    self.worker.kill(pid)
                    return

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            self.deliver(auftrag, steps, during="kill")
        finally:
            over.set()
            thread.join()
            self.target.misbehave("")
        return True

    def _after_doubt(self, auftrag: Zustellauftrag, steps: Steps, during: str, attempts: list[Attempt]) -> Attempt:
        """What becomes of an ambiguous attempt: nothing (`none`), the look-up's answer, or another attempt."""
        if self.level is Idempotency.NONE:
            return Attempt("parked")
        if self.level is Idempotency.NATIVE:
            return Attempt("again")
        for _ in range(_MOST_ATTEMPTS):
            found = self.lookup(auftrag, steps, during=during)
            attempts.append(replace(found, kind=f"lookup:{found.kind}"))
            if found.is_done or found.kind == "notdelivered":
                return found
            self.target.misbehave("")
        return Attempt("parked")

    def _noted(self, during: str, key: str, made: Attempt, steps: Steps) -> Attempt:
        seen = replace(made, effects=self.kinds(key))
        self.attempts.append((during, seen))
        facts = [str(dict(steps.get(name) or {})) for name in steps]
        self.told += [made.told, *facts]
        return seen


def missing(baseline: tuple[str, ...], effects: tuple[str, ...]) -> Counter[str]:
    """What one delivery has done and this one has not."""
    return Counter(baseline) - Counter(effects)


def doubled(baseline: tuple[str, ...], effects: tuple[str, ...]) -> Counter[str]:
    """What this one has done too often."""
    return Counter(effects) - Counter(baseline)


@contextmanager
def opened(candidate: Candidate, *, is_brief: bool = False) -> Iterator[Session]:
    """A session at a fresh target. Raises `NotBuilt` when there is no connector, and what the target raises."""
    with TemporaryDirectory(prefix="connector-check-") as name:
        folder = Path(name)
        target = candidate.description.target()
        table = target.start(folder)
        worker = Worker(candidate.entry, table, folder, seconds=candidate.description.seconds)
        try:
            yield Session(candidate, target, worker, folder, worker.ready(), is_brief=is_brief)
        finally:
            worker.end()
            target.stop()
