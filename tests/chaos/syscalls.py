"""SIGKILL, or an error of the disk, at every system call of the way, one after the other (faults F3, F15).

For each kind of call a fresh message is taken, delivered and sealed under a tracer that strikes at the n-th call, for
n = 1, 2, … until the process gets through. Then the way is gone once more without a tracer, which has to find and finish
whatever was left. The checker looks at everything together at the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from intermediary.testing.pki import Pki
from intermediary.testing.postgres import PrivatePostgres
from tests.chaos.campaign import POSTGRESQL
from tests.chaos.checker import Finding, check, kinds
from tests.chaos.evidence import Cli, collect, is_settled
from tests.chaos.installation import Stand, make_stand
from tests.chaos.journal import Journal
from tests.chaos.nursery import Nursery
from tests.chaos.sink import Sink

KILLED = (
    "fdatasync",
    "fsync",
    "write",
    "pwrite64",
    "rename,renameat,renameat2",
    "sendto",
    "sendmsg",
    "unlink,unlinkat",
)
FAILED = ("fdatasync", "fsync", "pwrite64", "rename,renameat,renameat2")
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
    calls: tuple[str, ...] = KILLED,
    errors: tuple[str, ...] = (),
    most: int = 10_000,
    pki: Pki | None = None,
) -> Sweep:
    """Strike at every call of each kind in `calls` with SIGKILL and of each in `errors` with EIO; `most` of each kind."""
    demand_tracer()
    started, result = time.monotonic(), Sweep()
    with _surroundings(engine, folder, pki) as (stand, nursery, journal, sent):
        cli = Cli(stand, nursery)
        trial = _Trial(stand, nursery, sent)
        for manner, chosen in (("signal=KILL", calls), ("error=EIO", errors)):
            for call in chosen:
                for number in range(1, most + 1):
                    is_struck = trial.run(f"inject={call}:{manner}:when={number}", f"{call.split(',')[0]}-{number}")
                    journal.write("strike", call=call, manner=manner, number=number, struck=is_struck)
                    if not is_struck:
                        break
                    result.struck[f"{call.split(',')[0]} {manner}"] += 1
        trial.finish(cli)
        evidence = collect(stand, cli, sent=[sent.path], sink=folder / "sink.jsonl",
                           settled=is_settled(cli.lines("state", "--all", "--json")))  # fmt: skip
        result.findings = check(evidence)
    result.seconds = time.monotonic() - started
    return result


class _Trial:
    """One message on its way, struck once, and the way gone again."""

    def __init__(self, stand: Stand, nursery: Nursery, sent: Journal) -> None:
        self._stand = stand
        self._nursery = nursery
        self._sent = sent
        self._count = 0
        self._lying: set[str] = set()

    def run(self, injection: str, name: str) -> bool:
        """Whether the call was reached."""
        self._count += 1
        self._give(f"{self._count}-{name}")
        is_struck = self._go(injection)
        if is_struck:
            self._go("")
        self._look()
        return is_struck

    def finish(self, cli: Cli) -> None:
        """Go the way until nothing is left: what asked for patience is due later."""
        pause, end = threading.Event(), time.monotonic() + _RUN_SECONDS
        while time.monotonic() < end:
            self._go("")
            self._look()
            if not self._lying and is_settled(cli.lines("state", "--all", "--json")):
                return
            pause.wait(0.3)

    def _give(self, name: str) -> None:
        self._sent.write("given", id=name, channel="folder")
        bodies = self._stand.ordinary
        draft = self._stand.site.inbox / f".{name}"
        draft.write_bytes(bodies[self._count % len(bodies)])
        draft.rename(self._stand.site.inbox / name)
        self._lying.add(name)

    def _look(self) -> None:
        for name in [one for one in self._lying if not (self._stand.site.inbox / one).exists()]:
            self._sent.write("taken", id=name)
            self._lying.discard(name)

    def _go(self, injection: str) -> bool:
        """One run; whether it was struck: killed, or told by the tracer."""
        go = self._stand.folder / "go"
        go.unlink(missing_ok=True)
        os.mkfifo(go, 0o600)
        words = ["oneshot", "folder", str(self._stand.site.config), str(go), "1"]
        pid = self._nursery.start(words, log=self._stand.log)
        tracer, told = None, self._stand.folder / "traced"
        if injection:
            told.unlink(missing_ok=True)
            tracer = subprocess.Popen(
                ["strace", "-f", "-qq", "-e", f"trace={injection[7:].split(':')[0]}", "-e", injection,
                 "-o", str(told), "-p", str(pid)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            _wait_for_tracer(pid)
        with go.open("wb") as pipe:
            pipe.write(b"go")
        status = self._end(pid)
        if tracer is not None:
            tracer.wait(_ATTACH_SECONDS)
            with suppress(ValueError):
                tracer.communicate(timeout=1)
        is_told = injection.count("error=") > 0 and told.exists() and "(INJECTED)" in told.read_text(errors="replace")
        return status == -9 or is_told

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
def _surroundings(engine: str, folder: Path, pki: Pki | None) -> Iterator[tuple[Stand, Nursery, Journal, Journal]]:
    with ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True)
        database = stack.enter_context(PrivatePostgres()).database() if engine == POSTGRESQL else ""
        stand = make_stand(folder / "site", pki=pki, database=database)
        journal, sent = Journal(folder / "faults.jsonl"), Journal(folder / "sent-folder.jsonl")
        heard = Journal(folder / "sink.jsonl", sync=True)
        for one in (journal, sent, heard):
            stack.callback(one.close)
        sink = Sink(stand.socket, heard, seed=1, share=0.0)
        stack.callback(sink.close)
        nursery = Nursery(stand.plugins)
        stack.callback(nursery.close)
        yield stand, nursery, journal, sent
