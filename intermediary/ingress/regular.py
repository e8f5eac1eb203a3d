"""Opens files that somebody else put into a folder: regular ones only, once, and never through a link (threat T27)."""

from __future__ import annotations

import errno
import io
import os
import stat
from typing import BinaryIO

_MAX_NAME_BYTES = 255
_OF_THE_MACHINE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT})


class IrregularFile(OSError):
    """It is a link, a pipe, a device or a folder."""


class UnreadableFile(OSError):
    """It cannot be read now (rights, a damaged sector, a stale handle); other files may be fine."""


def open_regular(name: str, folder_fd: int) -> BinaryIO:
    """Open a regular file of this folder for reading, once and without following a link.

    Raises `IrregularFile`, FileNotFoundError, `UnreadableFile`, and any other OSError when it is the machine that lacks
    something. Reading from the stream raises `UnreadableFile`, too. Never blocks on a pipe.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(name, flags, dir_fd=folder_fd)
    except FileNotFoundError:
        raise
    except OSError as error:
        if _is_irregular(name, folder_fd):
            raise IrregularFile("not a regular file") from error
        if error.errno in _OF_THE_MACHINE:
            raise
        raise UnreadableFile(error.errno, "cannot be opened") from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise IrregularFile("not a regular file")
    return _Reader(io.FileIO(fd, "rb"))


class _Reader(io.BufferedReader):
    """Tells an error of the file that is read from one of the place it is copied to."""

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            return super().read(size)
        except OSError as error:
            raise UnreadableFile(error.errno, "cannot be read") from error


def is_plain_name(name: str) -> bool:
    """Whether this is one visible name inside a folder: no separator, no leading dot, printable, at most 255 bytes."""
    return (
        name.isprintable()
        and not name.startswith(".")
        and not set(name) & {"/", "\\"}
        and 0 < len(name.encode()) <= _MAX_NAME_BYTES
    )


def _is_irregular(name: str, folder_fd: int) -> bool:
    try:
        return not stat.S_ISREG(os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_mode)
    except OSError:
        return False
