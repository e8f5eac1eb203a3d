"""A private RabbitMQ for tests, benches and the soak: own ports, own directory, killed and restarted at will."""

from __future__ import annotations

import contextlib
import os
import queue
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_HOMES = (Path("/usr/lib/rabbitmq/bin"), Path("/opt/rabbitmq/sbin"))
_READY = "Server startup complete"
# Reads until the end of our pipe, which comes with the end of our process, however it ended.
_GUARD = 'cat >/dev/null; kill -9 "$1" "$2"; rm -rf "$3"'
_SERVER_PORTS = (10_240, 32_768)  # Linux takes the ports of outgoing connections from above
_CONFIG = """\
disk_free_limit.absolute = 200MB
vm_memory_high_watermark.absolute = 1GB
"""


class RabbitMissing(Exception):
    """RabbitMQ is not installed here; the message is the one line that installs it."""

    def __init__(self) -> None:
        super().__init__("RabbitMQ is missing: apt-get install rabbitmq-server")


class RabbitDied(Exception):
    """The broker ended instead of becoming ready; the message is the end of what it said."""


class PrivateRabbit:
    """One broker of our own on 127.0.0.1.

    Use it as a context manager: it is ready inside, and gone with its directory afterwards. `kill` is SIGKILL to the
    broker's process, `restart` brings it back with what it had stored (killing it first if it still runs), `stop` asks
    it to end in good order. `url` holds for the whole life, also over restarts. `ctl` runs `rabbitmqctl` against it.
    When our own process is killed, the broker and its directory go too. `config` is added to its rabbitmq.conf.
    """

    def __init__(self, *, start_seconds: float = 90.0, config: str = "") -> None:
        self._home = _installed()
        self._config = config
        self._start_seconds = start_seconds
        self._folder = Path(tempfile.mkdtemp(prefix="private-rabbit-"))
        self.port, self._dist_port, self._epmd_port = free_ports(3)
        self._epmd: subprocess.Popen[bytes] | None = None
        self._broker: subprocess.Popen[str] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address for clients: the default user, which is allowed from this machine only."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"

    @property
    def pid(self) -> int:
        """Process id of the broker."""
        if self._broker is None:
            raise RabbitDied("the broker was not started")
        return self._broker.pid

    @property
    def is_running(self) -> bool:
        return self._broker is not None and self._broker.poll() is None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def start(self) -> None:
        """Start and return when the broker accepts connections."""
        for folder in ("home", "mnesia", "log"):
            (self._folder / folder).mkdir(exist_ok=True)
        (self._folder / "enabled_plugins").write_text("[].\n")
        (self._folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.default = 127.0.0.1:{self.port}\n{_CONFIG}{self._config}"
        )
        if self._epmd is None:
            self._epmd = self._start_epmd()
        self._broker = subprocess.Popen(
            [str(self._home / "rabbitmq-server")],
            cwd=self._folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._guard = self._start_guard(self._broker, self._epmd)
        self._await_ready(self._broker)

    def kill(self) -> None:
        """SIGKILL: the broker has no chance to write anything more."""
        self._dismiss_guard()
        if self._broker is not None:
            if self._broker.poll() is None:
                self._broker.send_signal(signal.SIGKILL)
            self._broker.wait()

    def stop(self, timeout_seconds: float = 30.0) -> None:
        """SIGTERM, and wait for the end; kill when it takes too long."""
        self._dismiss_guard()
        if self._broker is None or self._broker.poll() is not None:
            return
        self._broker.send_signal(signal.SIGTERM)
        try:
            self._broker.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def restart(self) -> None:
        """Kill it if it still runs, and start again on the same data."""
        self.kill()
        self.start()

    def settle(self) -> None:
        """Restart in good order, so that queues declared so far survive a `kill`.

        RabbitMQ 3.10 writes what a new quorum queue needs for electing a leader some seconds after it was declared; killed
        before that, the queue comes back without a leader and answers nobody.
        """
        self.stop()
        self.start()

    def ctl(self, *arguments: str) -> str:
        """Run `rabbitmqctl` with these arguments; gives what it printed."""
        done = subprocess.run(
            [str(self._home / "rabbitmqctl"), *arguments],
            cwd=self._folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(folder / "home"),
            # The start script then becomes the broker itself, so that its process id is the one we hold.
            "NOTIFY_SOCKET": str(folder / "nobody-listens"),
            "RABBITMQ_NODENAME": f"private{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "no-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        }

    def _start_epmd(self) -> subprocess.Popen[bytes]:
        """The port mapper of Erlang as a child of ours; otherwise the broker would leave one behind as a daemon."""
        epmd = shutil.which("epmd")
        if epmd is None:
            raise RabbitMissing
        return subprocess.Popen(
            [epmd, "-address", "127.0.0.1", "-port", str(self._epmd_port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _start_guard(self, broker: subprocess.Popen[str], epmd: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["sh", "-c", _GUARD, "guard", str(broker.pid), str(epmd.pid), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _dismiss_guard(self) -> None:
        """First the guard, then what it guards: it must never meet a process id that is somebody else's by then."""
        if self._guard is not None:
            self._guard.kill()
            self._guard.wait()
            if self._guard.stdin is not None:
                self._guard.stdin.close()
            self._guard = None

    def _await_ready(self, broker: subprocess.Popen[str]) -> None:
        """Read the broker's own words until it says that it is ready; they are kept in a file from then on."""
        ready: queue.SimpleQueue[bool] = queue.SimpleQueue()
        log_path = self._folder / "log" / f"broker-{broker.pid}.log"

        def listen() -> None:
            with log_path.open("w", encoding="utf-8") as log, broker.stdout or open(os.devnull) as said:
                for line in said:
                    log.write(line)
                    log.flush()
                    if _READY in line:
                        ready.put(True)
            ready.put(False)

        threading.Thread(target=listen, name="private-rabbit", daemon=True).start()
        try:
            is_ready = ready.get(timeout=self._start_seconds)
        except queue.Empty:
            is_ready = False
        if not is_ready:
            self.kill()
            raise RabbitDied(log_path.read_text(encoding="utf-8")[-2000:])

    def _remove(self) -> None:
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _installed() -> Path:
    for home in _HOMES:
        # Not the script in PATH: the packaged wrapper changes to another user and to the machine's own directories.
        if (home / "rabbitmq-server").is_file():
            return home
    raise RabbitMissing


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now, and that the machine gives to no outgoing connection by itself.

    A server that is killed and comes back on its port would otherwise meet one there: somebody's connection, or even one
    that a client, asking again and again, has made with itself.
    """
    sockets: list[socket.socket] = []
    try:
        while len(sockets) < count:
            one = socket.socket()
            try:
                one.bind(("127.0.0.1", random.randrange(*_SERVER_PORTS)))
            except OSError:
                one.close()
                continue
            sockets.append(one)
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _main() -> None:
    """Run one until interrupted, for work at the keyboard: `python -m intermediary.testing.servers`."""
    started = time.monotonic()
    with PrivateRabbit() as rabbit:
        print(
            f"{rabbit.url}  (pid {rabbit.pid}, ready after {time.monotonic() - started:.1f} s; end with ^C)", flush=True
        )
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    _main()
