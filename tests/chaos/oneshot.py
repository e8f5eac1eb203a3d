"""The whole way in one process: taking, delivering, answering, sealing; for counted system calls.

A daemon makes its calls in another order each time. Here every thread has one duty, and the n-th call of a kind in a thread
is the same one in every run, so that a tracer can end the process at each of them in turn.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from intermediary.core.values import Eingang
from intermediary.daemon.chores import Chores
from intermediary.daemon.logs import configure_logging
from intermediary.ingress.doors import Door
from intermediary.ingress.folder import FolderDoor
from intermediary.store.owners import is_alive, own_name
from intermediary.store.records import Taken
from intermediary.store.store import Store
from intermediary.wiring import Configuration, all_answers, bench, open_doors, open_installation
from intermediary.worker import Worker

MAIN = "main"
LATE = 3
"""The exit code of a run that took less than it was to take."""

_LONGEST_SECONDS = 20.0


def main(words: list[str]) -> int:
    """`folder` or `queue`, CONFIG, GATE, THREAD, MESSAGES: the thread (`main`, or by its name) stops at the gate first."""
    way, config, gate, thread, messages = words
    configure_logging("error")
    if thread == MAIN:
        _stop_at(Path(gate))
    else:
        _stop_thread_at(Path(gate), thread)
    doors: list[Door] = []
    is_late = threading.Event()
    _close_after(int(messages), doors)
    installation = open_installation(Path(config))
    now = installation.now
    installation.store.release_dead(lambda owner: is_alive(owner, is_shared=False), now=now())
    configuration = Configuration(installation.settings)
    doors += [door for door in open_doors(installation) if isinstance(door, FolderDoor) is (way == "folder")]
    for door in doors:
        if isinstance(door, FolderDoor):
            door.sweep()
        elif int(messages):
            _serve(door, is_late)
    answers = all_answers(installation.settings, configuration)
    worker = Worker(bench(installation, configuration, answers), owner=own_name())
    worker.drain()
    Chores(installation, configuration, now=now).seal()
    installation.store.close()
    sys.stderr.flush()
    return LATE if is_late.is_set() else 0


def _serve(door: Door, is_late: threading.Event) -> None:
    """Run it in this thread until it has taken what it was to take, or for too long."""

    def give_up() -> None:
        is_late.set()
        door.stop()

    timer = threading.Timer(_LONGEST_SECONDS, give_up)
    timer.daemon = True
    timer.start()
    door.run()
    timer.cancel()


def _close_after(messages: int, doors: Sequence[Door]) -> None:
    """Stop the doors when so many are durable: what was taken is acknowledged, nothing more is asked for."""
    take: Callable[[Store, Sequence[Eingang]], list[Taken]] = Store.take
    left = messages

    def counted(store: Store, eingaenge: Sequence[Eingang]) -> list[Taken]:
        nonlocal left
        taken = take(store, eingaenge)
        left -= len(taken)
        for door in doors if left <= 0 else ():
            if not isinstance(door, FolderDoor):
                door.stop()
        return taken

    Store.take = counted  # type: ignore[method-assign]


def _stop_thread_at(gate: Path, name: str) -> None:
    """Whoever starts the thread stops too: the process must not end before the tracer has come."""
    start, run, passed = threading.Thread.start, threading.Thread.run, threading.Event()

    def run_later(thread: threading.Thread) -> None:
        if thread.name == name and not passed.is_set():
            _stop_at(gate)
            passed.set()
        run(thread)

    def start_and_wait(thread: threading.Thread) -> None:
        start(thread)
        if thread.name == name:
            passed.wait()

    threading.Thread.run = run_later  # type: ignore[method-assign]
    threading.Thread.start = start_and_wait  # type: ignore[method-assign]


def _stop_at(gate: Path) -> None:
    """Say who one is, and wait for the tracer."""
    draft = gate.with_suffix(".draft")
    draft.write_text(str(threading.get_native_id()), encoding="ascii")
    os.rename(draft, gate.with_suffix(".here"))
    gate.read_bytes()
