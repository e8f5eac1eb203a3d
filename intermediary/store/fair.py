"""Whose turn it is between Mandanten: start-time fair queueing, each process by what it has worked on itself (T21).

Every process serves the Mandanten that have something due in proportion to their shares; so all of them together do, on
any number of hosts, and nothing has to be written down for it. Who had nothing for a while comes first once, and saves up
nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

_LOOK_AGAIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Share:
    """What one Mandant is due: `weight` relative to the others, and how many Nachrichten are worked on at the same time."""

    weight: int = 1
    most_at_once: int | None = None


class Fair:
    """The order in which a process asks for work; usable from any thread.

    `shares` names the Mandanten that are configured; others that have something due are learned by `learn`.
    """

    def __init__(self, shares: Mapping[str, Share]) -> None:
        self._shares = dict(shares)
        self._lock = threading.Lock()
        self._known = frozenset(shares)
        self._next: dict[str, float] = {}
        self._served: dict[str, int] = {}
        self._count = 0
        self._time = 0.0
        self._looked_at: datetime | None = None
        self.limited = frozenset(name for name, share in shares.items() if share.most_at_once is not None)

    def turns(self, without: Collection[str] = ()) -> list[str]:
        """All Mandanten, whose turn it is first; `without` those that may have no more now."""
        with self._lock:
            return sorted(self._known.difference(without), key=self._rank)

    def worked(self, mandanten: Iterable[str]) -> None:
        """These were given work, one entry for each Nachricht."""
        with self._lock:
            for mandant in mandanten:
                begin = max(self._time, self._next.get(mandant, 0.0))
                self._time = begin
                self._next[mandant] = begin + 1 / self._share(mandant).weight
                self._count += 1
                self._served[mandant] = self._count

    def most_at_once(self, mandant: str) -> int | None:
        """The limit of a Mandant; None for as many as there are workers."""
        return self._share(mandant).most_at_once

    def is_to_look(self, now: datetime) -> bool:
        """Whether to ask who has something due at all: seldom, for Mandanten that are no longer configured."""
        with self._lock:
            looked = self._looked_at
            if looked is not None and timedelta(0) <= now - looked < _LOOK_AGAIN:
                return False
            self._looked_at = now
            return True

    def learn(self, found: Iterable[str]) -> None:
        """These have something due; who is neither among them nor configured is forgotten."""
        with self._lock:
            self._known = frozenset(self._shares).union(found)

    def _share(self, mandant: str) -> Share:
        return self._shares.get(mandant, _OF_OTHERS)

    def _rank(self, mandant: str) -> tuple[float, int, str]:
        return max(self._time, self._next.get(mandant, 0.0)), self._served.get(mandant, 0), mandant


_OF_OTHERS = Share()
