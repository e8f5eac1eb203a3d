"""Fixtures of the conformance suites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from intermediary.store import Store
from tests.conformance.store_kit import ENGINES, Bench, bench_in


@pytest.fixture(params=ENGINES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """An installation on each engine in turn."""
    url = request.getfixturevalue("postgres").database() if request.param == "postgresql" else ""
    made = bench_in(tmp_path, url)
    yield made
    made.close()


@pytest.fixture
def store(bench: Bench) -> Store:
    """A freshly opened store."""
    return bench.open()
