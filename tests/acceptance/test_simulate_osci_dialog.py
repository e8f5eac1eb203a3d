"""A short run of the dialog soak: daemon and intermediary are killed in turn, every delivery comes through once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.soak.osci_dialog import run

SEED = int(os.environ.get("INTERMEDIARY_SEED", "7"))


@pytest.mark.parametrize(("messages", "kills", "is_chunked"), [(24, 2, False), (16, 1, True)])
def test_kills_of_both_sides_lose_nothing_and_double_nothing(
    tmp_path: Path, messages: int, kills: int, *, is_chunked: bool
) -> None:
    """Some kills of each side, deliveries whole or in chunks: every promise of the long run holds."""
    report = run(tmp_path, messages=messages, kills=kills, seed=SEED, is_chunked=is_chunked)

    assert () == report.violations
    assert {"completed": messages} == report.states
    assert (kills, kills) == (sum(report.daemon_kills.values()), sum(report.simulator_kills.values()))
