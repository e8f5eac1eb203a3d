"""How many Zustellungen go to one target at a time in this process: the `concurrency` its connector bears.

What all hosts together may give a target (`max_parallel` of a route) is the store's to count; this is about the connector.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from intermediary.core.turns import Limits, Turns, ask

_SHORT = timedelta(milliseconds=200)


class Places:
    """The places at one target, shared by the threads of a process. Who gets one gives it back with `leave`.

    `take` waits a moment where deliveries are short, and otherwise names the moment to ask again: each who asks gets one of
    their own, so that a slow target does not keep the workers busy with those who wait for it.
    """

    def __init__(self, most: int) -> None:
        self._limits = Limits(max_parallel=most)
        self._taken = 0
        self._turns = Turns()
        self._free = threading.Condition()

    def allow(self, most: int) -> None:
        """Another number from now on, after a change of the configuration."""
        with self._free:
            self._limits = Limits(max_parallel=most)
            self._free.notify_all()

    def take(self, *, now: datetime, has_waited: bool) -> datetime | None:
        """None when there is a place, which is taken then; else when to ask again."""
        with self._free:
            deed = self._turns.deed
            if deed and deed < _SHORT:
                self._free.wait_for(lambda: self._taken < (self._limits.max_parallel or 1), deed.total_seconds() * 2)
            self._turns, again = ask(self._turns, self._limits, under_way=self._taken, has_waited=has_waited, now=now)
            if again is None:
                self._taken += 1
            return again

    def leave(self, lasted: timedelta) -> None:
        """The call has ended, and took so long."""
        with self._free:
            self._taken -= 1
            self._turns = self._turns.after_deed(lasted)
            self._free.notify()
