"""Fixtures of the conformance suites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from intermediary.store import Store
from tests.conformance.store_kit import ENGINES, Bench


@pytest.fixture(params=sorted(ENGINES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """An installation on each engine in turn."""
    made = ENGINES[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def store(bench: Bench) -> Store:
    """A freshly opened store."""
    return bench.open()
