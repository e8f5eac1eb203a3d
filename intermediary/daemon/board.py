"""The board: a folder in which every process of a daemon keeps one small file that says how it is doing.

Files. `<data>/run/<role>.<pid>.<8 hex>.json`, one for each process (the hex digits tell processes of one pid on several
hosts and in containers apart), mode 0600, there while the process runs; a process that was killed leaves its file, so
readers go by `is_current`. Rewritten about once a second, in place, padded with blanks to whole blocks of 16 KiB: so it
needs no new room, and goes on telling when the disk is full to the last byte. A reader may meet a half-written one and
looks again.

Format. One JSON object (`core/bulletin.py`, `to_json`): `format`, `role`, `owner`, `at`, `boot_seconds`,
`clock_off_seconds`, `obstacles` [{`code`, `where`, `mandant`, `stops_work`}], `disks` [{`folder`, `free_bytes`,
`reserve_bytes`, `free_inodes`, `reserve_inodes`}], `channels` [{`channel`, `state`, `code`, `aside`, `is_taking`,
`obstacles`}].
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path

from intermediary.core.bulletin import Bulletin, from_json, to_json
from intermediary.store.owners import is_alive, own_name, process_name

BOARD = "run"
FRESH_SECONDS = 30.0

_BLOCK_BYTES = 16 * 1024
_LOOKS = 5


def boot_seconds() -> float:
    """CLOCK_BOOTTIME: seconds since this host was started, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Board:
    """The place of one process on the board under `data`; used by one thread, and never raises."""

    def __init__(self, data: Path, *, role: str) -> None:
        own = process_name(os.getpid())
        self._folder = data / BOARD
        self._file = self._folder / f"{role}.{os.getpid()}.{hashlib.sha256(own.encode()).hexdigest()[:8]}.json"
        self._descriptor: int | None = None

    def post(self, bulletin: Bulletin) -> None:
        """Take the place of what this process said before; what cannot be written now is written by the next call."""
        body = json.dumps(to_json(bulletin), ensure_ascii=True).encode() + b"\n"
        padded = body.ljust(-(-len(body) // _BLOCK_BYTES) * _BLOCK_BYTES)
        with suppress(OSError):
            os.pwrite(self._open(), padded, 0)
            os.ftruncate(self._open(), len(padded))

    def close(self) -> None:
        """Take it down, at the end of the process."""
        with suppress(OSError):
            self._file.unlink()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is None:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        return self._descriptor


def read_board(data: Path) -> list[Bulletin]:
    """What all processes said last, also those that have ended without taking it down; what cannot be read is left out.

    `is_current` tells whose word counts; with a shared data folder those of other hosts are among them.
    """
    try:
        files = sorted((data / BOARD).glob("*.json"))
    except OSError:
        return []
    return [bulletin for file in files if (bulletin := _read(file)) is not None]


def is_current(bulletin: Bulletin, *, now_boot_seconds: float) -> bool:
    """Whether it is of a process on this host that lives, and not older than `FRESH_SECONDS`: an older one hangs."""
    is_ours = bulletin.owner.split(":")[:3] == own_name().split(":")[:3]
    age = now_boot_seconds - bulletin.boot_seconds
    return is_ours and is_alive(bulletin.owner, is_shared=True) and age <= FRESH_SECONDS


def sweep_board(data: Path) -> None:
    """Remove what processes left that are known to be dead; for the start of a daemon."""
    for file in (data / BOARD).glob("*.json"):
        bulletin = _read(file)
        if bulletin is not None and not is_alive(bulletin.owner, is_shared=True):
            with suppress(OSError):
                file.unlink()


def _read(file: Path) -> Bulletin | None:
    for _ in range(_LOOKS):
        with suppress(ValueError, LookupError, TypeError, AttributeError):
            try:
                return from_json(json.loads(file.read_bytes()))
            except OSError:
                return None
    return None
