"""Lets one attempt at a time work under a key, in whatever process: a stopped and forgotten one keeps others out."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from connectors.ordner.folder import PRIVATE_MODE, translated
from intermediary.connect.api import Transient


@contextmanager
def alone(state: int, key: str) -> Iterator[None]:
    """Hold the lock of `key`; raises `Transient("target.busy")` when somebody else does.

    The lock is the kernel's and ends with its process, so a crash leaves at most an empty file behind.
    """
    name = f"{key}.lock"
    with translated("state"):
        file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_MODE, dir_fd=state)
    try:
        _take(file)
        try:
            yield
        finally:
            with suppress(OSError):  # housekeeping: the lock ends with the file descriptor
                os.unlink(name, dir_fd=state)
    finally:
        os.close(file)


def _take(file: int) -> None:
    with translated("state"):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise Transient("target.busy", where="state") from held
    if os.fstat(file).st_nlink == 0:  # its last holder removed it between our open and our lock
        raise Transient("target.busy", where="state")
