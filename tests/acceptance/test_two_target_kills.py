"""A short run of the soak with two targets: killed while it works, and each target has everything once."""

from __future__ import annotations

import os
from pathlib import Path

from tests.soak.two_target_kills import run


def test_kills_double_nothing_at_either_target(tmp_path: Path) -> None:
    """30 sealed messages, two targets each, two kills: every promise of the long run holds."""
    report = run(tmp_path, messages=30, kills=2, seed=int(os.environ.get("INTERMEDIARY_SEED", "7")))

    assert () == report.violations
    assert 30 == report.states["completed"] + report.refused
