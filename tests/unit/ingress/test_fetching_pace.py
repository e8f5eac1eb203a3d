"""How soon a post box is visited again, and how long a stuck delivery is left alone."""

from __future__ import annotations

import pytest

from intermediary.ingress.fetching.pace import Pace, Rhythm
from intermediary.ingress.fetching.stuck import Stuck


def test_waits_double_and_start_anew() -> None:
    """Empty: twice as long up to the limit; after a delivery from the beginning; at once while more is waiting."""
    pace = Pace(Rhythm(2, 10), lambda: 0.5)

    assert [2, 4, 8, 10, 10] == [pace.after_visit(kept=0, has_more=False) for _ in range(5)]
    assert [0, 2, 2] == [pace.after_visit(kept=1, has_more=more) for more in (True, False, False)]
    assert [0, 2, 4] == [
        pace.after_visit(kept=0, has_more=True),
        pace.after_visit(kept=0, has_more=False),
        pace.after_nothing(),
    ]


def test_waits_are_spread() -> None:
    """A fifth to both sides, so that many post boxes do not knock at once."""
    low, high = Pace(Rhythm(10, 60), lambda: 0.0), Pace(Rhythm(10, 60), lambda: 1.0)

    assert pytest.approx(8) == low.after_nothing()
    assert pytest.approx(12) == high.after_nothing()


@pytest.mark.parametrize(("least", "most"), [(0, 1), (5, 4), (-1, 3)])
def test_an_impossible_rhythm(least: float, most: float) -> None:
    """Nobody polls without a pause or faster when it is empty."""
    with pytest.raises(ValueError):
        Rhythm(least, most)


def test_a_stuck_delivery_is_left_alone_longer_each_time() -> None:
    """A minute, doubled, six hours at most; forgotten when it is settled or gone."""
    stuck = Stuck()
    waits = [stuck.add("a", 0) for _ in range(11)]

    assert [60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600, 21600] == waits
    assert (True, False) == (stuck.waits("a", 21599), stuck.waits("a", 21600))
    assert not stuck.waits("b", 0)
    stuck.add("b", 0)
    stuck.keep_only(["b", "c"])
    assert 1 == len(stuck)
    stuck.settle("b")
    assert 0 == len(stuck)
