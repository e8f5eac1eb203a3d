"""The checker finds what it is there for: each planted bug is called by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from intermediary.testing.servers import RabbitMissing
from tests.chaos.campaign import SQLITE, Plan, run
from tests.chaos.checker import kinds
from tests.chaos.plants import PLANTS
from tests.chaos.syscalls import TraceForbidden, sweep
from tests.chaos.ways import RABBIT

_CASES = {
    "early-ack": (Plan(kills=2, ways="taken"), "lost"),
    "new-key": (Plan(share=0.25, least_effects=24), "key-changed"),
    "drop-on-500": (Plan(share=0.25, least_effects=24), "not-arrived"),
    "late-audit": (Plan(kills=2, ways="commit"), "audit-broken"),
    "double-claim": (Plan(share=0.0, bold=1.0, least_effects=6), "doubled"),
}


@pytest.mark.parametrize("plant", _CASES)
def test_a_planted_bug_is_found(tmp_path: Path, plant: str) -> None:
    """A daemon that breaks a promise on purpose does not pass."""
    plan, kind = _CASES[plant]

    report = run(replace(plan, plant=plant, pace=0.08, patience=30.0), tmp_path)

    assert kind in report.kinds


def test_an_acknowledgement_before_the_commit_is_found_by_its_system_calls(tmp_path: Path) -> None:
    """Killed at one of the calls that make a message durable, when the broker has been told already: it is lost."""
    try:
        result = sweep(SQLITE, tmp_path, way=RABBIT, calls=("fdatasync",), most=3, plant="ack-first")
    except (TraceForbidden, RabbitMissing) as missing:
        pytest.skip(str(missing))

    assert "lost" in kinds(result.findings)


def test_every_plant_has_its_test() -> None:
    """A bug that can be planted is looked for by a campaign or by a sweep."""
    assert {*_CASES, "ack-first"} == set(PLANTS)
