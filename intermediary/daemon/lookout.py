"""Looks out for what keeps a process from taking or working: the store, the clock, disks, Mandanten that are full.

Once a second it asks, shows the gate what it found, and posts it on the board. A change is logged once, as `gate.closed` or
`gate.opened`, however long it lasts; everything heals by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from intermediary.core.bulletin import Bulletin, ChannelBulletin, Obstacle
from intermediary.core.faults import Fault, Transient
from intermediary.daemon.board import Board, boot_seconds
from intermediary.ingress.doors import Door
from intermediary.ingress.gate import GuardedGate
from intermediary.ingress.reserve import MEBIBYTE, Reserve, Reserves
from intermediary.settings.models import Settings
from intermediary.store.owners import own_name
from intermediary.wiring import Installation, spool_folder

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=1)

_COUNT_SECONDS = 5.0
_COUNTING_SHARE = 20  # a count may take so much time in relation to the pause after it


class Lookout:
    """One for each process of a daemon; `look` is called by one thread, about once a second, and raises nothing.

    `keeps_time`: this process remembers the time of the installation for all others of the host. `gate` and `channels` are
    those of ingress.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        role: str,
        keeps_time: bool = False,
        gate: GuardedGate | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._installation = installation
        self._role = role
        self._keeps_time = keeps_time
        self._gate = gate or GuardedGate()
        self._ticks = ticks
        self._channels: dict[str, tuple[str, ...]] = {
            channel.name: tuple(channel.mandanten) for channel in installation.settings.channel
        }
        self._doors: Sequence[Door] = ()
        self._reserves = reserves_of(installation.settings)
        self._board = Board(installation.settings.installation.data, role=role)
        self._count_again = 0.0
        self._told: frozenset[Obstacle] = frozenset()

    @property
    def may_work(self) -> bool:
        """Whether claims may be taken and targets be called: not while the time is uncertain (promise G12)."""
        return self._installation.time.clock.doubt is None

    def watch(self, doors: Sequence[Door]) -> None:
        """Report on these doors from now on."""
        self._doors = doors

    def run(self, stop: threading.Event) -> None:
        """Look again and again until `stop`; takes the bulletin down at the end."""
        try:
            while not stop.wait(EVERY.total_seconds()):
                self.look()
        finally:
            self.close()

    def look(self) -> None:
        """Ask everything once, and tell."""
        disks = self._reserves.look()
        common = [*self._feel(), *self._reserves.obstacles(disks)]
        self._gate.show(common, self._count())
        obstacles = self._gate.obstacles()
        self._say(frozenset(obstacles))
        clock = self._installation.time.clock
        self._board.post(
            Bulletin(
                role=self._role,
                owner=own_name(),
                at=clock.now(),
                boot_seconds=boot_seconds(),
                clock_off_seconds=round(clock.wall_off.total_seconds(), 3),
                obstacles=obstacles,
                disks=disks,
                channels=tuple(self._channel(door) for door in self._doors),
            )
        )

    def close(self) -> None:
        """Take the bulletin down."""
        self._board.close()

    def _feel(self) -> list[Obstacle]:
        """The store and the clock: an absent store says nothing about the clocks of this host."""
        keeper, found = self._installation.time, []
        try:
            keeper.look()
            if self._keeps_time:
                keeper.keep()
        except Transient as fault:
            found.append(Obstacle(fault.code, where=fault.where))
        if keeper.clock.doubt is not None:
            found.append(Obstacle("clock.untrusted", where=keeper.clock.doubt.value, stops_work=True))
        return found

    def _count(self) -> dict[str, int] | None:
        """How many of each Mandant wait, if anybody has a quota and it is time to count again."""
        begun = self._ticks()
        if not self._gate.most_waiting or begun < self._count_again:
            return None
        try:
            return self._installation.store.pulse.waiting()
        except Fault:
            return None
        finally:
            ended = self._ticks()
            self._count_again = ended + max(_COUNT_SECONDS, _COUNTING_SHARE * (ended - begun))

    def _channel(self, door: Door) -> ChannelBulletin:
        status = door.status
        return ChannelBulletin(
            channel=door.channel,
            state=status.state.value,
            code=status.code,
            aside=status.aside,
            obstacles=self._gate.obstacles(self._channels.get(door.channel, ())),
        )

    def _say(self, obstacles: frozenset[Obstacle]) -> None:
        for one in sorted(obstacles - self._told, key=_order):
            log.error("gate.closed", role=self._role, code=one.code, where=one.where, mandant=one.mandant)
        for one in sorted(self._told - obstacles, key=_order):
            log.warning("gate.opened", role=self._role, code=one.code, where=one.where, mandant=one.mandant)
        self._told = obstacles


def reserves_of(settings: Settings) -> Reserves:
    """The disks of an installation that must not fill up: payloads and database, spool, signed heads."""
    asked = settings.intake
    megabytes = asked.reserve_megabytes
    reserve = Reserve(None if megabytes is None else megabytes * MEBIBYTE, asked.reserve_inodes)
    return Reserves(
        [settings.installation.data, spool_folder(settings), settings.audit.heads_folder],
        reserve,
    )


def quotas_of(settings: Settings) -> dict[str, int]:
    """How many open Nachrichten each Mandant may have, of those that have a limit."""
    return {one.name: one.most_waiting for one in settings.mandant if one.most_waiting is not None}


def _order(one: Obstacle) -> tuple[str, str, str]:
    return (one.code, one.mandant, one.where)
