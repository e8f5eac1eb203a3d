"""Opens files that somebody else put into a folder: regular ones only, once, and never through a link (threat T27)."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

_MAX_NAME_BYTES = 255


class IrregularFile(OSError):
    """It is a link, a pipe, a device or a folder."""


def open_regular(name: str, folder_fd: int) -> BinaryIO:
    """Open a regular file of this folder for reading, once and without following a link.

    Raises `IrregularFile`, FileNotFoundError and other OSErrors. Never blocks on a pipe.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(name, flags, dir_fd=folder_fd)
    except FileNotFoundError:
        raise
    except OSError as error:
        if _is_irregular(name, folder_fd):
            raise IrregularFile("not a regular file") from error
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise IrregularFile("not a regular file")
    return os.fdopen(fd, "rb")


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
