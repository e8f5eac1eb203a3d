"""Lets one attempt at a time work under a key, in whatever process: a stopped and forgotten one keeps others out.

All keys of a folder share one file that stays: each locks the byte of it that its digest names. A file made and removed for
each attempt would make every later one dearer, because ext4 passes over the inodes of removed files for minutes.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.ordner.folder import PRIVATE_MODE, translated
from intermediary.connect.api import Transient

LOCKS = "keys.lock"
_PLACES = 0x7FFF_FFFF_FFFF_FFFF  # of bytes that a file may have, and so of locks
_BYTE = struct.Struct("hhqqi0q")  # struct flock: kind, whence, first byte, length, process (0)
_HELD = (errno.EAGAIN, errno.EACCES)  # which of them is the system's choice, says fcntl(2)
_DAY_SECONDS = 86400


@contextmanager
def alone(state: int, key: str) -> Iterator[None]:
    """Hold the lock of `key`; raises `Transient("target.busy")` when somebody else does.

    The lock belongs to this call's open file (fcntl(2), open file description locks): threads of one process exclude each
    other too, and the kernel ends it with the process.
    """
    _demand_free_of_older(state, key)
    with translated("state"):
        file = os.open(LOCKS, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_MODE, dir_fd=state)
    try:
        with translated("state"):
            _take(file, key)
            _stay(file)
        yield
    finally:
        os.close(file)


def _take(file: int, key: str) -> None:
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % _PLACES
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _BYTE.pack(fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0))
    except OSError as error:
        if error.errno not in _HELD:
            raise
        raise Transient("target.busy", where="state") from error


def _stay(file: int) -> None:
    """Who clears the folder by age must not meet the file of the locks; if it is gone, our lock keeps nobody out."""
    facts = os.fstat(file)
    if facts.st_nlink == 0:
        raise Transient("target.busy", where="state")
    if time.time() - facts.st_mtime > _DAY_SECONDS:
        os.utime(file)


def _demand_free_of_older(state: int, key: str) -> None:
    """An older program that works beside us during an upgrade locks a file of the key; it may be stopped, and not dead."""
    with translated("state"):
        try:
            file = os.open(f"{key}.lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=state)
        except FileNotFoundError:
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise Transient("target.busy", where="state") from held
        finally:
            os.close(file)
