"""Deliveries in steps under random faults and kills: none lost, none doubled, and no step done twice without need.

For each kind of idempotency so many Zustellungen of eight steps go through a vendor's connector in lanes, while the target
refuses, resets before and after its commit and hangs, lanes end in the middle of a step, and workers are killed. One JSON
line of figures per kind; exit code 1 when a promise was broken.

    python -m tests.soak.step_kills --messages 300 --kills 30 --seed 1
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from intermediary.connect.lane.connector import LaneFactory
from intermediary.connect.lane.process import LaneLimits
from intermediary.connect.places import Places
from intermediary.core.breaker import RestRules
from intermediary.core.codes import CATALOGUE, Healer
from intermediary.core.schedule import Schedule
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.core.targets import TargetRef
from intermediary.core.turns import Limits
from intermediary.core.values import Ausgabe, Dokument, MemoryContent
from intermediary.deliver import Deliverer, OpenTarget, Timing
from intermediary.heartbeat import Heartbeat
from intermediary.store import PlannedTarget, Store
from intermediary.store.owners import is_alive, own_name
from tests.conformance.store_kit import MANDANTEN, Bench, bench_in, eingang
from tests.soak import step_vendor as vendor

KINDS = ("native", "lookup", "none")
PACKAGE = Dokument("p.zip", "application/zip", MemoryContent(b"package"))
AUSGABE = Ausgabe("xdomea 3.1.0", "0401", b"<a/>", PACKAGE, (PACKAGE,))
LEASE = timedelta(seconds=20)
SCHEDULE = Schedule(first=timedelta(milliseconds=300), longest=timedelta(seconds=2), deadline=timedelta(hours=2))
REF = TargetRef("m/r/akten", frozenset({"m/r/akten"}), Limits(), RestRules(after_failures=1_000_000))
MISDEEDS = ("busy", "reset-before", "reset-after", "hang-after")
Z, N = ZustellungState, NachrichtState


class Target:
    """One thread that commits in the order in which it was asked: a look never overtakes what was asked before it."""

    def __init__(self, path: Path, dice: random.Random, share: float) -> None:
        self.effects: Counter[tuple[str, str]] = Counter()
        self.asked: Counter[tuple[str, str]] = Counter()
        self.misdeeds: Counter[str] = Counter()
        self.resumed: Counter[str] = Counter()
        self._begun: set[tuple[str, int]] = set()
        self._dice, self._share = dice, share
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(64)
        self._held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            line, _ = self._server.accept()
            try:
                line.settimeout(5)
                question = json.loads(line.makefile("rb").readline() or b"null")
                if question is not None:
                    self._answer(line, question)
            except (OSError, ValueError):
                """Killed in the middle of its question."""
            if line not in self._held:
                line.close()

    def _answer(self, line: socket.socket, question: dict[str, Any]) -> None:
        place = (question["key"], question["step"])
        if question["op"] == "find":
            line.sendall(json.dumps({"id": self._id(place) if self.effects[place] else ""}).encode() + b"\n")
            return
        misdeed = self._dice.choice(MISDEEDS) if self._dice.random() < self._share else ""
        self.misdeeds[misdeed] += 1
        if misdeed == "busy":
            line.sendall(b'{"busy": 1}\n')
            return
        if misdeed == "reset-before":
            return
        self._commit(place, question)
        if misdeed == "hang-after":
            self._held = [*self._held[-50:], line]
        elif not misdeed:
            line.sendall(json.dumps({"id": self._id(place)}).encode() + b"\n")

    def _commit(self, place: tuple[str, str], question: dict[str, Any]) -> None:
        if (place[0], question["attempt"]) not in self._begun:
            self._begun.add((place[0], question["attempt"]))
            if question["attempt"] > 1:
                self.resumed[place[1]] += 1
        self.asked[place] += 1
        if question["kind"] != "native" or not self.effects[place]:
            self.effects[place] += 1

    @staticmethod
    def _id(place: tuple[str, str]) -> str:
        return f"{place[1]}-{place[0][:8]}"


def work(folder: Path, kind: str, trouble: int) -> None:
    """One worker process, until it is killed or told to end: claim, deliver, answer."""
    store = bench_in_again(folder).open()
    entry = EntryPoint(f"akten-{kind}", f"aktenfirma:{kind.upper()}", "intermediary.connectors")
    table = {"socket": str(folder / "target"), "trouble_percent": trouble}
    factory = LaneFactory(entry, LaneLimits(deliver_seconds=30))
    connector = factory.open(table, base=folder, where="target")
    opened = OpenTarget(connector, SCHEDULE, REF, places=Places(2))
    deliverer = partial(
        Deliverer,
        store,
        target=lambda *_: opened,
        timing=Timing(SCHEDULE, timedelta(seconds=1)),
        now=now,
        jitter=random.random,
    )
    store.release_dead(partial(is_alive, is_shared=False), now())
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threads = [threading.Thread(target=_work, args=(store, deliverer(), stop), daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    while not stop.is_set():
        signal.pause()
    for thread in threads:
        thread.join(20)
    store.close()


def _work(store: Store, deliverer: Deliverer, stop: threading.Event) -> None:
    heartbeat = Heartbeat()
    while not stop.is_set():
        claims = store.claim(own_name(), now(), LEASE)
        if not claims:
            stop.wait(0.1)
        for claim in claims:
            with heartbeat.keeping(store, claim, lease=LEASE, now=now):
                claim = deliverer.advance(claim, lambda: AUSGABE)
            if claim.nachricht.verdict:
                store.answered(claim, N.COMPLETED, {}, now())
            else:
                store.release(claim, now())


def now() -> datetime:
    return datetime.now(UTC)


def bench_in_again(folder: Path) -> Bench:
    from intermediary.keys.wrap import KekFiles, MandantKeys

    files = {one: KekFiles(folder / f"{one}.kek") for one in MANDANTEN}
    return Bench(folder / "data", MandantKeys(files))


def campaign(kind: str, messages: int, kills: int, seed: int) -> dict[str, Any]:
    """One kind; its figures, and what was broken."""
    dice = random.Random(f"{kind} {seed}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "site").mkdir()
        shutil.copy(vendor.__file__, folder / "site" / "aktenfirma.py")
        bench = bench_in(folder)
        store = bench.open()
        target = Target(folder / "target", dice, share=0.02)
        keys = _planned(store, messages)
        began = time.monotonic()
        killed, workers = 0, [_start(folder, kind, 1), _start(folder, kind, 1)]
        rest = threading.Event()
        while not _is_over(store) and time.monotonic() - began < 1500:
            rest.wait(dice.uniform(1.0, 3.0))
            store.targets.tend([REF], now())
            if killed < kills and sum(target.asked.values()) > killed * messages * 8 / kills * 0.9:
                number = dice.randrange(len(workers))
                workers[number].kill()
                workers[number].wait()
                workers[number] = _start(folder, kind, 1)
                killed += 1
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()
        figures = _judged(store, target, kind, keys)
        bench.close()
    return {
        "kind": kind,
        "deliveries": messages,
        "kills": killed,
        "seconds": round(time.monotonic() - began),
        **figures,
    }


def _start(folder: Path, kind: str, trouble: int) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(folder / "site"), *filter(None, sys.path)])
    command = [sys.executable, "-m", "tests.soak.step_kills", "--work", str(folder), kind, str(trouble)]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=log, stderr=log)


def _planned(store: Store, messages: int) -> list[str]:
    keys = []
    for taken in store.take([eingang(f"antrag-{number}", at=now()) for number in range(messages)]):
        claim = store.claim_one(taken.nachricht_id, "judge", now())
        wanted = [PlannedTarget("akten", required=True, output_sha256=PACKAGE.content.sha256)]
        claim = store.plan(claim, route="r", pins={}, plan={}, targets=wanted, now=now())
        store.release(claim, now())
        keys.append(claim.zustellungen[0].key)
    return keys


def _is_over(store: Store) -> bool:
    return not any(store.find(state=N.PLANNED, limit=1)) or all(
        one.state in (Z.DELIVERED, Z.PARKED)
        for found in store.find(state=N.PLANNED)
        for one in store.zustellungen(found.id)
    )


def _judged(store: Store, target: Target, kind: str, keys: Sequence[str]) -> dict[str, Any]:
    records = {one.key: one for found in store.find() for one in store.zustellungen(found.id)}
    states = Counter(one.state for one in records.values())
    broken = []
    for key in keys:
        record, counts = records[key], [target.effects[key, step] for step in vendor.STEPS]
        if any(count > 1 for count in counts):
            broken.append(f"{key}: doubled {counts}")
        if record.state is Z.DELIVERED and any(count != 1 for count in counts):
            broken.append(f"{key}: delivered with {counts}")
        is_doubtful = record.state is Z.PARKED and kind == "none" and CATALOGUE[record.code].healer is Healer.TARGET
        if record.state is not Z.DELIVERED and not is_doubtful:
            broken.append(f"{key}: {record.state} {record.code}")
    codes = Counter(one.code for one in records.values() if one.state is Z.PARKED)
    attempts = sum(one.attempts for one in records.values())
    done = Counter(event.event.name for found in store.find() for event in store.events(found.id))
    return {
        "delivered": states[Z.DELIVERED],
        "parked": dict(codes),
        "attempts": attempts,
        "steps": done["delivery.step"],
        "asked_twice": sum(count - 1 for count in target.asked.values() if count > 1),
        "misdeeds": {name or "none": count for name, count in sorted(target.misdeeds.items())},
        "resumed_at": {step: target.resumed[step] for step in vendor.STEPS},
        "broken": broken[:20],
    }


def main(arguments: Sequence[str]) -> int:
    """0 when every promise held."""
    if arguments[:1] == ["--work"]:
        work(Path(arguments[1]), arguments[2], int(arguments[3]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=KINDS, action="append")
    wanted = parser.parse_args(arguments)
    is_broken = False
    for kind in wanted.kind or KINDS:
        figures = campaign(kind, wanted.messages, wanted.kills, wanted.seed)
        is_broken = is_broken or bool(figures["broken"])
        print(json.dumps(figures), flush=True)
    return int(is_broken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
