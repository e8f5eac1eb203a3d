"""The AMQP door: one session after another with a broker, until it is told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from tenacity import RetryError, Retrying, retry_if_exception_type, sleep_using_event, stop_when_event_set
from tenacity.wait import wait_base, wait_random_exponential

from intermediary.core.bulletin import Obstacle
from intermediary.ingress.amqp.intake import Inbox, Intake, refused_queue_of
from intermediary.ingress.amqp.line import LineDown
from intermediary.ingress.amqp.outlet import Publisher
from intermediary.ingress.amqp.refusals import Refusals
from intermediary.ingress.amqp.session import Admission, Session, Wake
from intermediary.ingress.claims import Claims
from intermediary.ingress.doors import DoorRules, DoorState, DoorStatus, Take
from intermediary.ingress.gate import OPEN, Gate, closing
from intermediary.ingress.taking import GivenBack, Taker
from intermediary.keys.spool import Spool

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AmqpSettings:
    """How an AMQP door listens.

    `prefetch` is the most messages it holds unacknowledged, `batch` the most it commits together. A queue that does not
    answer within `open_seconds` is left and tried anew. `hold_seconds` is how long messages are kept while the store is
    away before they are given back, `aside_seconds` the pause before something that only concerns one message is tried
    again.
    """

    url: str = field(repr=False)
    queue: str
    prefetch: int = 200
    batch: int = 100
    connect_seconds: float = 5.0
    open_seconds: float = 30.0
    heartbeat_seconds: int = 30
    hold_seconds: float = 300.0
    aside_seconds: float = 30.0


class AmqpDoor:
    """One consumer of one queue; implements `Door`. Any number may consume the same queue, on any host.

    `clock` gives the moment of receipt, `ticks` measures pauses. `claims` is None where the channel has no stores.
    """

    def __init__(
        self,
        settings: AmqpSettings,
        rules: DoorRules,
        *,
        take: Take,
        clock: Callable[[], datetime],
        spool: Spool,
        claims: Claims | None = None,
        gate: Gate = OPEN,
        ticks: Callable[[], float] = time.monotonic,
        wait: wait_base | None = None,
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._spool = spool
        self._gate = gate
        self._ticks = ticks
        self._wait = wait or wait_random_exponential(multiplier=0.5, max=10)
        self._stop = threading.Event()
        self._inbox = Inbox()
        self._status = DoorStatus(DoorState.CLOSED)
        self._admission = Admission(rules, clock=clock, claims=claims, gate=gate, should_stop=self._stop.is_set)
        self._taker = Taker(
            take,
            channel=rules.channel,
            stop=self._stop,
            hold_seconds=settings.hold_seconds,
            on_holding=self._on_holding,
            gate=gate,
            wait=wait,
        )
        self._ended_by = ""
        self._refusals = Publisher(
            settings.url,
            name=f"{rules.channel} refusals",
            connect_seconds=settings.connect_seconds,
            heartbeat_seconds=settings.heartbeat_seconds,
        )

    @property
    def channel(self) -> str:
        return self._rules.channel

    @property
    def status(self) -> DoorStatus:
        return self._status

    def stop(self) -> None:
        self._stop.set()
        self._inbox.put(Wake())

    def run(self) -> None:
        """Serve the queue until `stop`: one session after another, with growing pauses while none gets anywhere."""
        try:
            while not self._stop.is_set():
                self._serve()
        finally:
            self._refusals.close()
            self._status = DoorStatus(DoorState.CLOSED)

    def _serve(self) -> None:
        retrying = Retrying(
            retry=retry_if_exception_type((LineDown, GivenBack)),
            wait=self._wait,
            stop=stop_when_event_set(self._stop),
            sleep=sleep_using_event(self._stop),
        )
        try:
            retrying(self._hold_session)
        except RetryError:
            return  # stopped while waiting

    def _hold_session(self) -> None:
        """One connection from opening to end. Returns normally when it got something done: then pauses start anew."""
        self._inbox = Inbox()
        self._set_state(DoorState.OPENING, self._status.code)
        intake = Intake(
            self._settings.url,
            name=self._rules.channel,
            queue=self._settings.queue,
            refused_queue=refused_queue_of(self._settings.queue),
            prefetch=self._settings.prefetch,
            inbox=self._inbox,
            spool=self._spool.keep,
            connect_seconds=self._settings.connect_seconds,
            heartbeat_seconds=self._settings.heartbeat_seconds,
            is_paused=self._closing() is not None,
        )
        session = Session(
            intake,
            self._inbox,
            channel=self.channel,
            admission=self._admission,
            taker=self._taker,
            refusals=Refusals(self._refusals, refused_queue_of(self._settings.queue), self._inbox),
            should_stop=self._stop.is_set,
            batch=self._settings.batch,
            aside_seconds=self._settings.aside_seconds,
            open_seconds=self._settings.open_seconds,
            ticks=self._ticks,
            on_taking=self._on_taking,
            closing=self._closing,
            on_closed=self._on_holding,
        )
        intake.start()
        try:
            session.run()
        except (LineDown, GivenBack) as end:
            if self._stop.is_set():
                return
            code = str(end) or self._status.code
            self._set_state(DoorState.OPENING if isinstance(end, LineDown) else DoorState.HOLDING, code)
            if session.decided or code != self._ended_by:  # a broker that is away is told once, not with every attempt
                log.warning("amqp.session.ended", channel=self.channel, reason=code, count=session.decided)
            self._ended_by = code
            if not session.decided:
                raise
        finally:
            intake.close()

    def _closing(self) -> Obstacle | None:
        return closing(self._gate, self._rules.mandanten)

    def _on_taking(self, aside: int) -> None:
        self._set_state(DoorState.TAKING, aside=aside)

    def _on_holding(self, code: str) -> None:
        self._set_state(DoorState.HOLDING if code else DoorState.TAKING, code, self._status.aside)

    def _set_state(self, state: DoorState, code: str = "", aside: int = 0) -> None:
        self._status = DoorStatus(state, code, aside)
