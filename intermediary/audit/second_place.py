"""The second place for signed heads: an append-only file in a folder that the store's owner does not keep (threat T26)."""

from __future__ import annotations

import os
from pathlib import Path

from intermediary.audit.sealer import Head
from intermediary.core.faults import Transient

HEADS_FILE = "heads.jsonl"


def write_head(folder: Path, head: Head) -> None:
    """Append one head durably; `Transient("audit.second-place")` when the place cannot be written now."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / HEADS_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, head.line().encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Transient("audit.second-place", where="audit.heads_folder") from error


def read_heads(folder: Path) -> tuple[str, ...]:
    """The lines of the second place, oldest first; none when nothing was written yet. Unparsed: the verifier judges."""
    try:
        text = (folder / HEADS_FILE).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ()
    return tuple(line for line in text.splitlines() if line.strip())
