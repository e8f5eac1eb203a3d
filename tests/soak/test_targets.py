"""A thousand Nachrichten wait ten minutes for a target, over two hosts, on both engines (G9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.core.states import NachrichtState
from tests.acceptance.target_hall import Hall, outage
from tests.conformance.store_kit import ENGINES, bench_in

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("engine", ENGINES)
def test_a_thousand_wait_for_a_target(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A dozen calls without it, no attempt or claim for nothing; afterwards twice the normal rate at most, none doubled."""
    bench = bench_in(tmp_path, request.getfixturevalue("postgres").database() if engine == "postgresql" else "")
    store = bench.open()
    figures = outage(Hall([store, bench.open()]), 1000)
    print(figures)

    assert figures.calls == figures.attempts <= 12
    assert figures.claims <= 1000 + 30
    assert figures.waiting >= 985
    assert figures.arrived == 1120
    assert figures.busiest_minute <= 2 * 120
    assert {NachrichtState.COMPLETED} == {one.state for one in store.find()}
    bench.close()
