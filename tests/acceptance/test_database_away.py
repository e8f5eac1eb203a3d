"""The database falls while the daemon works: nothing is taken that is not kept, and the daemon goes on by itself (F5)."""

from __future__ import annotations

import os
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from intermediary.core.faults import Transient
from intermediary.core.states import NachrichtState
from intermediary.operations.prove import verify_installation
from intermediary.osci.write.seal import seal
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.samples import sample_letter
from intermediary.wiring import Installation, open_installation, utc_now
from tests.acceptance.daemon import Daemon, wait_until
from tests.soak.daemon_kills import Consumer

MESSAGES = 40
SHARE = 8
COMPLETED = (NachrichtState.COMPLETED, "")


@pytest.fixture
def site(tmp_path: Path, pki: Pki, postgres: PrivatePostgres) -> Site:
    """An installation on PostgreSQL."""
    made = make_site(tmp_path / "site", now=utc_now(), settings=golden_settings(), pki=pki)
    made.use_database(postgres.database())
    return made


@pytest.fixture
def installation(site: Site) -> Iterator[Installation]:
    """The same installation, to look at what the daemon does."""
    opened = open_installation(site.config)
    yield opened
    opened.store.close()


@pytest.fixture
def daemon(site: Site) -> Iterator[Daemon]:
    """A daemon with two worker processes."""
    started = Daemon(site.config, log=site.folder / "daemon.log", temporary=site.folder, arguments=("--workers", "2"))
    yield started
    started.kill()


def _hand_in(site: Site, numbers: range) -> None:
    for number in numbers:
        now = utc_now()
        body = seal(sample_letter(number, now=now), parties=site.pki.parties, random=secrets.token_bytes, now=now)
        hidden = site.inbox / f".{number}"
        hidden.write_bytes(body)
        hidden.rename(site.inbox / f"{number}.osci")


def _check(site: Site, installation: Installation, seen: Counter[str], messages: int) -> None:
    packages = Counter({name: count for name, count in seen.items() if name.endswith(".zip")})
    assert {COMPLETED: messages} == installation.store.counts()
    assert (messages, {1}) == (len(packages), set(packages.values()))
    assert [] == list(site.inbox.iterdir())
    assert [] == list((site.folder / "data/blobs/incoming").iterdir())
    report = verify_installation(installation)
    assert report.is_ok, report.problems


def _completed(installation: Installation) -> int:
    """How many are delivered; asked again where the cut has taken a connection of our own."""
    for _ in range(10):
        with suppress(Transient):
            return installation.store.counts().get(COMPLETED, 0)
    raise AssertionError("the database stays away")


def test_lost_connections_lose_nothing(
    site: Site, installation: Installation, daemon: Daemon, postgres: PrivatePostgres
) -> None:
    """Every connection is ended again and again, at any line of any transaction; the daemon is never restarted."""
    dice = random.Random(int(os.environ.get("INTERMEDIARY_SEED", "7")))
    database = (site.folder / "secrets/store.url").read_text().rpartition("/")[2]
    cuts = 0
    daemon.wait_for("daemon.started")
    with Consumer(site.drop) as consumer:
        for first in range(0, MESSAGES, SHARE):
            reached = _completed(installation) + 1 + dice.randrange(SHARE // 2)
            _hand_in(site, range(first, first + SHARE))
            wait_until(lambda at=reached: _completed(installation) >= at, "some progress")
            cuts += postgres.disconnect(database) > 1
        wait_until(lambda: _completed(installation) == MESSAGES, "everything is delivered")
        wait_until(lambda: not installation.store.count_unsealed(1), "everything is sealed")
        assert 0 == daemon.stop()

    assert cuts >= 3
    assert 1 == daemon.said("daemon.started")
    _check(site, installation, consumer.seen, MESSAGES)


def test_a_killed_server_stops_the_taking_and_nothing_else(
    site: Site, installation: Installation, daemon: Daemon, postgres: PrivatePostgres
) -> None:
    """SIGKILL to the postmaster: what comes meanwhile stays in the inbox, and is taken when the server is back."""
    store = installation.store
    daemon.wait_for("daemon.started")
    with Consumer(site.drop) as consumer:
        _hand_in(site, range(MESSAGES // 2))
        wait_until(lambda: store.counts().get(COMPLETED, 0) >= 3, "the first deliveries")
        postgres.kill()
        _hand_in(site, range(MESSAGES // 2, MESSAGES))
        daemon.wait_for("store.away", 3)
        waiting = len(list(site.inbox.glob("*.osci")))
        postgres.restart()
        wait_until(lambda: store.counts().get(COMPLETED, 0) == MESSAGES, "everything is delivered")
        wait_until(lambda: not store.count_unsealed(1), "everything is sealed")
        assert 0 == daemon.stop()

    assert waiting >= MESSAGES // 2
    assert 1 == daemon.said("daemon.started")
    _check(site, installation, consumer.seen, MESSAGES)


def test_a_daemon_that_comes_up_first_waits_for_the_database(
    site: Site, installation: Installation, postgres: PrivatePostgres
) -> None:
    """After a power cut everything starts at once: the daemon says that the store is away, and begins when it is there."""
    postgres.kill()
    early = Daemon(site.config, log=site.folder / "daemon.log", temporary=site.folder)
    try:
        early.wait_for("store.away")
        postgres.restart()
        early.wait_for("daemon.started")
        assert 0 == early.stop()
    finally:
        early.kill()
        postgres.restart()

    assert {} == installation.store.counts()


def test_a_daemon_that_waits_can_be_stopped(site: Site, postgres: PrivatePostgres) -> None:
    """Nobody has to kill it."""
    postgres.kill()
    early = Daemon(site.config, log=site.folder / "daemon.log", temporary=site.folder)
    try:
        early.wait_for("store.away")
        assert 0 == early.stop()
    finally:
        early.kill()
        postgres.restart()

    assert 0 == early.said("daemon.started")
