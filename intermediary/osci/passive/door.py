"""The door of a channel of type `osci_passive`: opens the endpoint, keeps it open, and closes it within a second."""

from __future__ import annotations

import asyncio
import threading
import time

import structlog
from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_random_exponential,
)

from intermediary.core.faults import Misconfigured
from intermediary.ingress.doors import DoorRules, DoorState, DoorStatus
from intermediary.ingress.https.server import Server
from intermediary.osci.passive.delivery import Deliveries, House
from intermediary.osci.passive.failures import DecryptFailures
from intermediary.osci.passive.reception import Reception
from intermediary.osci.passive.reply import LATER_SECONDS
from intermediary.osci.passive.settings import PassiveSettings

log = structlog.get_logger(__name__)

_HOLDING_SECONDS = 2.0 * LATER_SECONDS


class PassiveDoor:
    """Takes what an OSCI intermediary delivers; implements `Door`.

    An address that cannot be had or a certificate that cannot be read is tried again; `port` is the one it listens on,
    known while it is open.
    """

    def __init__(self, settings: PassiveSettings, rules: DoorRules, house: House) -> None:
        self._settings = settings
        self._rules = rules
        self._house = house
        self._failures = DecryptFailures(rules.channel, per_hour=settings.failures_per_hour, ticks=time.monotonic)
        self._deliveries = Deliveries(house, rules, self._failures, on_holding=self._on_holding)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._open: tuple[asyncio.AbstractEventLoop, Server, Reception] | None = None
        self._state = DoorState.CLOSED
        self._code = ""
        self._held_at = 0.0
        self.port: int | None = None

    @property
    def channel(self) -> str:
        return self._rules.channel

    @property
    def status(self) -> DoorStatus:
        """While it takes, partners that may be asking an oracle show as a code.

        What could not be taken counts for a while only: afterwards nobody may have come again to show that all is well.
        """
        state, code = self._state, self._code
        obstacle = self._house.gate.obstacle()
        if state is DoorState.HOLDING and time.monotonic() - self._held_at > _HOLDING_SECONDS:
            state, code = DoorState.TAKING, ""
        if obstacle is not None and state is DoorState.TAKING:
            state, code = DoorState.HOLDING, obstacle.code
        if not code and self._failures.suspects:
            code = "intake.decrypt.alarm"
        return DoorStatus(state, code)

    def run(self) -> None:
        """Serve until `stop`."""
        self._state = DoorState.OPENING
        retrying = Retrying(
            retry=retry_if_exception_type((OSError, Misconfigured)),
            wait=wait_random_exponential(multiplier=0.5, max=10),
            stop=stop_when_event_set(self._stop),
            sleep=sleep_using_event(self._stop),
            after=self._say_closed,
        )
        try:
            retrying(self._serve)
        except RetryError:
            pass  # stopped while waiting
        finally:
            self._state = DoorState.CLOSED

    def stop(self) -> None:
        self._stop.set()
        with self._lock:
            if self._open is not None:
                loop, server, reception = self._open
                loop.call_soon_threadsafe(reception.stop)
                server.should_exit = True

    def _serve(self) -> None:
        if self._stop.is_set():
            return
        reception = Reception(
            self._deliveries, self._settings, self._rules, spool=self._house.spool, clock=self._house.clock
        )
        server = Server(reception.app, self._settings, on_open=lambda port: self._opened(server, reception, port))
        try:
            server.run_until_stopped()
        finally:
            with self._lock:
                self._open = None
            self.port = None
            reception.close()

    def _opened(self, server: Server, reception: Reception, port: int) -> None:
        """Called in the server's loop once it listens."""
        self.port = port
        self._state, self._code = DoorState.TAKING, ""
        with self._lock:
            self._open = (asyncio.get_running_loop(), server, reception)
            if self._stop.is_set():
                server.should_exit = True
        log.info("osci.listening", channel=self.channel)

    def _on_holding(self, code: str) -> None:
        self._state = DoorState.HOLDING if code else DoorState.TAKING
        self._code, self._held_at = code, time.monotonic()

    def _say_closed(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        self._state = DoorState.OPENING
        self._code = error.code if isinstance(error, Misconfigured) else type(error).__name__
        where = error.where if isinstance(error, Misconfigured) else ""
        if isinstance(error, OSError):
            where = f"{self._settings.host}:{self._settings.port}: {error.strerror or error}"
        log.error("osci.closed", channel=self.channel, code=self._code, where=where, attempt=state.attempt_number)
