"""How fast a target is given what waits: limits over any minute, and the return after a rest."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.turns import Limits, Return, Turns, ask, let_go

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def passes(arrivals: list[int], limits: Limits, late: list[int]) -> tuple[list[datetime], int]:
    """When each passes that comes at these milliseconds and again at its turn, a little late; and how often they asked."""
    turns, passed, asked = Turns(), [], 0
    coming = [(NOW + timedelta(milliseconds=at), number, False) for number, at in enumerate(arrivals)]
    heapq.heapify(coming)
    while coming:
        now, number, has_waited = heapq.heappop(coming)
        turns, again = ask(turns, limits, under_way=0, has_waited=has_waited, now=now)
        asked += 1
        if again is None:
            passed.append(now)
        else:
            assert again > now
            heapq.heappush(coming, (again + timedelta(milliseconds=late[asked % len(late)]), number, True))
    return passed, asked


@given(
    st.lists(st.integers(0, 90_000), min_size=1, max_size=120),
    st.integers(1, 240),
    st.lists(st.integers(0, 900), min_size=1, max_size=7),
)
def test_in_no_minute_more_than_allowed(arrivals: list[int], most: int, late: list[int]) -> None:
    """However they come and however late they are, every window of a minute holds at most `max_per_minute`."""
    passed, _ = passes(arrivals, Limits(max_per_minute=most), late)

    assert len(arrivals) == len(passed)
    assert all(sum(one <= other < one + MINUTE for other in passed) <= most for one in passed)


def test_a_crowd_passes_at_the_rate_and_asks_seldom() -> None:
    """A thousand at once need the time their number needs, and hardly one of them asks more than twice."""
    passed, asked = passes([0] * 1000, Limits(max_per_minute=600), [0, 40, 90])

    assert timedelta(seconds=100) <= passed[-1] - NOW <= timedelta(seconds=110)
    assert asked <= 2200


def test_who_comes_first_passes_first() -> None:
    """Whoever comes while others wait goes behind them."""
    limits, turns = Limits(max_per_minute=30), Turns()
    turns, first = ask(turns, limits, under_way=0, has_waited=False, now=NOW)
    turns, second = ask(turns, limits, under_way=0, has_waited=False, now=NOW)
    assert second is not None
    turns, late = ask(turns, limits, under_way=0, has_waited=False, now=second - SECOND / 10)
    turns, at_turn = ask(turns, limits, under_way=0, has_waited=True, now=second)

    assert (None, None) == (first, at_turn)
    assert late is not None
    assert late > second


@pytest.mark.parametrize(("under_way", "may"), [(0, True), (1, True), (2, False), (5, False)])
def test_no_more_at_the_same_time(under_way: int, *, may: bool) -> None:
    """A target with all its places taken is asked again later."""
    _, again = ask(Turns(), Limits(max_parallel=2), under_way=under_way, has_waited=False, now=NOW)

    assert may is (again is None)


def test_turns_at_a_full_target_follow_its_pace() -> None:
    """Those who wait come round one after the other, as fast as deliveries end there."""
    turns, moments = Turns().after_deed(SECOND * 4).after_deed(SECOND * 4), []
    for _ in range(3):
        turns, again = ask(turns, Limits(max_parallel=2), under_way=2, has_waited=False, now=NOW)
        moments.append(again)

    assert [NOW + SECOND * 2, NOW + SECOND * 4, NOW + SECOND * 6] == moments


def test_a_clock_that_was_set_back_stops_nobody() -> None:
    """A first moment far ahead can only come from another clock."""
    turns, _ = ask(Turns(), Limits(max_per_minute=60), under_way=0, has_waited=False, now=NOW + timedelta(days=2))
    _, again = ask(turns, Limits(max_per_minute=60), under_way=0, has_waited=False, now=NOW)

    assert again is None


@given(st.integers(1, 6000), st.lists(st.integers(100, 3000), min_size=20, max_size=200))
def test_the_return_is_no_storm(normal: int, steps: list[int]) -> None:
    """However often and irregularly it is asked, no minute lets go more than the target's normal rate, or one a second."""
    progress, now, gone = Return(), NOW, []
    for step in steps:
        progress, count = let_go(progress, normal_per_minute=normal, now=now)
        gone.append((now, count))
        now += timedelta(milliseconds=step)

    most = max(normal, 60)
    for begin, _ in gone:
        assert sum(count for at, count in gone if begin <= at < begin + MINUTE) <= most + max(1, most / 60) * 2


def test_an_unknown_target_gets_more_and_more() -> None:
    """Where nobody knows a normal rate it begins with one a second and doubles every five: a backlog comes to an end."""
    progress, total, seconds = Return(), 0, 0
    while total < 10_000:
        progress, count = let_go(progress, normal_per_minute=None, now=NOW + seconds * SECOND)
        total, seconds = total + count, seconds + 1
        assert seconds > 5 or total <= 10

    assert seconds < 90


def test_a_return_begins_anew_after_a_break() -> None:
    """What was let go long ago gives no claim to a high rate now."""
    progress = Return()
    for second in range(40):
        progress, _ = let_go(progress, normal_per_minute=None, now=NOW + second * SECOND)
    _, count = let_go(progress, normal_per_minute=None, now=NOW + timedelta(hours=1))

    assert 1 == count
