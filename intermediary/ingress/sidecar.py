"""Reads what a sender put beside a file of the watched folder: `NAME.json` for the file `NAME`.

A sidecar belongs to one file. Before that file is removed its sidecar is renamed to a hidden name that only this very
file has (`hidden_name`). At every line a crash then leaves either the file with its sidecar, under one of both names, or
a hidden sidecar that no other file is ever read with.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from contextlib import suppress
from typing import Any, BinaryIO

from intermediary.core.faults import Rejected
from intermediary.ingress.doors import Angaben
from intermediary.ingress.regular import open_regular

SUFFIX = ".json"
HIDDEN_SUFFIX = ".taken"
_MAX_BYTES = 64 * 1024
_FIELDS = frozenset({"content_type", "message_id", "mandant", "reply_to", "correlation_id", "vorgang"})


def read_sidecar(name: str, folder_fd: int, *, hidden: str, content_type: str) -> Angaben:
    """What the sender stated about the file `name`; without a sidecar its name is the message id.

    A sidecar is one JSON object; every field is optional text, unknown fields are refused. The `hidden` one comes first:
    under it the file was taken before. Raises `Rejected`, OSError.
    """
    stream = _opened(hidden, folder_fd) or _opened(name + SUFFIX, folder_fd)
    if stream is None:
        return Angaben(content_type=content_type, message_id=name)
    with stream:
        stated = _parsed(stream.read(_MAX_BYTES + 1))
    return Angaben(**{"content_type": content_type, "message_id": name, **stated})


def hidden_name(name: str, *, inode: int, changed_ns: int, size: int) -> str:
    """Where the sidecar of exactly this file waits until the file is gone."""
    file = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
    return f".{file}-{inode:x}-{changed_ns:x}-{size:x}{HIDDEN_SUFFIX}"


def hide_sidecar(name: str, hidden: str, folder_fd: int) -> None:
    """Rename the sidecar of `name`, if there is one. What was hidden before stays: the file was taken under that."""
    if not _exists(hidden, folder_fd) and _exists(name + SUFFIX, folder_fd):
        with suppress(FileNotFoundError):
            os.rename(name + SUFFIX, hidden, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)


def restore_sidecar(name: str, hidden: str, folder_fd: int) -> None:
    """Give a hidden sidecar its name back, unless a new one lies there."""
    if not _exists(name + SUFFIX, folder_fd):
        with suppress(FileNotFoundError):
            os.rename(hidden, name + SUFFIX, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)


def _opened(name: str, folder_fd: int) -> BinaryIO | None:
    try:
        return open_regular(name, folder_fd)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # nobody can have put a file of that name there
            return None
        raise


def _exists(name: str, folder_fd: int) -> bool:
    try:
        os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            return False
        raise
    return True


def _parsed(raw: bytes) -> dict[str, Any]:
    if len(raw) > _MAX_BYTES:
        raise Rejected("intake.header.invalid")
    try:
        stated = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Rejected("intake.header.invalid") from error
    if not isinstance(stated, dict) or not stated.keys() <= _FIELDS:
        raise Rejected("intake.header.invalid")
    return stated
