"""The wall clock jumps, stands still or runs backwards under a real daemon: nothing happens by that alone (F18, G12)."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from intermediary.core.bulletin import Bulletin
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
from tests.acceptance.faked_time import FakedTime, bulletin_of, wait_for_bulletins

COMPLETED = (NachrichtState.COMPLETED, "")
JUMPS = ("+2h", "-2h", "+400d", "-400d")


class Place:
    """An installation, its faked time, and daemons in it."""

    def __init__(self, site: Site, time: FakedTime) -> None:
        self.site, self.time = site, time
        self.data = site.folder / "data"
        self.installation: Installation = open_installation(site.config)
        self.daemons: list[Daemon] = []

    def start(self) -> Daemon:
        folder = self.site.folder
        daemon = Daemon(self.site.config, log=folder / "daemon.log", temporary=folder, within=self.time.within)
        self.daemons.append(daemon)
        daemon.wait_for("ingress.started")
        return daemon

    def hand_in(self, number: int) -> Path:
        now = utc_now()
        body = seal(sample_letter(number, now=now), parties=self.site.pki.parties, random=secrets.token_bytes, now=now)
        hidden = self.site.inbox / f".{number}"
        hidden.write_bytes(body)
        return hidden.rename(self.site.inbox / f"{number}.osci")

    def wait_completed(self, count: int) -> None:
        store = self.installation.store
        wait_until(lambda: store.counts() == {COMPLETED: count}, f"{count} deliveries")

    def ingress(self) -> Bulletin | None:
        return bulletin_of(self.data, "ingress")

    def wait_doubt(self, *, is_there: bool) -> None:
        def has(role: str) -> bool:
            said = bulletin_of(self.data, role)
            return said is not None and ("clock.untrusted" in {one.code for one in said.obstacles}) is is_there

        wait_until(lambda: all(has(role) for role in ("ingress", "worker", "supervisor")), f"a doubt: {is_there}")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "intermediary", *arguments, "-c", str(self.site.config)]
        return subprocess.run(words, env=self.time.environment, capture_output=True, text=True, check=False)

    def check(self) -> None:
        report = verify_installation(self.installation)
        assert report.is_ok, report.problems

    def close(self) -> None:
        for daemon in self.daemons:
            daemon.kill()
        self.installation.store.close()


@pytest.fixture
def make_place(tmp_path: Path, pki: Pki) -> Iterator[Callable[..., Place]]:
    """Makes an installation, on PostgreSQL when it is given a URL."""
    made: list[Place] = []

    def make(url: str = "") -> Place:
        time = FakedTime(tmp_path / "time")
        site = make_site(tmp_path / "site", now=utc_now(), settings=golden_settings(), pki=pki)
        if url:
            site.use_database(url)
        made.append(Place(site, time))
        return made[0]

    yield make
    for place in made:
        place.close()


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_stops_and_its_end_goes_on(make_place: Callable[..., Place], jump: str) -> None:
    """While it lasts, files stay in the inbox; when the time is right again they are taken, without a restart."""
    place = make_place()
    daemon = place.start()
    place.hand_in(1)
    place.wait_completed(1)
    place.time.say(jump)
    place.wait_doubt(is_there=True)
    file = place.hand_in(2)
    said = wait_for_bulletins(place.data, "ingress", more=2)

    assert [False] == [one.is_taking for one in said.channels]
    assert not said.may_work
    assert file.exists()
    assert {COMPLETED: 1} == place.installation.store.counts()
    place.time.say("+0")
    place.wait_completed(2)
    assert 0 == daemon.stop()
    assert 3 == daemon.said("clock.untrusted")
    assert 1 == daemon.said("daemon.started")
    place.check()


@pytest.mark.parametrize("jump", ["+400d", "-2h"])
def test_a_person_may_accept_the_new_time(make_place: Callable[..., Place], jump: str) -> None:
    """`doctor` says what is wrong; after `--accept-clock` the running daemon goes on by itself, and the trail tells who."""
    place = make_place()
    daemon = place.start()
    place.hand_in(1)
    place.wait_completed(1)
    place.time.say(jump)
    place.wait_doubt(is_there=True)
    place.hand_in(2)
    told = place.command("doctor").stdout
    nobody = place.command("doctor", "--accept-clock")
    done = place.command("doctor", "--accept-clock", "--reason", "NTP war falsch eingestellt")

    assert "BAD      clock: has jumped by" in told
    assert (2, 0) == (nobody.returncode, done.returncode), done.stderr
    assert "Die Zeit ist um" in done.stdout
    place.wait_completed(2)
    (event,) = [
        entry.event
        for entry in place.installation.store.events_of_installation()
        if entry.event.name == "clock.accepted"
    ]
    hours = 400 * 24 if jump == "+400d" else -2
    assert abs(event.fields["shift_seconds"] - hours * 3600) < 60
    assert ("jumped", "NTP war falsch eingestellt") == (event.fields["doubt"], event.fields["reason"])
    assert "nichts zu bestätigen" in place.command("doctor", "--accept-clock", "--reason", "noch einmal").stdout
    assert 0 == daemon.stop()
    place.check()


def test_a_clock_that_stands_still_stops_nothing(make_place: Callable[..., Place]) -> None:
    """Time is told by CLOCK_BOOTTIME: what is due comes due, leases end, retries happen."""
    place = make_place()
    place.start()
    place.hand_in(1)
    place.wait_completed(1)
    place.time.say(f"{utc_now():%Y-%m-%d %H:%M:%S}")
    before = wait_for_bulletins(place.data, "worker", more=0.5)
    place.hand_in(2)
    place.wait_completed(2)
    after = wait_for_bulletins(place.data, "worker", more=1)

    passed = timedelta(seconds=after.boot_seconds - before.boot_seconds)
    assert abs(after.at - before.at - passed) <= passed / 10
    assert after.clock_off_seconds < before.clock_off_seconds
    place.check()


@pytest.mark.parametrize("jump", ["-2h", "+400d"])
def test_a_restart_does_not_forget(make_place: Callable[..., Place], jump: str) -> None:
    """Who starts anew with a wrong clock is told so by the store, and takes nothing until it is right."""
    place = make_place()
    first = place.start()
    place.hand_in(1)
    place.wait_completed(1)
    assert 0 == first.stop()
    place.time.say(jump)
    place.hand_in(2)
    second = place.start()
    place.wait_doubt(is_there=True)
    said = wait_for_bulletins(place.data, "ingress", more=2)

    assert [False] == [one.is_taking for one in said.channels]
    assert {COMPLETED: 1} == place.installation.store.counts()
    assert abs(said.at - utc_now()) < timedelta(minutes=1)
    place.time.say("+0")
    place.wait_completed(2)
    assert 0 == second.stop()
    place.check()


def test_a_host_that_differs_from_its_database_stops(
    make_place: Callable[..., Place], postgres: PrivatePostgres
) -> None:
    """With PostgreSQL time is the server's: a host whose own clock lies is stopped, and nothing can be accepted."""
    place = make_place(postgres.database())
    daemon = place.start()
    place.hand_in(1)
    place.wait_completed(1)
    place.time.say("+2h")
    place.wait_doubt(is_there=True)
    place.hand_in(2)
    refused = place.command("doctor", "--accept-clock", "--reason", "weil")
    said = wait_for_bulletins(place.data, "ingress", more=2)

    assert 2 == refused.returncode
    assert "differs from the database's" in refused.stderr
    assert [False] == [one.is_taking for one in said.channels]
    assert abs(said.at - utc_now()) < timedelta(minutes=1)
    place.time.say("+0")
    place.wait_completed(2)
    assert 0 == daemon.stop()
    place.check()
