"""How often a partner sent what cannot be decrypted, or read: whoever does it too often has to wait (rule R3)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

FAILURES_PER_HOUR = 20
"""So often an endpoint tells one partner that something cannot be decrypted."""

_HOUR = 3600.0
_MOST_PARTNERS = 10_000


@dataclass(slots=True)
class _Allowance:
    left: float
    since: float
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """What operators are told: the event of the log, and the code that says what to do."""

    event: str
    code: str


class Failures:
    """So many failures per hour and partner, then one more for each that the hour gives back; safe for all threads.

    A padding oracle needs thousands of questions. Who runs out is told to the operators once, until the allowance is full
    again; `suspects` is how many are out of it now.
    """

    def __init__(self, channel: str, alarm: Alarm, *, per_hour: int, ticks: Callable[[], float]) -> None:
        self._channel = channel
        self._alarm = alarm
        self._per_hour = per_hour
        self._ticks = ticks
        self._lock = threading.Lock()
        self._partners: OrderedDict[str, _Allowance] = OrderedDict()

    def wait_seconds(self, partner: str) -> float:
        """How long this partner has to wait; 0 when it need not."""
        with self._lock:
            allowance = self._refilled(partner)
            return 0.0 if allowance.left >= 1 else (1 - allowance.left) * _HOUR / self._per_hour

    def count(self, partner: str) -> None:
        """One more failure of this partner."""
        with self._lock:
            allowance = self._refilled(partner)
            allowance.left = max(0.0, allowance.left - 1)
            if allowance.left >= 1 or allowance.is_told:
                return
            allowance.is_told = True
        log.error(self._alarm.event, channel=self._channel, count=self._per_hour, code=self._alarm.code)

    @property
    def suspects(self) -> int:
        """How many partners have used up their allowance and not got it back whole."""
        with self._lock:
            return sum(self._refilled(partner).is_told for partner in tuple(self._partners))

    def _refilled(self, partner: str) -> _Allowance:
        now = self._ticks()
        allowance = self._partners.setdefault(partner, _Allowance(self._per_hour, now))
        allowance.left = min(self._per_hour, allowance.left + (now - allowance.since) * self._per_hour / _HOUR)
        allowance.since = now
        if allowance.left >= self._per_hour:
            allowance.is_told = False
        self._partners.move_to_end(partner)
        while len(self._partners) > _MOST_PARTNERS:
            self._partners.popitem(last=False)
        return allowance
