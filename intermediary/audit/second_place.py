"""The second place for signed heads: an append-only file in a folder that the store's owner does not keep (threat T26).

Nobody here makes the folder: where a share is not mounted, a new folder would lie on the very disk it is to testify
against, and nobody would notice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from intermediary.audit.chain import Malformed
from intermediary.audit.sealer import Head
from intermediary.core.faults import Transient

HEADS_FILE = "heads.jsonl"

_TAIL_BYTES = 65_536


def write_head(folder: Path, head: Head) -> None:
    """Append one head durably; `Transient("audit.second-place")` when the place cannot be written now."""
    _append(folder, [head])


def copy_missing(folder: Path, heads_from: Callable[[int], Sequence[Head]]) -> int:
    """Append, in order, the heads that the store has and the second place has not; how many they were.

    `heads_from(size)` gives the store's heads of at least that size, oldest first. Called after every sealing, so only
    the last line of the place is compared. When the store does not know that line, its history is another one (it was
    rolled back): then all heads the place has not are appended, and the old ones stay there and testify.
    `Transient("audit.second-place")` when the place is not there, or cannot be written now.
    """
    last = _last_head(folder)
    heads = heads_from(0 if last is None else last.size)
    if last is not None and heads and heads[0] == last:
        missing = list(heads[1:])
    else:
        known = {head.digest() for head in read_heads(folder)}
        missing = [head for head in heads_from(0) if head.digest() not in known]
    if missing:
        _append(folder, missing)
    return len(missing)


def read_heads(folder: Path) -> tuple[Head, ...]:
    """The heads of the second place, oldest first; none when nothing was written yet.

    A line that a crash cut short is passed over: it is written again, and the next head covers it.
    `Transient("audit.second-place")` when the place is not there, or cannot be read now.
    """
    _demand(folder)
    try:
        return _parsed((folder / HEADS_FILE).read_bytes())
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _unavailable(folder) from error


def _last_head(folder: Path) -> Head | None:
    _demand(folder)
    try:
        with (folder / HEADS_FILE).open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES)
            file.seek(start)
            heads = _parsed(file.read())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unavailable(folder) from error
    return heads[-1] if heads else None


def _append(folder: Path, heads: Sequence[Head]) -> None:
    lines = b"".join(head.line().encode() + b"\n" for head in heads)
    try:
        descriptor = os.open(folder / HEADS_FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # a crash cut the line before
            _write_all(descriptor, (b"\n" if is_torn else b"") + lines)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unavailable(folder) from error


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _parsed(data: bytes) -> tuple[Head, ...]:
    heads = []
    for line in data.splitlines():
        try:
            heads.append(Head.parse(line))
        except Malformed:
            continue
    return tuple(heads)


def _demand(folder: Path) -> None:
    if not os.path.isdir(folder):  # noqa: PTH112 - answers False where Path raises
        raise _unavailable(folder)


def _unavailable(folder: Path) -> Transient:
    return Transient("audit.second-place", where=f"audit.heads_folder: {folder}")
