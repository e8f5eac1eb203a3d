"""The journal as a file: locked, read by key, grown by whole lines; the system's errors told apart by who heals them."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from intermediary.connect.api import Misconfigured, Transient, Unclear

_OPERATOR = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


@dataclass(frozen=True, slots=True)
class Line:
    """What the journal knows of a key: the number of its line, from 1, and the hash of what was delivered."""

    number: int
    sha256: str


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """The journal, made if there is none, locked against every other process and without an unfinished last line.

    Raises `Misconfigured` where folder or rights are wrong, `Transient` where it is in use or cannot be asked now.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise _fault(error) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _mend(file)
            _sync_name(path)
        except BlockingIOError as error:
            raise Transient("target.busy", where="journal") from error
        except OSError as error:
            raise _fault(error) from error
        yield file
    finally:
        os.close(file)


def find(file: int, key: str) -> Line | None:
    """The line of a key, or None; raises `Misconfigured` when somebody has damaged it."""
    try:
        for number, line in _numbered(file):
            if f'"key": "{key}"'.encode() in line:
                return Line(number, json.loads(line)["sha256"])
    except OSError as error:
        raise _fault(error) from error
    except (ValueError, KeyError) as damage:
        raise Misconfigured("target.misconfigured", where="journal") from damage
    return None


def append(file: int, line: bytes) -> int:
    """Write one line durably; gives its number. From the first byte on a failure is `Unclear`."""
    number = sum(1 for _ in _numbered(file)) + 1
    try:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    except OSError as error:
        raise Unclear("delivery.unclear", where="journal") from error
    return number


def sync(file: int) -> None:
    """Make durable what can already be read."""
    try:
        os.fsync(file)
    except OSError as error:
        raise _fault(error) from error


def _numbered(file: int) -> Iterator[tuple[int, bytes]]:
    with open(os.dup(file), "rb") as stream:
        stream.seek(0)
        yield from enumerate(stream, 1)


def _mend(file: int) -> None:
    """Cut off a line without an end: nobody has taken it for a delivery."""
    end = 0
    for _, line in _numbered(file):
        end += len(line) if line.endswith(b"\n") else 0
    if end != os.fstat(file).st_size:
        os.ftruncate(file, end)


def _sync_name(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _fault(error: OSError) -> Misconfigured | Transient:
    """Nothing was sent yet: wrong places and rights are the operator's, everything else heals by time."""
    if isinstance(error, _OPERATOR):
        return Misconfigured("target.misconfigured", where="journal")
    return Transient("target.unreachable", where="journal")
