"""The second place for signed heads: an append-only file in a folder that the store's owner does not keep (threat T26)."""

from __future__ import annotations

import os
from pathlib import Path

from intermediary.audit.chain import Malformed
from intermediary.audit.sealer import Head
from intermediary.core.faults import Transient

HEADS_FILE = "heads.jsonl"


def write_head(folder: Path, head: Head) -> None:
    """Append one head durably; `Transient("audit.second-place")` when the place cannot be written now."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / HEADS_FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # a crash cut the line before
            os.write(descriptor, (b"\n" if is_torn else b"") + head.line().encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Transient("audit.second-place", where="audit.heads_folder") from error


def read_heads(folder: Path) -> tuple[Head, ...]:
    """The heads of the second place, oldest first; none when nothing was written yet.

    A line that a crash cut short is passed over: its head was never relied on, and the next one covers it.
    """
    try:
        lines = (folder / HEADS_FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    heads = []
    for line in lines:
        try:
            heads.append(Head.parse(line))
        except Malformed:
            continue
    return tuple(heads)
