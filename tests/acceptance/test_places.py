"""A connector that bears one Zustellung at a time gets one at a time, however many threads a worker has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intermediary.connect.places import Places
from intermediary.core.states import NachrichtState as N
from intermediary.core.states import ZustellungState as Z
from intermediary.store import Store
from tests.acceptance.target_hall import SECOND, Hall
from tests.conformance.store_kit import bench_in


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    bench = bench_in(tmp_path)
    yield bench.open()
    bench.close()


def test_who_finds_no_place_waits_for_its_turn(store: Store) -> None:
    """Nothing is sent and no attempt used up; once the place is free it is delivered, without anybody's help."""
    hall = Hall([store])
    places = Places(1)
    opened: Any = hall._deliverers[0]._target("", "", "")
    hall._deliverers[0]._target = lambda *_: replace(opened, places=places)
    [own] = hall.take(1)
    assert places.take(now=hall.clock.now, has_waited=False) is None  # another thread is at it
    hall.work()

    [held] = store.zustellungen(own)
    assert (Z.DUE, "target.limited", 0) == (held.state, held.code, held.attempts)
    assert [] == hall.target.calls

    places.leave(SECOND)
    hall.clock.now += 2 * SECOND
    hall.work()
    assert N.COMPLETED is store.get(own).state
    assert places.take(now=hall.clock.now, has_waited=True) is None  # given back after the delivery
