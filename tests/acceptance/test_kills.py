"""A short run of the soak: the daemon is killed at random moments and nothing is lost or delivered twice."""

from __future__ import annotations

import os

import pytest

from intermediary.testing.servers import RabbitMissing
from tests.soak.daemon_kills import run


def test_kills_lose_nothing_and_double_nothing(tmp_path):
    """80 sealed messages, two workers, four kills: every promise of the long run holds."""
    try:
        report = run(tmp_path, messages=80, kills=4, seed=int(os.environ.get("INTERMEDIARY_SEED", "7")))
    except RabbitMissing as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))

    assert () == report.violations
    assert {"completed": 80} == report.states
