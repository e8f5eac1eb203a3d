"""SIGKILL, or an error of the disk, at every system call of the way, one after the other (faults F3, F15).

For each thread and kind of call a fresh message is taken, delivered, answered and sealed under a tracer that strikes at the
n-th call, for n = 1, 2, … until the process gets through. Then the way is gone once more without a tracer, which has to
find and finish whatever was left. The checker looks at everything together at the end.

The tracer counts for each thread and each system call alone; so one thread and one call are struck at a time. Otherwise the
first thread to reach n would hide the n-th call of all others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pika

from intermediary.testing.pki import Pki
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.servers import PrivateRabbit
from tests.chaos.campaign import POSTGRESQL
from tests.chaos.checker import Finding, check, kinds
from tests.chaos.evidence import Cli, collect, is_settled
from tests.chaos.installation import Stand, make_stand
from tests.chaos.journal import Journal
from tests.chaos.nursery import Nursery
from tests.chaos.oneshot import LATE, MAIN
from tests.chaos.senders import declare_queues
from tests.chaos.sink import Sink
from tests.chaos.ways import FOLDER, RABBIT, FolderWay, QueueWay, Way, threads

KILLED = (
    "fdatasync",
    "fsync",
    "write",
    "pwrite64",
    "rename",
    "renameat",
    "renameat2",
    "sendto",
    "sendmsg",
    "unlink",
    "unlinkat",
)
FAILED = ("fdatasync", "fsync", "pwrite64", "rename", "renameat", "renameat2")
# Asked for by `--errors sendto` only: libpq then waits for the end of a connection that only looks broken.
_ERRORS = {"sendto": "ECONNRESET"}
_MISSED = 2
_TRIES = 10
_ATTACH_SECONDS = 20.0
_RUN_SECONDS = 120.0


class TraceForbidden(Exception):
    """Nobody may be traced here; the message says what is missing."""


@dataclass(slots=True)
class Sweep:
    """What was struck: how many calls of each kind, and what was found."""

    struck: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        told = [asdict(one) for one in self.findings[:50]]
        return {"struck": dict(self.struck), "total": sum(self.struck.values()), "seconds": round(self.seconds, 1),
                "findings": told, "kinds": kinds(self.findings)}  # fmt: skip


def demand_tracer() -> None:
    """Raise `TraceForbidden` where a process cannot be traced."""
    if shutil.which("strace") is None:
        raise TraceForbidden("strace is missing: apt-get install strace")
    probe = subprocess.run(["strace", "-f", "-o", os.devnull, "true"], capture_output=True, check=False, timeout=60)
    if probe.returncode:
        raise TraceForbidden("processes may not be traced here (ptrace)")


def sweep(
    engine: str,
    folder: Path,
    *,
    way: str = FOLDER,
    calls: tuple[str, ...] = KILLED,
    errors: tuple[str, ...] = (),
    most: int = 10_000,
    plant: str = "",
    pki: Pki | None = None,
) -> Sweep:
    """Strike at every call of each kind in `calls` with SIGKILL and of each in `errors` with an error; `most` of each.

    A `plant` is in every run that is struck.
    """
    demand_tracer()
    started, result = time.monotonic(), Sweep()
    with _surroundings(engine, way, folder, pki) as (stand, nursery, journal, going):
        cli = Cli(stand, nursery)
        trial = _Trial(stand, nursery, going, plant)
        trial.warm()
        for thread in threads(way, engine):
            made = trial.count(thread, {*calls, *errors})
            journal.write("counted", thread=thread, made=made)
            killed = [_Aim(thread, call, "signal=KILL") for call in calls]
            failed = [_Aim(thread, call, f"error={_ERRORS.get(call, 'EIO')}") for call in errors]
            for aim in (one for one in (*killed, *failed) if one.call in made):
                count = _strike_each(trial, journal, aim, most=most, surely=made[aim.call])
                if count:
                    result.struck[f"{thread}: {aim.call} {aim.manner}"] = count
        trial.finish(cli)
        going.close()
        evidence = collect(stand, cli, sent=sorted(folder.glob("sent-*.jsonl")), sink=folder / "sink.jsonl",
                           settled=is_settled(cli.lines("state", "--all", "--json")), ended=trial.ended)  # fmt: skip
        result.findings = check(evidence)
    result.seconds = time.monotonic() - started
    return result


@dataclass(frozen=True, slots=True)
class _Aim:
    """Whose calls of which kind are struck, and how; without a manner they are only written down."""

    thread: str
    call: str
    manner: str = ""

    def at(self, number: int) -> list[str]:
        """The same in the tracer's words."""
        struck = ["-e", f"inject={self.call}:{self.manner}:when={number}"] if self.manner else []
        return ["-e", f"trace={self.call}", *struck]


def _strike_each(trial: _Trial, journal: Journal, aim: _Aim, *, most: int, surely: int) -> int:
    """How many calls were struck; it is over when two runs in a row have got through.

    A call up to number `surely` was seen. Where it is not made each time (a folder that is there already), more messages
    are sent for it.
    """
    struck = missed = 0
    for number in range(1, most + 1):
        is_struck = any(trial.run(aim, number) for _ in range(_TRIES if number <= surely else 1))
        journal.write("strike", thread=aim.thread, call=aim.call, manner=aim.manner, number=number, struck=is_struck)
        struck, missed = struck + is_struck, 0 if is_struck else missed + 1
        if missed == _MISSED:
            break
    return struck


class _Trial:
    """One message on its way, struck once, and the way gone again."""

    def __init__(self, stand: Stand, nursery: Nursery, way: Way, plant: str) -> None:
        self._stand = stand
        self._plant = plant
        self._nursery = nursery
        self._way = way
        self._told = stand.folder / "traced"
        self._count = 0
        self.ended: list[int] = []

    def warm(self) -> None:
        """Go the way once: tables and keys are made, so that every run after it makes the same calls."""
        self._way.give("first")
        self._go()

    def count(self, thread: str, calls: Collection[str]) -> dict[str, int]:
        """How often a thread makes each of these calls in a run that nobody disturbs."""
        self._count += 1
        self._way.give(f"{self._count}-counted")
        self._go(_Aim(thread, ",".join(sorted(calls))))
        return dict(Counter(line.partition("(")[0] for line in self._told.read_text(errors="replace").splitlines()))

    def run(self, aim: _Aim, number: int) -> bool:
        """Whether the call was reached."""
        self._count += 1
        self._way.give(f"{self._count}-{aim.call}-{number}")
        is_struck = self._go(aim, number)
        if is_struck:
            self._go()
        return is_struck

    def finish(self, cli: Cli) -> None:
        """Go the way until nothing is left: what asked for patience is due later."""
        pause, end = threading.Event(), time.monotonic() + _RUN_SECONDS
        while time.monotonic() < end:
            self._go()
            if not self._way.waiting() and is_settled(cli.lines("state", "--all", "--json")):
                return
            pause.wait(0.3)

    def _go(self, aim: _Aim | None = None, number: int = 0) -> bool:
        """One run; whether it was struck: killed, or told by the tracer."""
        gate = self._stand.folder / "gate"
        for path in (gate, gate.with_suffix(".here"), self._told):
            path.unlink(missing_ok=True)
        os.mkfifo(gate, 0o600)
        thread = aim.thread if aim is not None else MAIN
        words = ["oneshot", self._way.name, str(self._stand.site.config), str(gate), thread, str(self._way.waiting())]
        pid = self._nursery.start(words, log=self._stand.log, plant=self._plant if number else "")
        found = self._await_thread(pid, gate)
        tracer = None
        if aim is not None and found:
            tracer = subprocess.Popen(
                ["strace", "-qq", *aim.at(number), "-o", str(self._told), "-p", str(found)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            _wait_for_tracer(found)
        if found:
            with gate.open("wb") as pipe:
                pipe.write(b"go")
        status = self._end(pid)
        if tracer is not None:
            tracer.wait(_ATTACH_SECONDS)
        is_struck = status == -9 or (self._told.exists() and "(INJECTED)" in self._told.read_text(errors="replace"))
        if not is_struck and status not in (0, LATE):
            self.ended.append(status)
        return is_struck

    def _await_thread(self, pid: int, gate: Path) -> int:
        """Its id when it stands at the gate; 0 when the process ended without it."""
        pause, here = threading.Event(), gate.with_suffix(".here")
        while not here.exists():
            if self._nursery.status(pid) is not None:
                return 0
            pause.wait(0.003)
        return int(here.read_text(encoding="ascii"))

    def _end(self, pid: int) -> int:
        pause, end = threading.Event(), time.monotonic() + _RUN_SECONDS
        while (status := self._nursery.status(pid)) is None:
            if time.monotonic() > end:
                os.kill(pid, 9)
                raise AssertionError("a run does not end")
            pause.wait(0.003)
        return status


def _wait_for_tracer(pid: int) -> None:
    pause, end = threading.Event(), time.monotonic() + _ATTACH_SECONDS
    while time.monotonic() < end:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        if "TracerPid:\t0\n" not in text:
            return
        pause.wait(0.003)
    raise AssertionError("the tracer does not attach")


@contextmanager
def _surroundings(
    engine: str, way: str, folder: Path, pki: Pki | None
) -> Iterator[tuple[Stand, Nursery, Journal, Way]]:
    with ExitStack() as stack:

        def journal(name: str, *, sync: bool = False) -> Journal:
            one = Journal(folder / f"{name}.jsonl", sync=sync)
            stack.callback(one.close)
            return one

        folder.mkdir(parents=True, exist_ok=True)
        database = stack.enter_context(PrivatePostgres()).database() if engine == POSTGRESQL else ""
        broker = stack.enter_context(PrivateRabbit()).url if way == RABBIT else ""
        stand = make_stand(folder / "site", pki=pki, database=database, broker=broker)
        sink = Sink(stand.socket, journal("sink", sync=True), seed=1, share=0.0)
        stack.callback(sink.close)
        nursery = Nursery(stand.plugins)
        stack.callback(nursery.close)
        going: Way = FolderWay(stand, journal("sent-folder"))
        if broker:
            declare_queues(pika.URLParameters(broker))
            going = QueueWay(stand, broker, journal("sent-rabbit"), journal("sent-answers"))
        yield stand, nursery, journal("faults"), going
