"""Writers of one SQLite database take turns before they ask SQLite, and never depend on it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from intermediary.store import writer_queue
from intermediary.store.writer_queue import WriterQueue


def test_two_processes_are_never_at_once(tmp_path: Path) -> None:
    """Two queues at one file are two processes: who comes while the other has its turn waits for its end."""
    one, two = (WriterQueue(tmp_path / "writer.lock") for _ in range(2))
    inside, most, counting = 0, 0, threading.Lock()

    def write(queue: WriterQueue) -> None:
        nonlocal inside, most
        for _ in range(50):
            with queue.turn():
                with counting:
                    inside += 1
                    most = max(most, inside)
                with counting:
                    inside -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, [one, two, one, two]))

    assert 1 == most


def test_who_hangs_in_its_turn_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the longest wait one goes on: SQLite itself decides then, as it would without the queue."""
    monkeypatch.setattr(writer_queue, "_LONGEST", 0.05)
    hanging, other = (WriterQueue(tmp_path / "writer.lock") for _ in range(2))
    reached = False

    with hanging.turn(), other.turn():
        reached = True

    assert reached


def test_a_folder_that_takes_no_file_is_no_obstacle(tmp_path: Path) -> None:
    """The queue only saves waiting: where its file cannot be made, the turn comes at once."""
    reached = False

    with WriterQueue(tmp_path / "missing" / "writer.lock").turn():
        reached = True

    assert reached
