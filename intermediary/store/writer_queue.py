"""The queue in front of SQLite's one place for a writer: it saves waiting, and no promise depends on it.

SQLite's own waiting sleeps ever longer between two looks, up to 100 ms, however short the others write. Here threads of a
process wait for each other at a lock, and processes at a file, where they look every half millisecond. Whoever has waited
too long goes on and asks SQLite itself: a process that was stopped in its turn holds up nobody more than it would anyway.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_LOOK_EVERY = 0.0005
_LONGEST = 1.0


class WriterQueue:
    """The turns of all who write to one database; `file` is the same for all processes and need not exist."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._threads = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn of this thread, and have it until the end of the block."""
        with self._threads, ExitStack() as stack:
            with suppress(OSError):  # a disk that has no room for the file may have room for the row
                queue = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                stack.callback(os.close, queue)
                _wait_at(queue)
            yield


def _wait_at(queue: int) -> None:
    end = time.monotonic() + _LONGEST
    while time.monotonic() < end:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_EVERY)
        else:
            return
