"""What every door that is an endpoint does: opens it, keeps it open, and closes it within a second."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from starlette.types import ASGIApp
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
from intermediary.ingress.doors import DoorState, DoorStatus
from intermediary.ingress.gate import Gate
from intermediary.ingress.https.bounds import Listening
from intermediary.ingress.https.server import Server

log = structlog.get_logger(__name__)

HOLDING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Events:
    """What the log says of an endpoint: that it is open, that it could not be opened."""

    listening: str
    closed: str


class Served(Protocol):
    """The application behind an endpoint; made anew each time it is opened. `stop` is called in the loop's thread."""

    @property
    def app(self) -> ASGIApp: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...


class HttpsDoor:
    """Implements `Door` for whatever `serve` makes; `events` are its words in the log.

    An address that cannot be had or a certificate that cannot be read is tried again; `port` is the one it listens on,
    known while it is open.
    """

    def __init__(
        self, settings: Listening, channel: str, gate: Gate, *, serve: Callable[[], Served], events: Events
    ) -> None:
        self._listening = settings
        self._channel = channel
        self._gate = gate
        self._serve_anew = serve
        self._events = events
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._open: tuple[asyncio.AbstractEventLoop, Server, Served] | None = None
        self._state = DoorState.CLOSED
        self._code = ""
        self._held_at = 0.0
        self.port: int | None = None

    @property
    def channel(self) -> str:
        return self._channel

    @property
    def status(self) -> DoorStatus:
        """What could not be taken counts for a while only: nobody may have come again since, to show that all is well."""
        state, code = self._state, self._code
        obstacle = self._gate.obstacle()
        if state is DoorState.HOLDING and time.monotonic() - self._held_at > HOLDING_SECONDS:
            state, code = DoorState.TAKING, ""
        if obstacle is not None and state is DoorState.TAKING:
            state, code = DoorState.HOLDING, obstacle.code
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
                loop, server, served = self._open
                loop.call_soon_threadsafe(served.stop)
                server.should_exit = True

    def note_holding(self, code: str) -> None:
        """Called by the application: nothing can be made durable now (with the code that says why), or (empty) again."""
        self._state = DoorState.HOLDING if code else DoorState.TAKING
        self._code, self._held_at = code, time.monotonic()

    def _serve(self) -> None:
        if self._stop.is_set():
            return
        served = self._serve_anew()
        server = Server(served.app, self._listening, on_open=lambda port: self._opened(server, served, port))
        try:
            server.run_until_stopped()
        finally:
            with self._lock:
                self._open = None
            self.port = None
            served.close()

    def _opened(self, server: Server, served: Served, port: int) -> None:
        """Called in the server's loop once it listens."""
        self.port = port
        self._state, self._code = DoorState.TAKING, ""
        with self._lock:
            self._open = (asyncio.get_running_loop(), server, served)
            if self._stop.is_set():
                server.should_exit = True
        log.info(self._events.listening, channel=self._channel, port=port)

    def _say_closed(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        self._state = DoorState.OPENING
        self._code = error.code if isinstance(error, Misconfigured) else type(error).__name__
        where = error.where if isinstance(error, Misconfigured) else ""
        if isinstance(error, OSError):
            where = f"{self._listening.host}:{self._listening.port}: {error.strerror or error}"
        log.error(
            self._events.closed,
            channel=self._channel,
            code=self._code,
            where=where,
            attempt=state.attempt_number,
        )
