"""Two hosts, one database, one data folder: one of them is lost in the middle of the work, and nobody notices."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from intermediary.core.states import NachrichtState
from intermediary.operations.prove import verify_installation
from intermediary.osci.write.seal import seal
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.samples import sample_letter
from intermediary.wiring import Installation, open_installation, utc_now
from tests.acceptance.daemon import wait_until
from tests.acceptance.hosts import Host, HostsMissing, demand_hosts
from tests.soak.daemon_kills import Consumer

MESSAGES = 60
COMPLETED = (NachrichtState.COMPLETED, "")


@pytest.fixture
def site(tmp_path: Path, pki: Pki, postgres: PrivatePostgres) -> Site:
    """An installation on PostgreSQL whose leases are short, so that the loss of a host is noticed soon."""
    try:
        demand_hosts()
    except HostsMissing as missing:
        pytest.skip(str(missing))  # no package brings this: the account, or a chroot, does not allow it
    made = make_site(tmp_path / "site", now=utc_now(), settings=golden_settings(), pki=pki)
    made.use_database(postgres.database())
    with made.config.open("a", encoding="utf-8") as file:
        file.write("lease_seconds = 10\n")
    return made


@pytest.fixture
def installation(site: Site) -> Iterator[Installation]:
    """The same installation, to look at what the hosts do."""
    opened = open_installation(site.config)
    yield opened
    opened.store.close()


def _hand_in(site: Site, host: Host, numbers: range) -> None:
    for number in numbers:
        now = utc_now()
        body = seal(sample_letter(number, now=now), parties=site.pki.parties, random=secrets.token_bytes, now=now)
        hidden = host.inbox / f".{number}"
        hidden.write_bytes(body)
        hidden.rename(host.inbox / f"{number}.osci")


def test_a_host_that_is_lost_loses_and_doubles_nothing(site: Site, installation: Installation) -> None:
    """60 messages at two hosts; one is killed with work in its hands, the other goes on, the first comes back."""
    hosts = [Host(site, "host-a"), Host(site, "host-b")]
    half = MESSAGES // 2
    _hand_in(site, hosts[0], range(half))
    _hand_in(site, hosts[1], range(half, MESSAGES))
    store = installation.store
    with ExitStack() as ending, Consumer(site.drop) as consumer:
        for host in hosts:
            host.start()
            ending.callback(host.kill)
        wait_until(lambda: store.counts().get(COMPLETED, 0) >= 10, "the first deliveries")
        hosts[0].kill()
        lost_at = store.counts().get(COMPLETED, 0)
        wait_until(lambda: store.counts().get(COMPLETED, 0) > lost_at, "the other host goes on")
        hosts[0].start()
        wait_until(lambda: store.counts().get(COMPLETED, 0) == MESSAGES, "everything is delivered")
        assert [0, 0] == [host.stop() for host in hosts]

    packages = Counter({name: count for name, count in consumer.seen.items() if name.endswith(".zip")})
    assert lost_at < MESSAGES
    assert {COMPLETED: MESSAGES} == store.counts()
    assert (MESSAGES, {1}) == (len(packages), set(packages.values()))
    assert [] == [path for host in hosts for path in host.inbox.iterdir()]
    assert MESSAGES == len({claim.id for claim in store.find()})
    for host in hosts:
        report = verify_installation(installation, heads_folder=host.heads)
        assert report.is_ok, report.problems
