"""A steady rate: never more than it says, never in lumps, and no stand-still after a clock was set back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.pace import BURST, allowance

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@given(
    per_second=st.integers(1, 500),
    looks=st.lists(st.integers(0, 5_000), min_size=1, max_size=40),
    most=st.integers(1, 60),
)
def test_no_second_has_more_than_the_rate_and_one_burst(per_second: int, looks: list[int], most: int) -> None:
    """Whenever somebody looks: over the whole time the rate holds, but for what one burst makes up."""
    interval, next_at, now, done = SECOND / per_second, START, START, 0
    for milliseconds in looks:
        now += timedelta(milliseconds=milliseconds)
        count, start = allowance(interval=interval, next_at=next_at, now=now, most=most)
        next_at = start + count * interval
        done += count

    assert done <= (now - START) / interval + 1
    assert next_at <= now + interval


def test_each_has_its_moment() -> None:
    """One at once, the next after the interval, and not a moment earlier."""
    asked = [
        allowance(interval=SECOND, next_at=START + SECOND, now=START + step, most=9)[0]
        for step in (SECOND / 2, SECOND * 0.999, SECOND)
    ]

    assert [0, 0, 1] == asked


def test_a_stand_still_is_not_made_up_for() -> None:
    """After an hour without the store, at most a second's worth goes at once."""
    count, start = allowance(interval=SECOND / 10, next_at=START, now=START + timedelta(hours=1), most=1_000)

    assert (11, START + timedelta(hours=1) - BURST) == (count, start)


def test_a_clock_that_was_set_back_stops_nothing() -> None:
    """The stored moment lies ahead further than one interval: it counts as now."""
    assert (1, START) == allowance(interval=SECOND, next_at=START + timedelta(days=1), now=START, most=9)


def test_no_interval_is_no_limit() -> None:
    """As many as fit into one step."""
    assert (50, START) == allowance(interval=timedelta(0), next_at=START, now=START, most=50)
