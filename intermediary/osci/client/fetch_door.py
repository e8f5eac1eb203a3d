"""The fetch door of OSCI: the post boxes of one channel at an OSCI intermediary."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tenacity.wait import wait_base

from intermediary.ingress.doors import OSCI_MIME, DoorRules, Take
from intermediary.ingress.fetching import door
from intermediary.ingress.fetching.box import Keep, Visit
from intermediary.ingress.gate import OPEN, Gate
from intermediary.osci.client.emptying import Visiting
from intermediary.osci.client.line import Line
from intermediary.osci.client.postbox import PostBox

Ticks = Callable[[], float]

_SPEECH = door.Speech(OSCI_MIME, "osci", "dialog.delivery.stuck")


@dataclass(frozen=True, slots=True)
class PostBoxSource:
    """Where a post box is: `line` is called before each visit, so that new keys and addresses count at once.

    It raises `Misconfigured` when there is none; None means that this post box does not exist at present.
    """

    name: str
    mandant: str
    line: Callable[[], Line | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings(door.FetchSettings):
    """How a channel fetches, and what one dialog may bring."""

    visiting: Visiting = field(default=Visiting())


class _AtSource:
    """A post box and where it is at present; implements `Box`."""

    def __init__(self, source: PostBoxSource, settings: FetchSettings, ticks: Ticks) -> None:
        self._source = source
        self._box = PostBox(source.name, settings.visiting, ticks=ticks)

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def mandant(self) -> str:
        return self._source.mandant

    @property
    def stuck(self) -> int:
        return self._box.stuck

    def visit(self, keep: Keep, should_stop: Callable[[], bool], should_leave: Callable[[], bool]) -> Visit | None:
        line = self._source.line()
        return None if line is None else self._box.visit(line, keep, should_stop, should_leave)


class FetchDoor(door.FetchDoor):
    """Fetches for one channel; implements `Door`."""

    def __init__(
        self,
        settings: FetchSettings,
        rules: DoorRules,
        sources: Sequence[PostBoxSource],
        *,
        take: Take,
        clock: Callable[[], datetime],
        gate: Gate = OPEN,
        ticks: Ticks = time.monotonic,
        spread: Callable[[], float] = random.random,
        wait: wait_base | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            settings,
            rules,
            [_AtSource(source, settings, ticks) for source in sources],
            _SPEECH,
            take=take,
            clock=clock,
            gate=gate,
            ticks=ticks,
            spread=spread,
            wait=wait,
            close=close,
        )
