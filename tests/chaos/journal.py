"""What a campaign writes down while it runs: JSON lines, so that a failed run can be read and its schedule repeated."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """One file of JSON lines that only grows; usable from any thread. `sync` makes every line durable before it counts."""

    def __init__(self, path: Path, *, sync: bool = False) -> None:
        self.path = path
        self._file = path.open("ab", buffering=0)
        self._sync = sync
        self._lock = threading.Lock()
        self._started = time.monotonic()

    def write(self, what: str, **fields: Any) -> None:
        """Append one fact; `t` is seconds since the journal was opened."""
        with self._lock:
            record = {"t": round(time.monotonic() - self._started, 4), "what": what, **fields}
            self._file.write(json.dumps(record, ensure_ascii=True).encode() + b"\n")
            if self._sync:
                os.fdatasync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Every fact of a journal in its order."""
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)
