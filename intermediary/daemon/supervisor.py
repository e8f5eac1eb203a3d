"""Starts the child processes, watches them, stops them; parses no message itself, so no message can bring it down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog

from intermediary.daemon.chores import Chores
from intermediary.wiring import Configuration, open_installation, utc_now

log = structlog.get_logger(__name__)

ROLES = ("ingress", "worker")
GRACE = timedelta(seconds=30)
_TICK_SECONDS = 0.5
_RESTART_SECONDS = 1.0
_LONGEST_RESTART_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is to run: which roles, how many worker processes, how many threads in each."""

    config: Path
    roles: tuple[str, ...] = ROLES
    workers: int = 1
    threads: int = 2


@dataclass(slots=True)
class _Child:
    role: str
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    not_before: float = field(default=0.0)


class Supervisor:
    """One daemon. `run` returns the exit code after SIGTERM or SIGINT; a second signal ends it like a crash."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._stop = threading.Event()
        self._children = [_Child(role) for role in order.roles for _ in range(order.workers if role == "worker" else 1)]

    def run(self) -> int:
        """Open the installation once (migrations, keys, plug-ins), so that what is wrong is said before any child runs."""
        installation = open_installation(self._order.config)
        configuration = Configuration(installation.settings)
        chores = Chores(installation, configuration, now=utc_now)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        log.info("daemon.started", roles=list(self._order.roles), workers=self._order.workers, pid=os.getpid())
        try:
            while not self._stop.is_set():
                self._keep_children()
                chores.do()
                self._stop.wait(_TICK_SECONDS)
            self._stop_children()
            chores.seal()
        finally:
            installation.store.close()
        log.info("daemon.stopped", pid=os.getpid())
        return 0

    def _on_signal(self, *_: object) -> None:
        if self._stop.is_set():
            os._exit(1)
        self._stop.set()

    def _keep_children(self) -> None:
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._mourn(child, child.process.returncode)
            if child.process is None and time.monotonic() >= child.not_before:
                child.process = self._start(child.role)

    def _mourn(self, child: _Child, code: int) -> None:
        """A child that dies again and again is started ever more slowly, so that a broken key cannot spin the machine."""
        child.process = None
        child.deaths += 1
        delay = min(_LONGEST_RESTART_SECONDS, _RESTART_SECONDS * 2 ** min(child.deaths - 1, 10))
        child.not_before = time.monotonic() + delay
        log.error("child.died", role=child.role, exit=code, delay_seconds=delay)

    def _start(self, role: str) -> subprocess.Popen[bytes]:
        order = self._order
        command = [sys.executable, "-m", "intermediary.daemon.child", role, str(order.config), str(os.getpid())]
        return subprocess.Popen([*command, str(order.threads)], stdin=subprocess.DEVNULL, start_new_session=False)

    def _stop_children(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        end = time.monotonic() + GRACE.total_seconds()
        for process in running:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
