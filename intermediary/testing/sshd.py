"""A private OpenSSH server for tests: own port, own keys, own folder; its sessions and itself are killed at will."""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from intermediary.testing.servers import free_ports

_PLACES = ("/usr/sbin/sshd", "/usr/local/sbin/sshd")
_GUARD = 'cat >/dev/null; kill -9 "$1"; rm -rf "$2"'


class SshdMissing(Exception):
    """OpenSSH's server is not installed here; the message is the one line that installs it."""

    def __init__(self) -> None:
        super().__init__("sshd is missing: apt-get install openssh-server")


def sshd_here() -> str:
    """The program; raises `SshdMissing`."""
    found = shutil.which("sshd") or next((place for place in _PLACES if Path(place).exists()), None)
    if found is None:
        raise SshdMissing
    return found


class PrivateSshd:
    """One sshd of our own on 127.0.0.1 that lets its own user in, with `client_key`, and does nothing but SFTP.

    Use it as a context manager: it answers inside, and is gone with its folder afterwards. Paths of its sessions are those
    of this machine; `root` is a folder to work in. `sftp` replaces the subsystem's command line (`internal-sftp -R`: read
    only). `most_bytes` bounds the size of a file: a write beyond it fails as at a full disk.
    """

    def __init__(self, *, sftp: str = "internal-sftp", most_bytes: int | None = None) -> None:
        self._program = sshd_here()
        self._folder = Path(tempfile.mkdtemp(prefix="private-sshd-"))
        (self.port,) = free_ports(1)
        self.user = getpass.getuser()
        self.root = self._folder / "root"
        self.root.mkdir()
        self.host_key = self._key("host")
        self._key("client")
        self.client_key = self._folder / "client"
        self._most_bytes = most_bytes
        self._process: subprocess.Popen[str] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._conf = self._folder / "sshd_config"
        self._conf.write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {self._folder}/host\nPidFile none\n"
            f"AuthorizedKeysFile {self._folder}/client.pub\nUsePAM no\nStrictModes no\nPermitRootLogin yes\nUseDNS no\n"
            f"PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 500\nMaxSessions 100\n"
            f"LoginGraceTime 30\nPrintMotd no\nSubsystem sftp {sftp}\nForceCommand {sftp}\n"
        )

    @property
    def known_hosts(self) -> Path:
        """A file that names its host key."""
        path = self._folder / "known_hosts"
        kind_and_key = (self._folder / "host.pub").read_text().split()[:2]
        path.write_text(f"[127.0.0.1]:{self.port} {' '.join(kind_and_key)}\n")
        return path

    def sealed_key(self, password: str) -> Path:
        """The client's key, encrypted with a passphrase."""
        path = self._folder / "client-sealed"
        _write_private(path, _pem(self._client, BestAvailableEncryption(password.encode())))
        return path

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, *, seconds: float = 30.0) -> None:
        """Start, and return when it listens."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it separates its privileges
        command = [self._program, "-D", "-e", "-f", str(self._conf)]
        if self._most_bytes is not None:  # the signal of that limit is ignored, so that the write itself fails
            command = ["prlimit", f"--fsize={self._most_bytes}", *command]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            restore_signals=False,
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
            said = self._await_listening(self._process)
        finally:
            watchdog.cancel()
        if self._process.poll() is not None:
            raise RuntimeError("sshd does not start: " + said)

    def kill_sessions(self) -> int:
        """SIGKILL to every session there is, and how many that were; the server itself goes on."""
        sessions = _descendants(self._process.pid) if self._process is not None else []
        for pid in sessions:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(sessions)

    def kill(self) -> None:
        """SIGKILL to the server and its sessions, and wait until it is gone."""
        if self._guard is not None:
            self._guard.kill()
            self._guard.wait()
            if self._guard.stdin is not None:
                self._guard.stdin.close()
            self._guard = None
        if self._process is not None:
            self.kill_sessions()
            self._process.kill()
            self._process.wait()
            if self._reader is not None:
                self._reader.join()
                self._reader = None
            self._process = None

    def _await_listening(self, process: subprocess.Popen[str]) -> str:
        """Read its own words until it listens; from then on they are read and left, so that it never waits for a reader."""
        said = ""
        assert process.stderr is not None  # noqa: S101
        for line in process.stderr:
            said += line
            if line.startswith("Server listening"):
                break
        self._reader = threading.Thread(target=_drain, args=(process.stderr,), name="private-sshd", daemon=True)
        self._reader.start()
        return said

    def _key(self, name: str) -> str:
        key = ed25519.Ed25519PrivateKey.generate()
        _write_private(self._folder / name, _pem(key, NoEncryption()))
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        (self._folder / f"{name}.pub").write_bytes(public + b"\n")
        if name == "client":
            self._client = key
        digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _pem(key: ed25519.Ed25519PrivateKey, encryption: KeySerializationEncryption) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption)


def _write_private(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


def _drain(stream: IO[str]) -> None:
    with stream:
        for _ in stream:
            continue


def _descendants(pid: int) -> list[int]:
    """The processes below one, deepest last."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            after_name = path.read_text().rpartition(")")[2].split()
            children.setdefault(int(after_name[1]), []).append(int(path.parent.name))
    found, rest = [], [pid]
    while rest:
        below = children.get(rest.pop(), [])
        found += below
        rest += below
    return found
