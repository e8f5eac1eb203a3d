"""The faults of a campaign: a stream for each kind with dice of its own, so that a seed gives the same schedule again."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.servers import PrivateRabbit
from tests.chaos.daemon import Daemon
from tests.chaos.installation import LEASE_SECONDS
from tests.chaos.journal import Journal
from tests.chaos.proxy import KINDS, Proxy
from tests.chaos.senders import FolderSender
from tests.chaos.sink import POINTS, Sink

_TRAP_SECONDS = 3.0
_WORK_SECONDS = 4.0


@dataclass(slots=True)
class Field:
    """Where the faults happen; what an engine does not have is None."""

    daemon: Daemon
    sink: Sink
    folder: FolderSender
    journal: Journal
    postgres: PrivatePostgres | None = None
    database: str = ""
    rabbit: PrivateRabbit | None = None
    proxies: dict[str, Proxy] = field(default_factory=dict)
    abort: threading.Event = field(default_factory=threading.Event)
    counts: Counter[str] = field(default_factory=Counter)
    ended: list[int] = field(default_factory=list)

    def tell(self, fault: str, **fields: object) -> None:
        self.counts[fault] += 1
        self.journal.write("fault", fault=fault, **fields)


class Stream:
    """So many faults of one kind, in a thread of its own, with pauses of `mean` seconds between them."""

    name = ""

    def __init__(self, place: Field, count: int, *, seed: int, mean: float) -> None:
        self.place = place
        self.count = count
        self.done = 0
        self.dice = random.Random(f"{self.name} {seed}")
        self._mean = mean
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def strike(self) -> None:
        raise NotImplementedError

    def heal(self) -> None:
        """Undo what the last fault may have left."""

    def _run(self) -> None:
        try:
            while self.done < self.count and not self.place.abort.wait(self.dice.uniform(0.2, 1.8) * self._mean):
                self.strike()
                self.done += 1
        except Exception as failure:
            self.place.journal.write("stream-failed", stream=self.name, failure=repr(failure))
            self.place.abort.set()
            raise
        finally:
            self.heal()


class Kills(Stream):
    """SIGKILL to the daemon, all of it at once or one child, at random and at chosen points; it is started again at once."""

    name = "kills"
    _WAYS = ("random",) * 9 + POINTS * 2 + ("taken", "taken", "ack", "startup", "startup", "startup")
    _WHOM = ("supervisor",) * 4 + ("group",) * 3 + ("worker",) * 2 + ("ingress",)

    def __init__(self, place: Field, count: int, *, seed: int, mean: float, ways: str = "") -> None:
        super().__init__(place, count, seed=seed, mean=mean)
        self._ways = tuple(ways.split(",")) if ways else self._WAYS

    def strike(self) -> None:
        place, way = self.place, self.dice.choice(self._ways)
        whom = self.dice.choice(self._WHOM)
        delay = self.dice.uniform(0.0, 0.7)
        self._revive()
        if way == "startup":
            whom = self.dice.choice(("supervisor", "group"))
            self._kill(whom, way)
            place.daemon.start()
            place.abort.wait(delay)
            self._kill(whom, way)
        elif way == "random":
            self._kill(whom, way)
        else:
            self._kill_at(way, whom)
        if whom in ("supervisor", "group"):
            place.daemon.start()
        if way != "startup":
            self._await_work()

    def _await_work(self) -> None:
        """What is killed before it has begun to work shows little: pauses are counted from the first effect."""
        effects, end = self.place.sink.effects, time.monotonic() + _WORK_SECONDS
        while self.place.sink.effects == effects and time.monotonic() < end:
            self.place.abort.wait(0.005)

    def heal(self) -> None:
        self._revive()

    def _revive(self) -> None:
        """A supervisor that nobody struck is alive; one that is not is a finding."""
        if not self.place.daemon.is_running():
            self.place.ended.append(self.place.daemon.wait())
            self.place.journal.write("ended-by-itself", status=self.place.ended[-1])
            self.place.daemon.start()

    def _kill_at(self, way: str, whom: str) -> None:
        """Wait until it happens; when it does not, the kill is a random one."""
        place = self.place

        def spring() -> None:
            self._kill(whom, way)

        trapped: dict[str, Sink | FolderSender | Proxy | None] = {
            "taken": place.folder,
            "ack": place.proxies.get("broker"),
        }
        trap = trapped.get(way, place.sink)
        if isinstance(trap, Sink):
            sprung = trap.set_trap(way, spring)
        elif trap is not None:
            sprung = trap.set_trap(spring)
        else:
            sprung = threading.Event()
        is_sprung = trap is not None and sprung.wait(_TRAP_SECONDS)
        if trap is not None:
            trap.disarm()
        if not is_sprung and not sprung.wait(0.5):
            self._kill(whom, "random")

    def _kill(self, whom: str, way: str) -> None:
        daemon = self.place.daemon
        if whom in ("supervisor", "group"):
            self.place.tell("kill", whom=whom, way=way, pid=daemon.pid, age=round(time.monotonic() - daemon.started, 3))
            daemon.kill(group=whom == "group")
            return
        chosen = [pid for pid, role in daemon.children() if role == whom]
        if not chosen:  # its successor has not come up yet
            self.place.tell("kill", whom="supervisor", way=way, pid=daemon.pid)
            daemon.kill()
            daemon.start()
            return
        pid = self.dice.choice(chosen)
        self.place.tell("kill", whom=whom, way=way, pid=pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Stops(Stream):
    """SIGSTOP and SIGCONT: a process that sleeps, sometimes longer than its lease, and then goes on as if nothing were."""

    name = "stops"

    def strike(self) -> None:
        place = self.place
        seconds = self.dice.uniform(0.2, 2.0) if self.dice.random() < 0.7 else LEASE_SECONDS + self.dice.uniform(1, 4)
        whom = self.dice.choice(("worker", "worker", "worker", "ingress", "supervisor", "server"))
        pids = [pid for pid, role in place.daemon.children() if role == whom]
        if whom == "supervisor":
            pids = [place.daemon.pid]
        elif whom == "server":
            pids = _servers(place)
        if not pids:
            whom, pids = "supervisor", [place.daemon.pid]
        pid = self.dice.choice(pids)
        place.tell("stop", whom=whom, pid=pid, seconds=round(seconds, 2))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
        place.abort.wait(seconds)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


class BrokerKills(Stream):
    """SIGKILL to the broker; it comes back with what it had confirmed."""

    name = "broker"

    def strike(self) -> None:
        rabbit = self.place.rabbit
        assert rabbit is not None
        self.place.tell("broker-kill", pid=rabbit.pid)
        rabbit.kill()
        self.place.abort.wait(self.dice.uniform(0.0, 0.5))
        rabbit.start()


class Alarms(Stream):
    """The broker has no memory left and takes nothing for a while."""

    name = "alarms"

    def strike(self) -> None:
        self.place.tell("broker-alarm")
        self._set("1MB")
        self.place.abort.wait(self.dice.uniform(0.5, 3.0))
        self._set("1GB")

    def _set(self, size: str) -> None:
        assert self.place.rabbit is not None
        with suppress(Exception):  # it may be down just now: then the alarm is over with its start
            self.place.rabbit.ctl("set_vm_memory_high_watermark", "absolute", size)


class DatabaseKills(Stream):
    """The server is stopped at once or killed, or one of its processes is."""

    name = "database"
    _KINDS = ("postmaster", "immediate", "backend", "backend", "terminate")

    def strike(self) -> None:
        kind = self.dice.choice(self._KINDS)
        postgres = self.place.postgres
        assert postgres is not None
        self.place.tell("database-kill", kind=kind)
        match kind:
            case "postmaster":
                postgres.kill()
                self.place.abort.wait(self.dice.uniform(0.0, 0.5))
                postgres.restart()
            case "immediate":
                postgres.stop()
                postgres.restart()
            case "backend":  # the server answers that with a restart of all of them
                pids = _backends(self.place)
                if pids:
                    with suppress(ProcessLookupError):
                        os.kill(self.dice.choice(pids), signal.SIGKILL)
            case _:
                _quietly(lambda: postgres.disconnect(self.place.database))


class DatabaseMoods(Stream):
    """The server answers and refuses all the same: it takes no writes, or somebody holds a lock."""

    name = "moods"

    def strike(self) -> None:
        place, kind, seconds = self.place, self.dice.choice(("read-only", "lock", "slots")), self.dice.uniform(0.3, 2.0)
        postgres = place.postgres
        assert postgres is not None
        place.tell("database-mood", kind=kind, seconds=round(seconds, 2))
        if kind == "read-only":
            _quietly(lambda: self._read_only("on"))
            place.abort.wait(seconds)
            _insist(lambda: self._read_only("off"))
            return
        table = "nachrichten" if kind == "lock" else "audit_events"
        statement = f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep({seconds:.2f}); COMMIT"
        _quietly(lambda: postgres.execute(statement, database=place.database))

    def heal(self) -> None:
        if self.done:
            _insist(lambda: self._read_only("off"))

    def _read_only(self, value: str) -> None:
        postgres, name = self.place.postgres, self.place.database
        assert postgres is not None
        postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
        postgres.disconnect(name)


class NetworkFaults(Stream):
    """The way to the broker or to the database is broken for a while, in one of five manners."""

    name = "network"

    def strike(self) -> None:
        where = self.dice.choice(sorted(self.place.proxies))
        kind, seconds = self.dice.choice(KINDS), self.dice.uniform(0.1, 1.5)
        self.place.tell("network", kind=kind, where=where, seconds=round(seconds, 2))
        self.place.proxies[where].set_mode(kind)
        self.place.abort.wait(seconds)
        self.place.proxies[where].set_mode("")


def _servers(place: Field) -> list[int]:
    pids = [place.rabbit.pid] if place.rabbit is not None and place.rabbit.is_running else []
    return pids + _backends(place)


def _backends(place: Field) -> list[int]:
    if place.postgres is None:
        return []
    found: list[int] = []

    def ask() -> None:
        assert place.postgres is not None
        statement = (
            f"SELECT pid FROM pg_stat_activity WHERE datname = '{place.database}' AND backend_type = 'client backend'"
        )
        found.extend(int(pid) for pid in place.postgres.execute(statement).split())

    _quietly(ask)
    return found


def _quietly(action: Callable[[], object]) -> bool:
    """Ask a server that may be down just now; whether it answered."""
    try:
        action()
    except Exception:
        return False
    return True


def _insist(action: Callable[[], object], seconds: float = 60.0) -> None:
    pause, end = threading.Event(), time.monotonic() + seconds
    while not _quietly(action) and time.monotonic() < end:
        pause.wait(0.5)
