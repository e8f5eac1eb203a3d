"""A short run of the soak: a job is broken off by kills and ordered twice, and has one effect on each message."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from intermediary.testing.pki import Pki
from intermediary.testing.postgres import PostgresMissing
from tests.soak.bulk_replay import run


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_job_survives_kills_without_a_second_effect(tmp_path: Path, pki: Pki, engine: str) -> None:
    """24 messages, two kills in the middle of the job: exactly one new package for each."""
    seed = int(os.environ.get("INTERMEDIARY_SEED", "7"))
    try:
        report = run(tmp_path, messages=24, kills=2, seed=seed, rate=3, engine=engine, workers=1, pki=pki)
    except PostgresMissing as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))

    assert () == report.violations
    assert (24, 48) == (report.packages_before, report.packages_after)
    assert report.kills
