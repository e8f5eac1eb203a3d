"""The fetch door: visits the boxes of one channel at a partner and takes what lies there.

A delivery is taken (committed) before it is acknowledged. While the store is away a visit is left in silence, and everything
stays with the partner (promises G1, G8).
"""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from tenacity.wait import wait_base

from intermediary.core.faults import Fault, Rejected
from intermediary.core.values import Eingang
from intermediary.ingress.doors import Angaben, DoorRules, DoorState, DoorStatus, Take, build_eingang
from intermediary.ingress.fetching.box import Box, Delivery
from intermediary.ingress.fetching.pace import Pace, Rhythm
from intermediary.ingress.gate import OPEN, Gate
from intermediary.ingress.taking import GivenBack, Taker
from intermediary.store.records import Taken

log = structlog.get_logger(__name__)

Ticks = Callable[[], float]

_LAST_WAIT_SECONDS = 0.8


@dataclass(frozen=True, slots=True)
class Speech:
    """What is different from protocol to protocol: the content type of what is kept, the first word of log events, and the
    code of a box in which something is passed by.
    """

    content_type: str
    word: str
    stuck_code: str

    def event(self, what: str) -> str:
        """The name of a log event."""
        return f"{self.word}.{what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """How a channel fetches: seconds between visits, and threads.

    `hold_seconds` is how long a visit waits for the store before it is left.
    """

    rhythm: Rhythm = field(default=Rhythm(2.0, 60.0))
    threads: int = 4
    hold_seconds: float = 20.0


class _Visited:
    """A box with its pace and its last trouble; visited by one thread at a time."""

    def __init__(self, box: Box, settings: FetchSettings, spread: Callable[[], float]) -> None:
        self.box = box
        self.pace = Pace(settings.rhythm, spread)
        self.code = ""
        self.is_holding = False
        self.has_visited = False
        self.fresh = 0


class FetchDoor:
    """Fetches for one channel; implements `Door`.

    Several threads share the boxes, so that a slow one does not keep the others waiting. A visit under way when the
    door is stopped takes nothing any more; its thread may outlast `run` until its network call ends, without effect.
    """

    def __init__(
        self,
        settings: FetchSettings,
        rules: DoorRules,
        boxes: Sequence[Box],
        speech: Speech,
        *,
        take: Take,
        clock: Callable[[], datetime],
        gate: Gate = OPEN,
        ticks: Ticks = time.monotonic,
        spread: Callable[[], float] = random.random,
        wait: wait_base | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._clock = clock
        self._gate = gate
        self._ticks = ticks
        self._speech = speech
        self._boxes = [_Visited(box, settings, spread) for box in boxes]
        self._stop = threading.Event()
        self._is_running = False
        self._queue: list[tuple[float, int]] = [(0.0, index) for index in range(len(self._boxes))]
        self._turn = threading.Condition()
        self._taking = 0
        self._take = take
        self._wait = wait
        self._close = close

    @property
    def channel(self) -> str:
        return self._rules.channel

    @property
    def status(self) -> DoorStatus:
        """Holding while the gate is closed or the store away for any box; `code` is the first trouble there is."""
        if not self._is_running:
            return DoorStatus(DoorState.CLOSED)
        obstacle = self._gate.obstacle()
        if obstacle is not None:
            return DoorStatus(DoorState.HOLDING, obstacle.code, sum(box.box.stuck for box in self._boxes))
        code = next((box.code for box in self._boxes if box.code), "")
        aside = sum(box.box.stuck for box in self._boxes)
        if any(box.is_holding for box in self._boxes):
            return DoorStatus(DoorState.HOLDING, code, aside)
        has_begun = any(box.has_visited for box in self._boxes)
        return DoorStatus(DoorState.TAKING if has_begun else DoorState.OPENING, code, aside)

    def stop(self) -> None:
        self._stop.set()
        with self._turn:
            self._turn.notify_all()

    def run(self) -> None:
        """Visit the boxes, each when it is due, until `stop`."""
        self._is_running = True
        count = min(self._settings.threads, len(self._boxes))
        threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        self._stop.wait()
        deadline = time.monotonic() + _LAST_WAIT_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._turn:
            self._turn.wait_for(lambda: self._taking == 0)
            self._is_running = False
        self.close()

    def close(self) -> None:
        """End the connections; `run` does it at its end, who only calls `sweep` does it himself."""
        self._close()

    def sweep(self) -> int:
        """Visit every box that is due now, once, in the caller's thread; how many deliveries were kept."""
        self._is_running = True
        kept = 0
        for _ in range(len(self._boxes)):
            index = self._next_due(block=False)
            if index is None:
                break
            kept += self._visit(index)
        return kept

    def _serve(self) -> None:
        while (index := self._next_due(block=True)) is not None:
            self._visit(index)

    def _next_due(self, *, block: bool) -> int | None:
        """The box whose turn it is; None when the door is stopped (or nothing is due and `block` is false)."""
        with self._turn:
            while not self._stop.is_set():
                wait = self._queue[0][0] - self._ticks() if self._queue else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._queue)[1]
                if not block:
                    return None
                self._turn.wait(wait)
        return None

    def _visit(self, index: int) -> int:
        box = self._boxes[index]
        kept, wait = 0, 0.0
        try:
            kept, wait = self._visited(box)
        except GivenBack:
            box.is_holding = True
            wait = box.pace.after_nothing()
        except OSError as error:
            self._note(box, type(error).__name__, "")
            box.is_holding = True
            wait = box.pace.after_nothing()
        except Fault as fault:
            self._note(box, fault.code, fault.where)
            wait = box.pace.after_nothing()
        except Exception as error:  # one box must not end the visits to the others
            self._note(box, type(error).__name__, "")
            wait = box.pace.after_nothing()
        box.has_visited = True
        with self._turn:
            heapq.heappush(self._queue, (self._ticks() + wait, index))
            self._turn.notify()
        return kept

    def _visited(self, box: _Visited) -> tuple[int, float]:
        if self._is_closed(box):
            return 0, box.pace.least
        box.fresh = 0
        visit = box.box.visit(
            lambda delivery: self._keep(box, delivery), self._stop.is_set, lambda: self._is_closed(box)
        )
        if visit is None:
            return 0, box.pace.after_nothing()
        box.code = self._speech.stuck_code if visit.stuck else ""
        box.is_holding = False
        if visit.kept:
            log.info(self._speech.event("fetched"), channel=self.channel, post_box=box.box.name, count=visit.kept)
        # Only what we had already: a box that does not empty is not worth a hurry.
        is_stale = visit.kept > 0 and box.fresh == 0
        return visit.kept, box.pace.after_visit(kept=box.fresh, has_more=visit.has_more and not is_stale)

    def _is_closed(self, box: _Visited) -> bool:
        """Whether this box is not to be asked now: what lies there is in better hands."""
        return self._gate.obstacle(box.box.mandant) is not None

    def _keep(self, box: _Visited, delivery: Delivery) -> str:
        """Make one delivery durable; the code if this one cannot be. Raises `GivenBack` when none can be now."""
        angaben = Angaben(
            content_type=self._speech.content_type,
            message_id=delivery.message_id,
            mandant=box.box.mandant,
            correlation_id=delivery.correlation_id,
            vorgang=delivery.vorgang,
        )
        try:
            eingang = build_eingang(self._rules, angaben, body=delivery.body, received_at=self._clock())
        except Rejected as refused:
            return refused.code
        with self._turn:
            if self._stop.is_set():
                raise GivenBack
            self._taking += 1
        try:
            same, way = delivery.same_sha256, delivery.reply_to
            (verdict,) = self._taker(box).offer([replace(eingang, same_sha256=same, reply_to=way)])
        finally:
            with self._turn:
                self._taking -= 1
                self._turn.notify_all()
        return verdict.refused.code if verdict.refused is not None else verdict.aside

    def _taker(self, box: _Visited) -> Taker:
        def on_holding(code: str) -> None:
            box.is_holding = bool(code)
            box.code = code

        def take(eingaenge: Sequence[Eingang]) -> list[Taken]:
            taken = self._take_watched(eingaenge)
            box.fresh += sum(one.outcome != "duplicate" for one in taken)
            return taken

        return Taker(
            take,
            channel=self.channel,
            stop=self._stop,
            hold_seconds=self._settings.hold_seconds,
            on_holding=on_holding,
            gate=self._gate,
            wait=self._wait,
        )

    def _take_watched(self, eingaenge: Sequence[Eingang]) -> list[Taken]:
        """A delivery under a known id with other content is durable (parked, `intake.conflict`) and told aloud."""
        taken = self._take(eingaenge)
        for one in taken:
            if one.outcome == "conflict":
                log.error(self._speech.event("delivery.conflict"), channel=self.channel, nachricht_id=one.nachricht_id)
        return taken

    def _note(self, box: _Visited, code: str, where: str) -> None:
        if code == box.code:
            return
        box.code = code
        log.warning(
            self._speech.event("fetch.failed"), channel=self.channel, post_box=box.box.name, code=code, where=where
        )
