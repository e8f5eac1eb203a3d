"""Schedule: back-off, jitter, deadline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.schedule import Schedule

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@given(attempts=st.integers(0, 10_000), jitter=st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_longer_than_the_longest(attempts, jitter):
    """However many attempts failed, the next one comes within the longest wait."""
    schedule = Schedule()

    wait = schedule.next_try(attempts=attempts, now=NOW, jitter=jitter) - NOW

    assert timedelta(0) <= wait <= schedule.longest


def test_the_window_doubles():
    """Each further failure doubles the window the wait is drawn from."""
    schedule = Schedule(first=timedelta(seconds=10))

    waits = [schedule.next_try(attempts=n, now=NOW, jitter=0.5) - NOW for n in (1, 2, 3, 4)]

    assert [5, 10, 20, 40] == [wait.total_seconds() for wait in waits]


def test_retry_after_is_honoured():
    """The other side's wish for more time wins over a shorter wait of ours."""
    wait = Schedule().next_try(attempts=1, now=NOW, jitter=0.0, at_least=timedelta(minutes=3)) - NOW

    assert timedelta(minutes=3) == wait


def test_a_naive_time_is_refused():
    """Times without a zone are refused at the door."""
    with pytest.raises(ValueError, match="time zone"):
        Schedule().next_try(attempts=1, now=datetime(2026, 1, 1), jitter=0)  # noqa: DTZ001


def test_the_deadline_ends_it():
    """At the deadline, not before, the work is over."""
    schedule = Schedule(deadline=timedelta(hours=72))

    assert not schedule.is_over(received_at=NOW, now=NOW + timedelta(hours=72) - timedelta(microseconds=1))
    assert schedule.is_over(received_at=NOW, now=NOW + timedelta(hours=72))
