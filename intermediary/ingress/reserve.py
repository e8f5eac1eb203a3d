"""How much room the file systems of the installation must keep free, and when taking begins again (promise G8).

What is already taken needs room to be worked on: opened parts, audit events, heads. So taking ends while there is some
left, and begins again only when there is clearly more, or a disk at the edge would open and close the doors all the time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from intermediary.core.bulletin import Disk, Obstacle

MEBIBYTE = 1024 * 1024

_MOST_BYTES = 1024 * MEBIBYTE
_MOST_INODES = 10_000
_REOPENS_AT = 1.25


@dataclass(frozen=True, slots=True)
class Reserve:
    """What stays free; None: 1 GiB or a twentieth of the file system, 10,000 inodes or a hundredth: what is less."""

    free_bytes: int | None = None
    free_inodes: int | None = None

    def bytes_of(self, size: int) -> int:
        """The reserve on a file system of so many bytes."""
        return min(_MOST_BYTES, size // 20) if self.free_bytes is None else self.free_bytes

    def inodes_of(self, count: int) -> int:
        """The reserve on a file system of so many inodes; 0 where it does not count them."""
        if not count:
            return 0
        return min(_MOST_INODES, count // 100) if self.free_inodes is None else self.free_inodes


class Reserves:
    """The file systems of some folders; folders on one file system are looked at once, under the first one's name.

    A folder that cannot be looked at is left out: whoever needs it says so himself. Used by one thread.
    """

    def __init__(
        self, folders: Sequence[Path], reserve: Reserve, *, statvfs: Callable[[Path], os.statvfs_result] = os.statvfs
    ) -> None:
        self._folders = tuple(folders)
        self._reserve = reserve
        self._statvfs = statvfs
        self._short: frozenset[str] = frozenset()

    def look(self) -> tuple[Disk, ...]:
        """How the file systems are now."""
        found: dict[int, Disk] = {}
        for folder in self._folders:
            try:
                device, room = folder.stat().st_dev, self._statvfs(folder)
            except OSError:
                continue
            found.setdefault(device, self._disk(folder, room))
        return tuple(found.values())

    def obstacles(self, disks: Sequence[Disk]) -> tuple[Obstacle, ...]:
        """What of it stands in the way of taking, given what stood there when it was asked before."""
        self._short = frozenset(disk.folder for disk in disks if is_short(disk, was_short=disk.folder in self._short))
        return tuple(Obstacle("intake.disk.reserve", where=disk.folder) for disk in disks if disk.folder in self._short)

    def _disk(self, folder: Path, room: os.statvfs_result) -> Disk:
        return Disk(
            folder=str(folder),
            free_bytes=room.f_bavail * room.f_frsize,
            reserve_bytes=self._reserve.bytes_of(room.f_blocks * room.f_frsize),
            free_inodes=room.f_favail if room.f_files else None,
            reserve_inodes=self._reserve.inodes_of(room.f_files),
        )


def is_short(disk: Disk, *, was_short: bool) -> bool:
    """Whether a file system is at its reserve: below it, or since then not clearly above it."""
    more = _REOPENS_AT if was_short else 1.0
    has_bytes = disk.free_bytes >= disk.reserve_bytes * more
    return not has_bytes or (disk.free_inodes is not None and disk.free_inodes < disk.reserve_inodes * more)
