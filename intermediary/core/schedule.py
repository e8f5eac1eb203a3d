"""When to try again: exponential back-off with full jitter, under a deadline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

RISK_SHARE = 0.9
"""Work is at risk when this share of its deadline is used up."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The waiting times of one kind of work; `deadline` counts from the moment of receipt."""

    first: timedelta = timedelta(seconds=10)
    longest: timedelta = timedelta(hours=6)
    deadline: timedelta = timedelta(hours=72)

    def next_try(self, *, attempts: int, now: datetime, jitter: float, at_least: timedelta | None = None) -> datetime:
        """The moment of the next attempt after `attempts` failed ones.

        `jitter` is drawn by the caller, uniform in [0, 1): the wait is spread over the whole back-off window, so that
        many waiting messages do not return at once. `at_least` is what the other side asked for (Retry-After), up to
        the longest wait.
        """
        _demand_aware(now)
        if not 0 <= jitter < 1:
            raise ValueError("jitter lies in [0, 1)")
        doublings = min(max(attempts, 1) - 1, 40)
        window = min(self.longest, self.first * (1 << doublings))
        return now + max(window * jitter, min(at_least or timedelta(0), self.longest))

    def is_over(self, *, received_at: datetime, now: datetime) -> bool:
        """Whether the deadline has passed: only a person moves such work on."""
        _demand_aware(received_at)
        _demand_aware(now)
        return now - received_at >= self.deadline


def _demand_aware(moment: datetime) -> None:
    if moment.tzinfo is None:
        raise ValueError("times carry a time zone")
