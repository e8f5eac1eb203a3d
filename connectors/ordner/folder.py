"""Durable steps in an open folder, with the operating system's errors told apart by who can heal them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from intermediary.connect.api import Fault, Misconfigured, Transient

PACKAGE_MODE = 0o640
PRIVATE_MODE = 0o600
MOST_BYTES_OF_A_NOTE = 65536

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_OPERATOR = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ELOOP,
        errno.EXDEV,
        errno.EINVAL,
        errno.EFBIG,
        errno.ENAMETOOLONG,
        errno.EOPNOTSUPP,
        errno.ENOLCK,
        errno.ENOSYS,
    }
)


def fault_for(error: OSError, where: str) -> Fault:
    """The fault that an error of the file system means while certainly nothing was sent.

    A full disk heals by time, missing folders and rights by the operator; everything else (a share that does not
    answer) by time.
    """
    if error.errno in _FULL:
        return Transient("target.full", where=where)
    if error.errno in _OPERATOR:
        return Misconfigured("target.misconfigured", where=f"{where}: {os.strerror(error.errno or 0)}")
    return Transient("target.unreachable", where=where)


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn the operating system's errors into faults that name the folder's setting, never a file."""
    try:
        yield
    except OSError as error:
        raise fault_for(error, where) from error


@contextmanager
def opened(path: Path, where: str) -> Iterator[int]:
    """A folder, opened once: everything after works in this very folder, whatever is mounted over it meanwhile."""
    with translated(f"{where} {path}"):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield folder
    finally:
        os.close(folder)


def write_durably(folder: int, name: str, chunks: Iterable[bytes], *, mode: int, where: str) -> None:
    """Write a file from its beginning and sync it; its name is durable only after the folder is synced.

    Errors of `chunks` pass as they are: they are the source's, not the target's.
    """
    with translated(where):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder)
    try:
        for chunk in chunks:
            with translated(where):
                _write_all(file, chunk)
        with translated(where):
            os.fchmod(file, mode)
            os.fsync(file)
    finally:
        os.close(file)


def write_whole(folder: int, name: str, data: bytes, *, where: str) -> None:
    """Write a note that is either there completely or not at all; durable once the folder is synced."""
    draft = f"{name}.new"
    write_durably(folder, draft, (data,), mode=PRIVATE_MODE, where=where)
    with translated(where):
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)


def read_note(folder: int, name: str, *, where: str) -> bytes | None:
    """The beginning of a small file, or None when there is none. Never waits, never follows a link."""
    with translated(where):
        try:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except FileNotFoundError:
            return None
        try:
            return os.read(file, MOST_BYTES_OF_A_NOTE)
        finally:
            os.close(file)


def sync(folder: int, where: str) -> None:
    """Make the names in a folder durable."""
    with translated(where):
        os.fsync(folder)


def remove(folder: int, name: str, where: str) -> None:
    """Remove a file if it is there."""
    with translated(where):
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return


def _write_all(file: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(file, rest) :]
