"""How many of something may be done now at a steady rate: pure, so that the rate survives restarts in one stored moment."""

from __future__ import annotations

from datetime import datetime, timedelta

BURST = timedelta(seconds=1)
"""What was missed for longer is not made up for: a rate is a promise to whoever is at the other end."""


def allowance(*, interval: timedelta, next_at: datetime, now: datetime, most: int) -> tuple[int, datetime]:
    """How many may be done now, at most `most`, and the moment that the first of them counts from.

    `next_at` is the stored moment of the next one; whoever did `n` stores the returned moment plus `n` intervals. An
    interval of zero knows no limit. A `next_at` further ahead than one interval comes from a clock that was set back,
    and counts as now.
    """
    if not interval:
        return most, now
    start = now if next_at - now > interval else max(next_at, now - BURST)
    if start > now:
        return 0, start
    return min(most, (now - start) // interval + 1), start
