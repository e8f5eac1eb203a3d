"""Iterators over a box: what a request found, how far its client has come. In memory; the protocol knows that they end."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from intermediary.xta.wire.box import ListForm

MOST_KEYS = 10_000
"""So many entries one request finds at most; the client asks again for the rest."""

_MOST_OF_ONE = 32
_MOST_OF_ALL = 1_024


@dataclass(slots=True)
class Found:
    """What one request found, and the place of its client; used by one thread at a time (`Iterators.use`)."""

    keys: Sequence[str]
    form: ListForm
    page: int
    place: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def pending(self) -> int:
        """How many its client has not been given yet."""
        return len(self.keys) - self.place

    def received(self, keys: Collection[str]) -> None:
        """The client names what it has: go on behind the last of these, also where an answer was lost on the way."""
        named = frozenset(keys)
        places = [place for place, key in enumerate(self.keys) if key in named]
        if places:
            self.place = places[-1] + 1

    def next(self, count: int) -> Sequence[str]:
        """The next keys."""
        start, self.place = self.place, min(len(self.keys), self.place + count)
        return self.keys[start : self.place]


class Iterators:
    """The iterators of one server; safe for all threads. Who opens too many loses the one used longest ago."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[str, str], Found] = OrderedDict()

    def keep(self, account: str, request_id: str, found: Found) -> None:
        """A new iterator of this account."""
        with self._lock:
            own = [known for known in self._open if known[0] == account]
            if len(own) >= _MOST_OF_ONE:
                del self._open[own[0]]
            elif len(self._open) >= _MOST_OF_ALL:
                self._open.popitem(last=False)
            self._open[account, request_id] = found

    def get(self, account: str, request_id: str) -> Found | None:
        """An iterator of this account; None for one that ended, or was never its."""
        with self._lock:
            found = self._open.get((account, request_id))
            if found is not None:
                self._open.move_to_end((account, request_id))
            return found

    def end(self, account: str, request_id: str) -> None:
        """Forget it."""
        with self._lock:
            self._open.pop((account, request_id), None)
