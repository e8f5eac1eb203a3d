"""The keeper of the time: what processes of a host, restarts and reboots make of the same store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intermediary.core.clock import Doubt, Memory
from intermediary.core.faults import Transient
from intermediary.store import Store
from intermediary.store.pulse import Beat, Pulse
from intermediary.wiring.time import KEEP_EVERY, HostClocks, Timekeeper
from tests.conformance.store_kit import bench_in

START = datetime(2026, 11, 22, 3, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass
class Host:
    """A host: its wall clock may be set, what runs evenly may not."""

    wall: datetime = START
    boot: timedelta = timedelta(hours=1)
    name: str = "boot-1"

    def pass_time(self, span: timedelta) -> None:
        self.wall += span
        self.boot += span

    @property
    def clocks(self) -> HostClocks:
        return HostClocks(wall=lambda: self.wall, boot=lambda: self.boot, boot_id=lambda: self.name)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = bench_in(tmp_path)
    yield made.open()
    made.close()


def keeper(store: Store, host: Host) -> Timekeeper:
    made = Timekeeper(store.pulse, host.clocks)
    made.look()
    return made


def test_all_processes_of_a_host_reckon_alike(store: Store) -> None:
    """Also one that starts in the middle of a correction of the wall clock: leases mean the same to all."""
    host = Host()
    first = keeper(store, host)
    first.keep()
    host.wall += timedelta(minutes=5)
    for _ in range(10):
        host.pass_time(KEEP_EVERY)
        first.look()
        first.keep()
    second = keeper(store, host)

    assert first.clock.now() == second.clock.now()
    assert timedelta(seconds=5) == first.clock.now() - (START + 10 * KEEP_EVERY)


def test_it_is_written_down_seldom(store: Store) -> None:
    """Once in `KEEP_EVERY`, and never while the time is doubted."""
    host = Host()
    one = keeper(store, host)
    one.keep()
    host.pass_time(KEEP_EVERY - SECOND)
    one.look()
    one.keep()
    assert START == store.pulse.feel(host.name).memory.newest
    host.pass_time(SECOND)
    one.keep()
    assert START + KEEP_EVERY == store.pulse.feel(host.name).memory.newest
    host.wall += timedelta(days=400)
    host.pass_time(KEEP_EVERY)
    one.look()
    one.keep()

    assert Doubt.JUMPED is one.clock.doubt
    assert START + KEEP_EVERY == store.pulse.feel(host.name).memory.newest
    assert START + 2 * KEEP_EVERY == one.clock.now()


@pytest.mark.parametrize(
    ("wall", "doubt"),
    [
        (START + timedelta(hours=5), None),
        (START - timedelta(days=400), Doubt.BEHIND),
        (START + timedelta(days=400), Doubt.AHEAD),
    ],
)
def test_a_reboot_is_compared_with_the_store(store: Store, wall: datetime, doubt: Doubt | None) -> None:
    """Nothing is silently due 400 days ago or ahead, because a battery was empty; a night without power is no matter."""
    host = Host()
    keeper(store, host).keep()
    host.wall, host.boot, host.name = wall, timedelta(seconds=30), "boot-2"
    after = keeper(store, host)
    after.keep()

    assert doubt is after.clock.doubt
    assert (wall if doubt is None else START + host.boot) == after.clock.now()
    assert (doubt is None) is (store.pulse.feel("boot-2").memory.zero is not None)


def test_without_the_store_the_host_is_watched_all_the_same() -> None:
    """A clock that jumps while the database is away is doubted when it jumps, not when somebody answers."""

    class Away(Pulse):
        def __init__(self) -> None:
            self.is_there = True

        def feel(self, boot_id: str) -> Beat:
            if not self.is_there:
                raise Transient("store.unavailable")
            return Beat(None, Memory(zero=START - timedelta(hours=1), newest=START))

    pulse, host = Away(), Host()
    one = Timekeeper(pulse, host.clocks)
    one.look()
    pulse.is_there = False
    host.wall -= timedelta(hours=2)
    with pytest.raises(Transient):
        one.look()

    assert Doubt.JUMPED is one.clock.doubt
    assert START == one.clock.now()


def test_a_slow_answer_says_nothing_about_a_server() -> None:
    """The difference to a server's clock is as sure as the answer was quick; between answers time runs by itself."""

    class Server(Pulse):
        def __init__(self, host: Host) -> None:
            self.host, self.delay, self.ahead = host, SECOND / 100, timedelta(seconds=3)

        def feel(self, boot_id: str) -> Beat:
            self.host.pass_time(self.delay)
            server = self.host.wall + self.ahead
            self.host.pass_time(self.delay)
            return Beat(server, Memory())

    host = Host()
    server = Server(host)
    one = Timekeeper(server, host.clocks)
    one.look()
    assert timedelta(seconds=3) == one.clock.now() - host.wall
    server.delay, server.ahead = timedelta(seconds=20), timedelta(seconds=9)
    one.look()
    assert timedelta(seconds=3) == one.clock.now() - host.wall
    server.delay = SECOND / 100
    one.look()

    assert timedelta(seconds=9) == one.clock.now() - host.wall
