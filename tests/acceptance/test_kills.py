"""A short run of the soak: the daemon is killed at random moments and nothing is lost or delivered twice."""

from __future__ import annotations

import os

import pytest

from intermediary.testing.postgres import PostgresMissing
from intermediary.testing.servers import RabbitMissing
from tests.soak.daemon_kills import run


@pytest.mark.parametrize(("engine", "database_kills"), [("sqlite", 0), ("postgresql", 4)])
def test_kills_lose_nothing_and_double_nothing(tmp_path, engine, database_kills):
    """80 sealed messages, two workers, four kills, as many of the database: every promise of the long run holds."""
    seed = int(os.environ.get("INTERMEDIARY_SEED", "7"))
    try:
        report = run(tmp_path, messages=80, kills=4, seed=seed, engine=engine, database_kills=database_kills)
    except (RabbitMissing, PostgresMissing) as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))

    assert () == report.violations
    assert {"completed": 80} == report.states
