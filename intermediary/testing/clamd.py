"""A private clamd for tests: own socket, own directory, one hand-made signature, killed and restarted at will."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from intermediary.testing.servers import free_ports

PATTERN = b"INTERMEDIARY-HARMLESS-TEST-PATTERN-4f1b9a"
SIGNATURE = "Intermediary.Test.Pattern"
_PLACES = ("/usr/sbin/clamd", "/usr/local/sbin/clamd")
_GUARD = 'cat >/dev/null; kill -9 "$1"; rm -rf "$2"'


class ClamdMissing(Exception):
    """clamd is not installed here; the message is the one line that installs it."""

    def __init__(self) -> None:
        super().__init__("clamd is missing: apt-get install clamav-daemon")


def clamd_here() -> str:
    """The program; raises `ClamdMissing`."""
    found = shutil.which("clamd") or next((place for place in _PLACES if Path(place).exists()), None)
    if found is None:
        raise ClamdMissing
    return found


class PrivateClamd:
    """One clamd of our own, without freshclam and network: it knows the harmless `PATTERN` and nothing else.

    Use it as a context manager: it answers inside, and is gone with its directory afterwards. `address` and `tcp` are what
    `scan.clamd` says. `kill` is SIGKILL, `start` brings it back.
    """

    def __init__(self, *, stream_max: str = "10M", options: str = "") -> None:
        self._program = clamd_here()
        self._folder = Path(tempfile.mkdtemp(prefix="clamd-"))
        (self._port,) = free_ports(1)
        self._process: subprocess.Popen[str] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        base = self._folder / "base"
        base.mkdir()
        (base / "own.ndb").write_text(f"{SIGNATURE}:0:*:{PATTERN.hex()}\n")
        self._conf = self._folder / "clamd.conf"
        self._conf.write_text(
            f"DatabaseDirectory {base}\nLocalSocket {self._folder}/clamd.ctl\nTCPSocket {self._port}\nTCPAddr 127.0.0.1\n"
            f"TemporaryDirectory {self._folder}\nForeground yes\nSelfCheck 0\nStreamMaxLength {stream_max}\n"
            f"MaxFileSize 50M\nMaxScanSize 50M\nAlertExceedsMax yes\n{options}\n"
        )

    @property
    def address(self) -> str:
        """Its socket in the file system."""
        return f"unix:{self._folder}/clamd.ctl"

    @property
    def tcp(self) -> str:
        """Its address on the loopback interface."""
        return f"tcp://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, *, seconds: float = 60.0) -> None:
        """Start, and return when it answers."""
        (self._folder / "clamd.ctl").unlink(missing_ok=True)
        command = [self._program, f"--config-file={self._conf}", "--foreground=yes"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, "guard", str(self._process.pid), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        watchdog = threading.Timer(seconds, self._process.kill)
        watchdog.start()
        try:
            self._wait(self._process)
        finally:
            watchdog.cancel()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._guard is not None:
            self._guard.kill()
            self._guard.wait()
            if self._guard.stdin is not None:
                self._guard.stdin.close()
            self._guard = None
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def _wait(self, process: subprocess.Popen[str]) -> None:
        """It says what it has set up, and listens when it speaks of its self-check: asked until it answers."""
        said = []
        for line in process.stdout or ():
            said.append(line)
            if "elf checking" in line or "SelfCheck" in line:
                break
        with socket.create_connection(("127.0.0.1", self._port), timeout=30) as connection:
            connection.sendall(b"zPING\0")
            if connection.recv(5) != b"PONG\0":
                raise RuntimeError("clamd does not answer: " + "".join(said[-5:]))
