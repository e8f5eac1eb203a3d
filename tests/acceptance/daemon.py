"""A real `intermediary run` beside the test: started, watched by what it does, killed at the worst moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 180.0


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Look again and again until it holds; fails with `what` when it takes too long."""
    pause = threading.Event()
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        pause.wait(0.02)


class Daemon:
    """One daemon process and its children; what it says is in `log`, what it leaves in TMPDIR in `temporary`.

    `within` is a command that runs it in surroundings of its own.
    """

    def __init__(
        self,
        config: Path,
        *,
        log: Path,
        temporary: Path,
        arguments: tuple[str, ...] = (),
        within: tuple[str, ...] = (),
    ) -> None:
        self.log = log
        command = [
            *within,
            sys.executable,
            "-m",
            "intermediary",
            "run",
            "-c",
            str(config),
            "--log-level",
            "debug",
            *arguments,
        ]
        self._from = log.stat().st_size if log.exists() else 0
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                env=os.environ | {"TMPDIR": str(temporary), "SQLITE_TMPDIR": str(temporary)},
            )

    def said(self, event: str) -> int:
        """How often it has logged this event since it was started."""
        return self.log.read_bytes()[self._from :].count(f'"event": "{event}"'.encode())

    def wait_for(self, event: str, times: int = 1) -> None:
        """Wait until it has logged this event."""
        wait_until(lambda: self.said(event) >= times or self._process.poll() is not None, event)
        assert self._process.poll() is None, f"the daemon ended before {event}"

    def children(self) -> list[int]:
        """Its child processes."""
        entries = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [int(entry.name) for entry in entries if parent_of(entry) == self._process.pid]

    def kill(self) -> None:
        """SIGKILL to the supervisor; its children die with it."""
        children = self.children()
        self._process.kill()
        self._process.wait()
        wait_until(lambda: not any(_is_alive(child) for child in children), "the end of the children")

    def stop(self) -> int:
        """SIGTERM, as a service manager does it; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_SECONDS)


def parent_of(entry: Path) -> int:
    """The parent of the process with this folder in /proc; 0 when it is gone."""
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return 0


def _is_alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
