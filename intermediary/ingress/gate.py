"""The gate: what every door asks before it takes, so that full disks and absent stores meet senders as "later" (promise G8).

A door asks with every message, so the answer is only looked up; somebody else (the daemon's lookout) finds out, about once
a second, what stands in the way, and shows it here. When that one falls silent, because the store hangs for example, the
gate closes by itself. Closed means the temporary answer of the door's own protocol; nothing that was taken is given up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from intermediary.core.bulletin import Obstacle
from intermediary.core.values import Eingang
from intermediary.ingress.doors import Take
from intermediary.store.records import Taken

SILENT_SECONDS = 30.0
_REOPENS_AT = 0.9


class Gate(Protocol):
    """Asked by doors from any thread, before they take something up and again while they wait; never waits itself."""

    def obstacle(self, mandant: str = "") -> Obstacle | None:
        """What stands in the way of everybody, or of this Mandant; None while it may be taken."""
        ...


class OpenGate:
    """The gate of who has no daemon around: it is open, and what cannot be made durable fails in `take`."""

    def obstacle(self, mandant: str = "") -> Obstacle | None:
        return None


OPEN = OpenGate()


class GuardedGate:
    """The gate of an ingress process. `show` is called by one thread, everything else by any.

    `most_waiting` is the quota of open Nachrichten by Mandant; who has none is not counted. Between two counts the gate
    adds what was taken through `counting`, so that a burst is stopped at the quota and not a second later.
    """

    def __init__(
        self, most_waiting: Mapping[str, int] | None = None, *, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_waiting = dict(most_waiting or {})
        self._ticks = ticks
        self._lock = threading.Lock()
        self._shown_at = ticks()
        self._common: tuple[Obstacle, ...] = ()
        self._waiting: dict[str, int] = {}
        self._full: frozenset[str] = frozenset()

    @property
    def most_waiting(self) -> Mapping[str, int]:
        """The quotas."""
        return self._most_waiting

    def obstacle(self, mandant: str = "") -> Obstacle | None:
        if self._ticks() - self._shown_at > SILENT_SECONDS:
            return Obstacle("store.unavailable", where="no answer")
        if self._common:
            return self._common[0]
        return _full(mandant) if mandant in self._full else None

    def obstacles(self, mandanten: Sequence[str] | None = None) -> tuple[Obstacle, ...]:
        """Everything that stands in the way, of these Mandanten or (None) of any."""
        silent = () if self._ticks() - self._shown_at <= SILENT_SECONDS else (self.obstacle(),)
        wanted = self._full if mandanten is None else self._full.intersection(mandanten)
        return (*(one for one in silent if one), *self._common, *(_full(one) for one in sorted(wanted)))

    def show(self, common: Sequence[Obstacle], waiting: Mapping[str, int] | None = None) -> None:
        """What was found just now; `waiting` are fresh counts of open Nachrichten by Mandant, None: not counted again."""
        with self._lock:
            self._common = tuple(common)
            self._shown_at = self._ticks()
            if waiting is not None:
                self._waiting = {one: waiting.get(one, 0) for one in self._most_waiting}
                self._full = frozenset(one for one in self._most_waiting if self._is_full(one))

    def counting(self, take: Take) -> Take:
        """The same `take`, which counts what became durable."""
        if not self._most_waiting:
            return take

        def counted(eingaenge: Sequence[Eingang]) -> list[Taken]:
            taken = take(eingaenge)
            self._count(eingang.mandant for eingang, one in zip(eingaenge, taken, strict=True) if one.outcome == "new")
            return taken

        return counted

    def _count(self, mandanten: Iterable[str]) -> None:
        with self._lock:
            for one in mandanten:
                if one in self._waiting:
                    self._waiting[one] += 1
            self._full = self._full | {one for one in self._waiting if self._is_full(one)}

    def _is_full(self, mandant: str) -> bool:
        """Whoever was full is let in again only when a tenth of the quota is free."""
        most = self._most_waiting[mandant]
        return self._waiting[mandant] >= (most * _REOPENS_AT if mandant in self._full else most)


def closing(gate: Gate, mandanten: Sequence[str]) -> Obstacle | None:
    """What closes a whole channel: an obstacle of everybody, or each of its Mandanten has one; else None."""
    common = gate.obstacle()
    if common is not None:
        return common
    found = [gate.obstacle(one) for one in mandanten]
    return found[0] if all(found) else None


def _full(mandant: str) -> Obstacle:
    return Obstacle("intake.mandant.full", where=mandant, mandant=mandant)
