"""A folder for rows that one process opens for itself: gone with it, and cleared by the next one where it was killed.

restore.lock        held (shared) while a process has such a folder; who gets it alone knows that all others are gone
restore-XXXXXXXX/   one of them, mode 0700
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "restore-"
_LOCK = "restore.lock"


@contextmanager
def private_folder(place: Path) -> Iterator[Path]:
    """A new folder in `place` (created, 0700), removed at the end; OSError where it cannot be made.

    What killed processes left goes before and after; what of it cannot be removed is in nobody's way here.
    """
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _lock(place) as lock:
        with suppress(OSError):
            _clear(place, lock)
        fcntl.flock(lock, fcntl.LOCK_SH)
        try:
            with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=place) as folder:
                yield Path(folder)
        finally:
            with suppress(OSError):
                _clear(place, lock)


def clear_private_folders(place: Path) -> None:
    """Remove what killed processes left in `place`, unless one is at work there: then it does so itself; OSError."""
    if any(place.glob(f"{_PREFIX}*/")):
        with _lock(place) as lock:
            _clear(place, lock)


@contextmanager
def _lock(place: Path) -> Iterator[int]:
    lock = os.open(place / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        yield lock
    finally:
        os.close(lock)


def _clear(place: Path, lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    for left in place.glob(f"{_PREFIX}*/"):
        shutil.rmtree(left)
