"""Wakes idle workers when something has become due: at once where the engine can tell, else they look again and again."""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Any, Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from intermediary.core.faults import Fault

RARELY = 5
"""Where a bell can be heard, idle workers look only so many rests apart: for what becomes due by the clock."""

_AGAIN_SECONDS = 1.0
_LAST_RING_SECONDS = 2.0


class Bell(Protocol):
    """One for each open store, usable from any thread."""

    def ring(self) -> None:
        """Something is due now; called after the commit. Never waits and never fails: who looks finds it anyway."""
        ...

    def wait(self, rest: timedelta, stop: threading.Event) -> None:
        """Return when it has rung since this thread's last wait, when `stop` is set, and anyhow before long."""
        ...

    def close(self) -> None:
        """End it; what was rung is still told."""
        ...


class NoBell:
    """An engine that tells nobody: everyone looks once every rest."""

    def ring(self) -> None:
        """Nobody would hear it."""

    def wait(self, rest: timedelta, stop: threading.Event) -> None:
        stop.wait(rest.total_seconds())

    def close(self) -> None:
        """Nothing is open."""


class Notifications:
    """LISTEN and NOTIFY of PostgreSQL on a connection of its own, which a thread keeps once somebody rings or waits.

    A NOTIFY inside the writing transactions would make all of them commit one after the other; so it is sent after them,
    and rings that come meanwhile are one. If it gets lost, or the connection does, work is found by looking.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._rung = 0
        self._is_heard = False
        self._mine = threading.local()
        self._signal = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        self._start()
        os.eventfd_write(self._signal, 1)

    def wait(self, rest: timedelta, stop: threading.Event) -> None:
        self._start()
        seconds = rest.total_seconds()
        with self._changed:
            end = monotonic() + (RARELY * seconds if self._is_heard else seconds)
            while self._rung == getattr(self._mine, "rung", None) and not stop.is_set():
                left = end - monotonic()
                if left <= 0:
                    break
                self._changed.wait(min(left, seconds))
            self._mine.rung = self._rung

    def close(self) -> None:
        with self._changed:
            if self._closing.is_set():
                return
            self._closing.set()
        os.eventfd_write(self._signal, 1)
        if self._thread is not None:
            self._thread.join(_LAST_RING_SECONDS)
        if self._thread is None or not self._thread.is_alive():
            os.close(self._signal)

    def _start(self) -> None:
        with self._changed:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        away = (DBAPIError, PoolExhausted, Fault, self._engine.dialect.loaded_dbapi.Error)
        while True:
            with suppress(*away):
                self._attend()
            if self._closing.wait(_AGAIN_SECONDS):
                return

    def _attend(self) -> None:
        """Tell and hear until the connection is lost or the bell is closed."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.detach()
            driver: Any = connection.connection.dbapi_connection
            driver.execute("SET synchronous_commit = off")  # a ring is no promise: nobody waits for the disk
            driver.execute("LISTEN intermediary_work")
            try:
                self._hear(is_heard=True)
                self._listen(driver)
            finally:
                self._hear(is_heard=False)

    def _listen(self, driver: Any) -> None:
        waiting = select.poll()
        for descriptor in (driver.fileno(), self._signal):
            waiting.register(descriptor, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in waiting.poll()}
            if self._signal in ready:
                os.eventfd_read(self._signal)
                driver.execute("NOTIFY intermediary_work")
            driver.pgconn.consume_input()
            is_rung = False
            while driver.pgconn.notifies() is not None:
                is_rung = True
            if is_rung:
                self._hear(is_heard=True)
            if self._closing.is_set():
                return

    def _hear(self, *, is_heard: bool) -> None:
        """Wake everybody who waits; also when the connection comes or goes, since something may have been missed."""
        with self._changed:
            self._is_heard = is_heard
            self._rung += 1
            self._changed.notify_all()
