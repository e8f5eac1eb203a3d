"""The journal: an append-only file, one line per request, on disk before anybody is told; and the files beside it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from intermediary.testing.simulate.osci.facts import Entry

JOURNAL = "journal.jsonl"
MESSAGES = "messages"


class Journal:
    """The memory of one simulator. One process at a time has it open; any SIGKILL leaves whole lines.

    `read` first, which cuts off a last line that was never finished, then `append`. A file kept by `keep` is on disk
    before the line that names it, so a line never names a file that is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._messages = folder / MESSAGES
        self._messages.mkdir(parents=True, exist_ok=True)
        self._path = folder / JOURNAL
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        _sync_folder(folder)

    def read(self) -> Iterator[Entry]:
        """Every entry that was completed, oldest first."""
        data = self._path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            os.ftruncate(self._file, whole)
            os.fsync(self._file)
        for line in data[:whole].splitlines():
            yield Entry.from_json(json.loads(line))

    def append(self, entry: Entry) -> None:
        """The entry is durable when this returns."""
        line = json.dumps(entry.to_json(), ensure_ascii=False).encode() + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError("the journal took only a part of a line")
        os.fdatasync(self._file)

    def keep(self, data: bytes) -> str:
        """Makes some bytes durable; the name they have here is made from their digest."""
        name = hashlib.sha256(data).hexdigest() + ".osci"
        target = self._messages / name
        if target.exists():
            return name
        unfinished = self._messages / f".{name}"
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(target)
        _sync_folder(self._messages)
        return name

    def fetch(self, name: str) -> bytes:
        """The bytes `keep` gave this name to."""
        return (self._messages / name).read_bytes()

    def drop(self, name: str) -> None:
        """Removes a file that no line needs any more."""
        (self._messages / name).unlink(missing_ok=True)

    def forget_all_but(self, names: frozenset[str]) -> None:
        """Removes what no line needs any more, and what a kill left unfinished."""
        for path in self._messages.iterdir():
            if path.name not in names:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self._file)


def entries(folder: Path) -> Iterator[Entry]:
    """The entries of a journal that somebody else is writing: for checkers; an unfinished line is left out."""
    try:
        data = (folder / JOURNAL).read_bytes()
    except FileNotFoundError:
        return
    for line in data[: data.rfind(b"\n") + 1].splitlines():
        yield Entry.from_json(json.loads(line))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
