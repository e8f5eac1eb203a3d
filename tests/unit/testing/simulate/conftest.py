"""A simulator's desk in a folder of its own, with a clock that moves on command, and the clients that talk to it."""

from __future__ import annotations

import random as dice
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from intermediary.osci.write import Letter, Random
from intermediary.testing.pki import Pki
from intermediary.testing.simulate.osci.chunks import Limits
from intermediary.testing.simulate.osci.desk import Desk, World
from intermediary.testing.simulate.osci.filling import Filler
from intermediary.testing.simulate.osci.forwarding import Unreachable
from intermediary.testing.simulate.osci.journal import Journal
from intermediary.testing.simulate.osci.reading import box_of
from intermediary.testing.simulate.osci.site import Site
from intermediary.testing.simulate.osci.trouble import Knob, Trouble
from intermediary.unseal.osci.message import OsciMessage
from tests.unit.testing.simulate.client import SmallClient

KB = 1024


@dataclass
class Rig:
    """A desk that can be started again over its journal, as after a kill."""

    folder: Path
    pki: Pki
    now: datetime
    random: Random
    post: Callable[[str, bytes], bytes]
    waited: list[float] = field(default_factory=list)
    deaths: int = 0

    def __post_init__(self) -> None:
        self.trouble = Trouble([], seed=1)
        self.limits = Limits(min_chunk_bytes=KB, max_chunk_bytes=64 * KB, max_message_bytes=1024 * KB)
        self.start()

    def start(self) -> None:
        """A new desk over the journal, with nothing of the one before in memory."""
        site = Site(self.folder, self.pki)
        self.journal = Journal(self.folder)
        world = World(
            clock=lambda: self.now,
            random=self.random,
            post=lambda uri, body: self.post(uri, body),
            wait=self.waited.append,
            die=self._die,
        )
        self.desk = Desk(
            self.journal, reader=site.reader(), own=site.own(), trouble=self.trouble, limits=self.limits, world=world
        )

    def client(self, role: str = "recipient", **options: bool) -> SmallClient:
        return SmallClient(self.pki, lambda body: self.desk.answer(body).body, self.random, self.now, role, **options)

    def turn(self, words: str) -> None:
        self.trouble.turn(Knob.parse(words))

    def fill(self, count: int) -> tuple[str, ...]:
        return self.filler.fill(count)

    def store(self, letter: Letter) -> OsciMessage:
        return self.filler.store(letter)

    @property
    def filler(self) -> Filler:
        ask = lambda body: self.desk.answer(body, is_disturbed=False).body  # noqa: E731
        return Filler(self.pki, ask, random=self.random, clock=lambda: self.now)

    @property
    def box(self) -> str:
        return box_of(self.pki.members["recipient-cipher"].certificate)

    def waiting(self) -> list[str]:
        return [one.message_id for one in self.desk.books.box(self.box)]

    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def _die(self) -> None:
        self.deaths += 1
        raise Killed


class Killed(BaseException):
    """What stands for SIGKILL: nothing after it runs."""


@pytest.fixture
def rig(tmp_path: Path, pki: Pki, now: datetime) -> Rig:
    """A desk whose passive recipients are all unreachable."""

    def nobody(_uri: str, _body: bytes) -> bytes:
        raise Unreachable

    return Rig(tmp_path, pki, now, dice.Random(20261122).randbytes, nobody)
