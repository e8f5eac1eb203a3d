"""Places at a target: as many as its connector bears, and a turn of their own for those who find none."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from intermediary.connect.places import Places

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def take(places: Places, at: datetime = NOW, *, has_waited: bool = False) -> datetime | None:
    return places.take(now=at, has_waited=has_waited)


def test_no_more_than_the_connector_bears() -> None:
    """Each who comes too many gets a later turn than the one before, so that they do not all come again at once."""
    places = Places(2)
    assert take(places) is None
    places.leave(30 * SECOND)
    assert [None, None] == [take(places), take(places)]
    turns = [turn for turn in (take(places) for _ in range(3)) if turn is not None]

    assert 3 == len(turns)
    assert NOW < turns[0] < turns[1] < turns[2] <= NOW + 3 * 30 * SECOND


def test_a_place_given_back_is_taken_by_who_has_waited() -> None:
    """Whoever comes anew goes behind those who have a turn already."""
    places = Places(1)
    assert take(places) is None
    turn = take(places)
    assert turn is not None
    places.leave(SECOND)

    assert take(places, NOW) is not None
    assert take(places, turn, has_waited=True) is None


def test_where_deliveries_are_short_one_waits_for_the_next() -> None:
    """A place that comes free in a moment is worth more than another look into the store."""
    places = Places(1)
    assert take(places) is None
    places.leave(timedelta(milliseconds=150))
    assert take(places) is None
    got: list[datetime | None] = []
    waiting = threading.Thread(target=lambda: got.append(take(places)))
    waiting.start()
    places.leave(timedelta(milliseconds=150))
    waiting.join(10)

    assert [None] == got


def test_another_number_holds_at_once() -> None:
    """After a change of the configuration."""
    places = Places(1)
    assert take(places) is None
    places.allow(2)

    assert take(places) is None
    assert take(places) is not None
