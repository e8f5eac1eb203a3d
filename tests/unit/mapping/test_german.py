"""German legal time and writing, without a time zone database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from intermediary.mapping.german import local, write_bytes, write_moment


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), "29.03.2026, 01:59 Uhr (MEZ)"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "29.03.2026, 03:00 Uhr (MESZ)"),
        (datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC), "25.10.2026, 02:59 Uhr (MESZ)"),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), "25.10.2026, 02:00 Uhr (MEZ)"),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "01.01.2027, 00:30 Uhr (MEZ)"),
        (datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=9))), "01.07.2026, 05:00 Uhr (MESZ)"),
    ],
)
def test_moments_are_german(moment: datetime, written: str) -> None:
    """Summer time begins and ends on the last Sundays of March and October at 01:00 UTC."""
    assert written == write_moment(moment)


def test_the_rule_agrees_with_the_database() -> None:
    """Where a time zone database is at hand, every sixth hour of forty years has its offset."""
    try:
        berlin = ZoneInfo("Europe/Berlin")
    except ZoneInfoNotFoundError:
        pytest.skip("no time zone database on this machine")
    start = datetime(1997, 1, 1, tzinfo=UTC)
    wrong = [
        moment
        for hours in range(0, 40 * 365 * 24, 6)
        if local(moment := start + timedelta(hours=hours)).utcoffset() != moment.astimezone(berlin).utcoffset()
    ]

    assert [] == wrong


def test_naive_moments_are_refused() -> None:
    """A moment without a time zone is refused at the door."""
    with pytest.raises(ValueError, match="time zone"):
        local(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("length", "written"),
    [
        *((0, "0 Bytes"), (1, "1 Byte"), (999, "999 Bytes")),
        *((1000, "1,0 kB"), (1449, "1,4 kB"), (1_450_000, "1,5 MB"), (2 * 10**9, "2,0 GB")),
    ],
)
def test_sizes_are_readable(length: int, written: str) -> None:
    """Sizes have one decimal and a comma."""
    assert written == write_bytes(length)
