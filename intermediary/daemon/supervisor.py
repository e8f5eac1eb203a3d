"""Starts the child processes, watches them, stops them; parses no message itself, so no message can bring it down.

It is the only one that sees a child die by itself, and has what that child held counted (DESIGN §2.7). Suspects are opened
one at a time, each in a process of its own; jobs have one while there are any.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from intermediary.daemon.board import sweep_board
from intermediary.daemon.chores import Chores
from intermediary.daemon.lookout import Lookout
from intermediary.daemon.patience import open_when_there
from intermediary.daemon.watch import Watching
from intermediary.settings.load import load
from intermediary.store.owners import is_alive, process_name
from intermediary.store.private_folder import clear_private_folders
from intermediary.wiring import Configuration, Installation, spool_folder

log = structlog.get_logger(__name__)

ROLES = ("ingress", "worker")
GRACE = timedelta(seconds=30)
_TICK_SECONDS = 0.5
_RESTART_SECONDS = 1.0
_LONGEST_RESTART_SECONDS = 30.0
_HEALTHY_SECONDS = 60.0
_ON_DEMAND = ("suspect", "jobs")
_MANY_DEATHS = 3
_LONGEST_ALONE_SECONDS = 3600.0  # as long as a worker keeps a lease


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
    name: str = ""
    started: float = 0.0
    deaths: int = 0
    not_before: float = field(default=0.0)
    neglected: str = ""


class Supervisor:
    """One daemon. `run` returns the exit code after SIGTERM or SIGINT; a second signal ends it like a crash."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._is_stopping = False
        self._children = [_Child(role) for role in order.roles for _ in range(order.workers if role == "worker" else 1)]
        if "worker" in order.roles:
            self._children += [_Child(role) for role in _ON_DEMAND]

    def run(self) -> int:
        """Open the installation once (migrations, keys, plug-ins), so that what is wrong is said before a child works."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._open_health()
        try:
            return self._run()
        except BaseException:  # a start that is refused leaves nobody behind
            self._stop_children()
            raise

    def _run(self) -> int:
        installation = open_when_there(self._order.config, lambda: self._is_stopping)
        if installation is None:
            self._stop_children()
            return 0
        configuration = Configuration(installation.settings)
        chores = Chores(installation, configuration, now=installation.now)
        sweep_board(installation.settings.installation.data)
        with suppress(OSError):  # the next restore or backup says why it cannot
            clear_private_folders(spool_folder(installation.settings))
        lookout = Lookout(installation, role="supervisor", keeps_time=True)
        lookout.look()  # the time is remembered before any child asks for it
        log.info("daemon.started", roles=list(self._order.roles), workers=self._order.workers, pid=os.getpid())
        watching = Watching(
            installation,
            configuration,
            failing=lambda: chores.failing,
            dying=self._dying,
            overdue=lambda: chores.overdue,
        )
        try:
            chores.free_dead_leases_at_start()
            while not self._is_stopping:
                lookout.look()
                self._keep_children(installation, lookout)
                chores.do()
                time.sleep(_TICK_SECONDS)
            self._stop_children()
            chores.seal()
        finally:
            watching.end()
            lookout.close()
            installation.store.close()
        log.info("daemon.stopped", pid=os.getpid())
        return 0

    def _open_health(self) -> None:
        """Before anything else: it tells that the store is away while everybody else waits for it."""
        if load(self._order.config).health.listen is not None:
            self._children.append(_Child("health"))
            self._start(self._children[-1])

    def _dying(self) -> list[str]:
        """Roles of which a process dies again and again."""
        young = time.monotonic() - _HEALTHY_SECONDS
        return sorted({c.role for c in self._children if c.deaths >= _MANY_DEATHS and c.started > young})

    def _on_signal(self, *_: object) -> None:
        """Sets a plain flag: an Event that is being waited for may be locked by the thread that was interrupted."""
        if self._is_stopping:
            os._exit(1)
        self._is_stopping = True

    def _keep_children(self, installation: Installation, lookout: Lookout) -> None:
        for child in self._children:
            try:
                self._keep(child, installation, lookout)
            except Exception as failure:  # whatever it is, the other children go on, and this one comes round again
                kind = type(failure).__name__
                if child.neglected != kind:  # an outage of the store is told once
                    log.error("child.neglected", role=child.role, failure=kind)
                child.neglected = kind
            else:
                child.neglected = ""

    def _keep(self, child: _Child, installation: Installation, lookout: Lookout) -> None:
        if child.process is not None and child.process.poll() is not None:
            self._mourn(child, child.process.returncode, installation)
        if child.process is None:
            may_start = lookout.may_work or child.role not in _ON_DEMAND
            if may_start and time.monotonic() >= child.not_before and _is_wanted(child.role, installation):
                self._start(child)
        elif child.role == "suspect" and time.monotonic() - child.started > _LONGEST_ALONE_SECONDS:
            child.process.kill()

    def _mourn(self, child: _Child, code: int, installation: Installation) -> None:
        """Count what the child held, then let it go; raises a fault of the store, and is then called again.

        A child that dies again and again is started ever more slowly, so that a broken key cannot spin the machine.
        """
        count = 0
        if child.role != "health":  # it holds nothing, and is wanted most while the store is away
            count = installation.store.release_crashed(child.name, installation.now(), alone=child.role == "suspect")
        child.process = None
        if child.role in _ON_DEMAND and code == 0 and not count:
            child.deaths = 0
            return
        now = time.monotonic()
        child.deaths = 1 if now - child.started >= _HEALTHY_SECONDS else child.deaths + 1
        delay = min(_LONGEST_RESTART_SECONDS, _RESTART_SECONDS * 2 ** min(child.deaths - 1, 10))
        child.not_before = now + delay
        log.error("child.died", role=child.role, exit=code, count=count, delay_seconds=delay)

    def _start(self, child: _Child) -> None:
        order = self._order
        command = [sys.executable, "-m", "intermediary.daemon.child", child.role, str(order.config), str(os.getpid())]
        child.started = time.monotonic()
        child.process = subprocess.Popen(
            [*command, _aside(order) if child.role == "health" else str(order.threads)],
            stdin=subprocess.DEVNULL,
            start_new_session=False,
        )
        child.name = process_name(child.process.pid)

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


def _is_wanted(role: str, installation: Installation) -> bool:
    """Whether there is something to do for a child of this role."""
    store, now = installation.store, installation.now()
    match role:
        case "suspect":
            return store.has_suspect(now)
        case "jobs":
            return store.jobs.is_waiting(partial(is_alive, is_shared=store.is_shared), now)
        case _:
            return True


def _aside(order: Order) -> str:
    """What the health process must know of its daemon: the processes that belong to it."""
    return ",".join(f"{role}={order.workers if role == 'worker' else 1}" for role in order.roles)
