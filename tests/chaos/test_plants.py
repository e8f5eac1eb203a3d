"""The checker finds what it is there for: each planted bug is called by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.campaign import Plan, run
from tests.chaos.plants import PLANTS

_CASES = {
    "early-ack": (Plan(kills=2, ways="taken"), "lost"),
    "new-key": (Plan(share=0.25, least_effects=24), "key-changed"),
    "drop-on-500": (Plan(share=0.25, least_effects=24), "not-arrived"),
    "late-audit": (Plan(kills=2, ways="commit"), "audit-broken"),
    "double-claim": (Plan(share=0.0, bold=1.0, least_effects=6), "doubled"),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_bug_is_found(tmp_path: Path, plant: str) -> None:
    """A daemon that breaks a promise on purpose does not pass."""
    plan, kind = _CASES[plant]

    report = run(replace(plan, plant=plant, pace=0.08, patience=30.0), tmp_path)

    assert kind in report.kinds
