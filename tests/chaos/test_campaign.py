"""A short selection of the chaos: every kind of fault at least once, on both engines; the matrix is in the soak."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from intermediary.testing.postgres import PostgresMissing
from intermediary.testing.servers import RabbitMissing
from tests.chaos.campaign import POSTGRESQL, SQLITE, Plan, run
from tests.chaos.disk import MountForbidden, dry
from tests.chaos.syscalls import TraceForbidden, sweep
from tests.chaos.ways import RABBIT, threads

SEED = int(os.environ.get("INTERMEDIARY_SEED", "7"))
PATIENCE_SECONDS = 600.0
PLANS = {
    SQLITE: Plan(SQLITE, SEED, kills=6, stops=2, patience=PATIENCE_SECONDS),
    POSTGRESQL: Plan(
        POSTGRESQL,
        SEED,
        kills=3,
        broker_kills=1,
        database_kills=2,
        moods=1,
        network_faults=4,
        patience=PATIENCE_SECONDS,
    ),
}


@pytest.mark.parametrize("engine", PLANS)
def test_a_campaign_breaks_no_promise(tmp_path: Path, engine: str) -> None:
    """Killed at random and chosen points while broker, database and network fall: nothing lost, nothing doubled."""
    try:
        report = run(PLANS[engine], tmp_path)
    except (RabbitMissing, PostgresMissing) as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))

    assert [] == report.findings
    assert report.faults["kill"] >= PLANS[engine].kills
    assert report.effects > 0


def test_a_kill_at_a_system_call_breaks_no_promise(tmp_path: Path) -> None:
    """The first of each kind that makes something durable; the soak goes through all of them."""
    try:
        result = sweep(SQLITE, tmp_path, calls=("fdatasync", "fsync"), errors=("fdatasync",), most=1)
    except TraceForbidden as forbidden:
        pytest.skip(str(forbidden))

    assert [] == result.findings
    assert 3 == sum(result.struck.values())


def test_the_lines_to_broker_and_database_are_struck_by_themselves(tmp_path: Path) -> None:
    """The first thing each thread sends: the tracer's count of one thread hides no call of another."""
    try:
        result = sweep(POSTGRESQL, tmp_path, way=RABBIT, calls=("sendto",), most=1)
    except (TraceForbidden, RabbitMissing, PostgresMissing) as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1" and not isinstance(missing, TraceForbidden):
            pytest.fail(str(missing))
        pytest.skip(str(missing))

    assert [] == result.findings
    assert {f"{thread}: sendto signal=KILL": 1 for thread in threads(RABBIT, POSTGRESQL)} == result.struck


def test_a_full_disk_breaks_no_promise(tmp_path: Path) -> None:
    """Full to the last byte twice, killed once meanwhile: it goes on by itself when there is room."""
    try:
        result = dry(SQLITE, tmp_path, times=2, kills=1, seed=SEED)
    except MountForbidden as forbidden:
        pytest.skip(str(forbidden))

    assert [] == result.findings
    assert (2, True) == (result.fulls, result.effects > 0)
