"""A private PostgreSQL for tests, benches and the soak: own port, own directory, killed and restarted at will."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from intermediary.testing.servers import free_ports

_INSTALLED = Path("/usr/lib/postgresql")
# Reads until the end of our pipe, which comes with the end of our process, however it ended.
_GUARD = 'cat >/dev/null; kill -9 "$(head -n1 "$1/data/postmaster.pid")"; rm -rf "$1"'
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "shared_buffers=128MB",
    "max_connections=200",
    "max_wal_size=512MB",
    "log_min_messages=warning",
)


class PostgresMissing(Exception):
    """PostgreSQL is not installed here; the message is the one line that installs it."""

    def __init__(self) -> None:
        super().__init__("PostgreSQL is missing: apt-get install postgresql")


class PrivatePostgres:
    """One server of our own on 127.0.0.1, run as `nobody` where we are root, because it refuses root.

    Use it as a context manager: it is ready inside, and gone with its directory afterwards. `database` makes a new empty
    one and gives its URL; `kill` is SIGKILL to the whole server, `restart` brings it back with what it had stored.
    When our own process is killed, the server and its directory go too. `place` is where its directory is made, a folder
    that everybody may pass; `settings` are more of the server's, as `name=value`.
    """

    def __init__(self, *, place: Path | None = None, settings: Sequence[str] = ()) -> None:
        self._home = _installed()
        self._folder = Path(tempfile.mkdtemp(prefix="private-postgres-", dir=place))
        self._settings = (*_SETTINGS, *settings)
        (self.port,) = free_ports(1)
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the server's own database."""
        return f"postgresql://intermediary@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        return int((self._folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def __enter__(self) -> Self:
        try:
            if os.geteuid() == 0:
                nobody = pwd.getpwnam("nobody")
                os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._run(
                "initdb",
                *("-U", "intermediary", "-A", "trust", "--no-instructions", "-E", "UTF8", "--locale=C.UTF-8", "-N"),
                "--data-checksums",
            )
            self.start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, "guard", str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._guard is not None:
            self._guard.kill()
            self._guard.wait()
            if self._guard.stdin is not None:
                self._guard.stdin.close()
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start, and return when it answers."""
        settings = " ".join(f"-c {one}" for one in (*self._settings, f"unix_socket_directories={self._folder}"))
        self._run(
            "pg_ctl", "-w", "-t", "110", "-l", str(self._folder / "log"), "-o", f"-p {self.port} {settings}", "start"
        )

    def stop(self, mode: str = "immediate") -> None:
        """End it: `immediate` is a crash without a checkpoint, `fast` ends in good order."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "-w", "-m", mode, "stop", check=False)

    def kill(self) -> None:
        """SIGKILL to the postmaster; its children end when they notice."""
        self._run("pg_ctl", "kill", "KILL", str(self.pid), folder=False, check=False)

    def restart(self) -> None:
        """Bring it back, after `kill` or `stop`; the old one's left-overs are waited for."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop", check=False)
        # A child of the killed one may still hold its shared memory: until it has ended, none starts.
        retrying = Retrying(
            retry=retry_if_exception_type(RuntimeError), wait=wait_fixed(0.2), stop=stop_after_delay(60), reraise=True
        )
        retrying(self.start)

    def database(self) -> str:
        """A new empty database; its URL."""
        name = f"t{uuid.uuid4().hex}"
        command = [str(self._home / "createdb"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "intermediary", name]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return f"postgresql://intermediary@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str, *, database: str = "postgres") -> str:
        """What a statement of the server's superuser answers, in a transaction of its own."""
        command = [str(self._home / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "intermediary"]
        done = subprocess.run(
            [*command, "-d", database, "-v", "ON_ERROR_STOP=1", "-AXqtc", statement],
            check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.stdout.strip()

    def disconnect(self, database: str) -> int:
        """End every connection to a database, as a failing network or an administrator does; how many there were."""
        chosen = f"FROM pg_stat_activity WHERE datname = '{database}'"
        return int(self.execute(f"SELECT count(pg_terminate_backend(pid)) {chosen}"))

    def _run(self, program: str, *arguments: str, folder: bool = True, check: bool = True) -> None:
        command = [str(self._home / program), *(("-D", str(self._folder / "data")) if folder else ()), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]
        done = subprocess.run(
            command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=120, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')[-500:]}")


def _installed() -> Path:
    for home in sorted(_INSTALLED.glob("*/bin"), reverse=True):
        if (home / "initdb").is_file():
            return home
    raise PostgresMissing
