"""The checker finds what it is there for: each planted bug is called by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.campaign import Plan, run

_CASES = {
    "early-ack": (Plan(kills=2, ways="taken", pace=0.03), "lost"),
    "new-key": (Plan(share=0.5, least_effects=12, pace=0.03), "key-changed"),
    "drop-on-500": (Plan(share=0.6, least_effects=12, pace=0.03), "not-arrived"),
    "late-audit": (Plan(kills=2, ways="commit", pace=0.03), "audit-broken"),
    "double-claim": (Plan(share=0.0, bold=1.0, least_effects=12, pace=0.03), "doubled"),
}


@pytest.mark.parametrize("plant", _CASES)
def test_a_planted_bug_is_found(tmp_path: Path, plant: str) -> None:
    """A daemon that breaks a promise on purpose does not pass."""
    from dataclasses import replace

    plan, kind = _CASES[plant]

    report = run(replace(plan, plant=plant, patience=15.0), tmp_path)

    assert kind in report.kinds
