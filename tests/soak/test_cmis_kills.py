"""The connector `cmis` killed before each of its lines, and every request disturbed in every way in every variant."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import signal
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intermediary.core.faults import Misconfigured, Transient, Unclear
from intermediary.core.ports import Connector, Delivered
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Zustellauftrag
from intermediary.testing.cmis.server import CmisServer
from intermediary.testing.connectors import NOW, Check, make_auftrag, tolerates_a_stopped_rival
from intermediary.testing.faces.mischief import Knob
from tests.conformance.cmis_target import CASE, KEY, CmisTarget, LargePieces
from tests.conformance.test_connector_cmis import SLOW, VARIANTS, disturb_everywhere

pytestmark = pytest.mark.soak

TROUBLE = (
    "reset-before",
    "reset-inside",
    "reset-after",
    "error-before",
    "error-after",
    "refuse",
    "twice",
    "wrong-type",
)
MISCHIEF = (
    "reset-before=0.03",
    "reset-inside=0.01",
    "reset-after=0.04",
    "error-before=0.02",
    "error-after=0.03",
    "refuse:1=0.02",
    "twice=0.02",
    "wrong-type=0.01",
    "drip:1=0.01",
)
DELIVERIES, KILLS, WORKERS, SEED = 300, 100, 2, 20261122
MOST_REQUESTS, LONGEST_RUN_SECONDS = 40, 1200
TELLS_LITTLE = "at a server that tells little"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CmisServer]:
    """A server; each target gives it a repository of its own."""
    with CmisServer(tmp_path_factory.mktemp("cmis")) as running:
        yield running


class Keeping(CmisTarget):
    """A repository whose clerk leaves everything where it is."""

    def consume(self) -> None:
        """Nothing is moved."""


@pytest.mark.parametrize("check", sorted(SLOW, key=lambda one: one.__name__), ids=lambda check: check.__name__)
@pytest.mark.parametrize("variant", ["with a folder", "in pieces"])
def test_conforms_under_kills(check: Check, variant: str, server: CmisServer, tmp_path: Path) -> None:
    """Killed or stopped before any line, with a clerk who is fast or slow, the recovery makes it exactly one effect."""
    kind = Keeping if check is tolerates_a_stopped_rival else CmisTarget  # the README names the gap of the other
    check(lambda name: kind(server, tmp_path / name, **VARIANTS[variant]))


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("keeps_steps", [True, False])
def test_one_effect_whichever_request_is_disturbed(
    variant: str, trouble: str, keeps_steps: bool, server: CmisServer, tmp_path: Path
) -> None:
    """Recovery makes it one effect, with what was noted and without; a server that allows equal names is its own limit."""
    if (variant, trouble) == (TELLS_LITTLE, "twice"):
        return  # documented: what a proxy repeats there is two documents
    disturb_everywhere(server, tmp_path, trouble, VARIANTS[variant], keeps_steps=keeps_steps)


def test_random_faults_and_kills_leave_one_effect_each(server: CmisServer, tmp_path: Path) -> None:
    """300 deliveries by workers that die at any moment, at a server that misbehaves one time in six: each has one effect."""
    chance, begun = random.Random(SEED), time.monotonic()
    target = CmisTarget(server, tmp_path / "dms", table={"case": CASE}, pieces=LargePieces)
    server.seen.clear()
    for words in MISCHIEF:
        server.mischief.turn(Knob.parse(words))
    numbers = range(1, DELIVERIES + 1)
    for number in numbers:
        (tmp_path / f"{number}.due").touch()
    workers = [_start(target, tmp_path) for _ in range(WORKERS)]
    kills = seen = 0
    pause = threading.Event()
    while any(tmp_path.glob("*.due")) and time.monotonic() < begun + LONGEST_RUN_SECONDS:
        wanted = seen + chance.randint(1, MOST_REQUESTS)
        while len(server.seen) < wanted and any(tmp_path.glob("*.due")):
            pause.wait(chance.uniform(0, 0.05))
        seen, victim = len(server.seen), chance.randrange(WORKERS)
        _kill(workers[victim])
        kills += 1
        workers[victim] = _start(target, tmp_path)
    for worker in workers:
        _kill(worker)
    server.mischief.calm()
    expected = sorted(arrival for number in numbers for arrival in target.expects(_package(number)))
    troubles = Counter(knob for one in server.seen for knob in one.knobs)
    folders = Counter(str(one.values.get(KEY)) for one in target.dms.folders() if one.name != "erledigt")
    print(f"{DELIVERIES} deliveries, {kills} kills, {troubles.total()} troubles of {len(server.seen)} requests")
    print(dict(troubles))

    assert [] == sorted(tmp_path.glob("*.due"))
    assert expected == sorted(target.arrived())
    assert {_package(number).key: 1 for number in numbers} == dict(folders)
    assert KILLS < kills


def _package(number: int) -> Zustellauftrag:
    return make_auftrag(number, data=hashlib.sha256(b"%d" % number).digest() * (1 + 70_000 * (number % 10 == 0)))


def _start(target: CmisTarget, folder: Path) -> int:
    """A worker process; it takes what is due and not being worked on, as the store's leases would have it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    signal.alarm(LONGEST_RUN_SECONDS)
    try:
        _work(target, folder)
    except BaseException:
        os._exit(70)
    os._exit(0)


def _work(target: CmisTarget, folder: Path) -> None:
    chance, connector = random.Random(os.getpid()), target.connect()
    while due := sorted(folder.glob("*.due")):
        path = chance.choice(due[:6])
        try:
            file = path.open("r+")
        except FileNotFoundError:
            continue
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if path.exists() and _advance(connector, int(path.stem), path.with_suffix(".steps")):
                path.unlink()


def _advance(connector: Connector, number: int, notes: Path) -> bool:
    """One attempt as the worker makes it, with the steps and the attempts on disk: look-up after doubt, then delivery."""
    lines = (
        [json.loads(line) for line in notes.read_bytes().split(b"\n") if line.endswith(b"}")] if notes.exists() else []
    )
    done = {one["step"]: one["facts"] for one in lines if "step" in one}
    attempt = 1 + sum("attempt" in one for one in lines)

    def note(fact: dict[str, Any]) -> None:
        with notes.open("ab") as file:
            file.write(b"\n" + json.dumps(fact).encode())
            os.fsync(file.fileno())

    steps = Checkpoints(connector.manifest.steps, done, lambda step, facts: note({"step": step, "facts": dict(facts)}))
    auftrag = _package(number)
    try:
        if attempt > 1 and isinstance(connector.lookup(auftrag.key, steps, NOW), Delivered):
            return True
        note({"attempt": attempt})
        return isinstance(connector.deliver(replace(auftrag, attempt=attempt), steps, NOW), Delivered)
    except (Unclear, Transient, Misconfigured):
        return False


def _kill(worker: int) -> None:
    os.kill(worker, signal.SIGKILL)
    _, status = os.waitpid(worker, 0)

    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0, "a worker failed"
