"""The daemon of a campaign: started from the nursery, struck in whole or in part, and looked at from outside."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.acceptance.daemon import parent_of
from tests.chaos.installation import Stand
from tests.chaos.nursery import Nursery

ROLES = ("worker", "ingress", "suspect", "health")


class Daemon:
    """One `intermediary run`; usable from the threads of a campaign, which take turns under `lock`."""

    def __init__(
        self, stand: Stand, nursery: Nursery, *, workers: int = 2, plant: str = "", words: tuple[str, ...] = ()
    ) -> None:
        self._words = ["run", "-c", str(stand.site.config), "--workers", str(workers), "--log-level", "debug", *words]
        self.nursery = nursery
        self._plant = plant
        self.log = stand.log
        self.environment: dict[str, str] = {}
        self.lock = threading.RLock()
        self.pid = 0
        self.started = 0.0

    def start(self) -> None:
        with self.lock:
            self.pid = self.nursery.start(self._words, log=self.log, plant=self._plant, environment=self.environment)
            self.started = time.monotonic()

    def children(self) -> list[tuple[int, str]]:
        """Its child processes by role; what hatches them is none of them."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and parent_of(entry) == self.pid:
                role = _role_of(int(entry.name))
                if role:
                    found.append((int(entry.name), role))
        return found

    def is_running(self) -> bool:
        return self.pid != 0 and self.nursery.status(self.pid) is None

    def kill(self, *, group: bool = False) -> None:
        """SIGKILL to the supervisor, whose children die with it, or to all of them at once; waits for their end."""
        with self.lock:
            with suppress(ProcessLookupError):
                _kill(self.pid, group=group)
            self.wait()
            self._wait_for_children()

    def stop(self) -> int:
        """SIGTERM, as a service manager does it; the exit code."""
        with self.lock:
            self._wait_for_start()
            if self.is_running():
                os.kill(self.pid, signal.SIGTERM)
            return self.wait()

    def _wait_for_start(self, seconds: float = 60.0) -> None:
        """Before it listens to signals, SIGTERM ends it like any program: that is no stop in good order."""
        pause, end = threading.Event(), time.monotonic() + seconds
        while time.monotonic() < end and self.is_running() and not self._has_said_started():
            pause.wait(0.02)

    def _has_said_started(self) -> bool:
        """The line of its own start is in the log it shares with its predecessors."""
        mine = f'"pid": {self.pid},'.encode()
        return any(b'"daemon.started"' in line and mine in line for line in self.log.read_bytes().splitlines())

    def wait(self, seconds: float = 60.0) -> int:
        """Its exit code; AssertionError if it does not end."""
        pause, end = threading.Event(), time.monotonic() + seconds
        while (status := self.nursery.status(self.pid)) is None:
            if time.monotonic() > end:
                raise AssertionError("the daemon does not end")
            pause.wait(0.005)
        return status

    def _wait_for_children(self, seconds: float = 20.0) -> None:
        """Until nobody of its group is left: a child that dies with its parent may be a moment late."""
        pause, end = threading.Event(), time.monotonic() + seconds
        while time.monotonic() < end:
            self.nursery.status(self.pid)  # buries who is dead
            try:
                os.killpg(self.pid, 0)
            except ProcessLookupError:
                return
            pause.wait(0.005)
        raise AssertionError("children outlive their daemon")


def _kill(pid: int, *, group: bool) -> None:
    if group:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
            return
    os.kill(pid, signal.SIGKILL)  # in its first moment it has no group yet


def _role_of(pid: int) -> str:
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    return name if name in ROLES else ""
