"""Two gibibytes through a real daemon, by every door that takes files (DESIGN §7)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.large import MOST_KIBIBYTES, travel
from bench.ways import AsFile, AtEndpoint, ByClaim, Way
from intermediary.testing.servers import PrivateRabbit

pytestmark = pytest.mark.soak

TWO_GIBIBYTES = 2 << 30


@pytest.mark.parametrize("way", [AsFile, AtEndpoint])
def test_two_gibibytes(way: Callable[[], Way], tmp_path: Path) -> None:
    """Accepted, opened and delivered whole, with less than 256 MiB in every process."""
    journey = travel(tmp_path, TWO_GIBIBYTES, way=way())

    assert journey.is_whole
    assert {} == {role: peak for role, peak in journey.peaks.items() if peak >= MOST_KIBIBYTES}


def test_two_gibibytes_by_claim(tmp_path: Path) -> None:
    """The same when a queue only refers to the file."""
    with PrivateRabbit() as rabbit:
        journey = travel(tmp_path, TWO_GIBIBYTES, way=ByClaim(rabbit.url))

    assert journey.is_whole
    assert {} == {role: peak for role, peak in journey.peaks.items() if peak >= MOST_KIBIBYTES}
