"""The connector `ordner` under random kills: two workers share their work, one dies at any moment, 200 times."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from intermediary.core.faults import Transient
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Zustellauftrag
from intermediary.testing.connectors import NOW, code_of, make_auftrag, recover
from intermediary.testing.crashes import kill_at
from tests.conformance.ordner_target import OrdnerTarget

pytestmark = pytest.mark.soak

KILLS = 200
WORKERS = 2
LONGEST_LIFE_SECONDS = 0.05
LONGEST_RUN_SECONDS = 300
SEED = 20261121


def test_random_kills_leave_one_effect_each(tmp_path: Path) -> None:
    """After 200 kills at random moments, with a consumer that takes files at once, every package arrived once."""
    chance = random.Random(SEED)
    target = OrdnerTarget(tmp_path / "soak", checksum=True)
    journal = tmp_path / "journal"
    journal.touch()
    workers = [_start(target, journal, number) for number in range(WORKERS)]
    for _ in range(KILLS):
        end = time.perf_counter() + chance.uniform(0, LONGEST_LIFE_SECONDS)
        while time.perf_counter() < end:
            target.consume()
        victim = chance.randrange(WORKERS)
        _kill(workers[victim])
        workers[victim] = _start(target, journal, victim)
    for worker in workers:
        _kill(worker)
    numbers = range(1, _highest(journal) + 1)
    for number in numbers:
        recover(target.connect(), _package(number))
    target.consume()
    arrived = Counter(target.arrived())
    expected = Counter(arrival for number in numbers for arrival in target.expects(_package(number)))

    assert KILLS < len(numbers)
    assert expected == arrived


def test_kills_at_every_instruction_leave_one_effect(tmp_path: Path) -> None:
    """Killed before any byte-code instruction of the connector, the recovery makes it exactly one effect."""
    auftrag = make_auftrag()
    for step in count(1):
        target = OrdnerTarget(tmp_path / str(step), checksum=True)
        action: Callable[[], object] = _delivery(target, auftrag)
        struck = kill_at(step, action, code=code_of(target.connect()), meanwhile=target.consume, granularity="opcode")
        recover(target.connect(), auftrag)
        target.consume()

        assert sorted(target.expects(auftrag)) == sorted(target.arrived()), f"killed at instruction {step}"
        if not struck:
            break


def _delivery(target: OrdnerTarget, auftrag: Zustellauftrag) -> Callable[[], object]:
    return lambda: target.connect().deliver(auftrag, Checkpoints(), NOW)


def _package(number: int) -> Zustellauftrag:
    return make_auftrag(number, data=hashlib.sha256(b"%d" % number).digest() * (1 + number % 5000))


def _start(target: OrdnerTarget, journal: Path, worker: int) -> int:
    """A worker process: it notes each number before it works on it, and recovers the last ones of any before it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LONGEST_RUN_SECONDS)  # no worker outlives a test that failed
    try:
        _work(target, journal)
    except BaseException:
        os._exit(70)
    os._exit(0)


def _work(target: OrdnerTarget, journal: Path) -> None:
    with journal.open("ab", buffering=0) as notes:
        for number in range(max(1, _highest(journal) - 3), 1_000_000):
            notes.write(b"%d\n" % number)
            with suppress(Transient):
                recover(target.connect(), _package(number))


def _highest(journal: Path) -> int:
    return max((int(line) for line in journal.read_bytes().split()), default=0)


def _kill(worker: int) -> None:
    os.kill(worker, signal.SIGKILL)
    _, status = os.waitpid(worker, 0)

    assert os.WIFSIGNALED(status), "a worker ended by itself"
