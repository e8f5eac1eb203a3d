"""The watched folder as a thing on disk: what lies there, and how it is opened, removed and moved aside.

All names are relative to a folder that is opened once per use, so that nobody can swap it underneath (threat T27).
"""

from __future__ import annotations

import hashlib
import heapq
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from intermediary.ingress.regular import open_regular
from intermediary.ingress.sidecar import SUFFIX

REFUSED = ".refused"
REASON_SUFFIX = ".reason.txt"
_UNFINISHED = (".part", ".tmp")
_MAX_KEPT_NAME = 200


@dataclass(frozen=True, slots=True)
class Lying:
    """A name in the inbox and the state of its file when it was seen."""

    name: str = field(repr=False)
    changed_ns: int
    size: int
    inode: int
    is_regular: bool


class FileInbox:
    """One watched folder; used by one door's thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def oldest(self, most: int) -> list[Lying]:
        """The `most` oldest complete files, oldest first; memory does not grow with the folder.

        A file is complete when it has its final name: names that begin with a dot or end with `.part` or `.tmp` are
        still being written. Sidecars and folders are left out.
        """
        with os.scandir(self._folder) as entries:
            return heapq.nsmallest(most, self._complete(entries), key=lambda lying: (lying.changed_ns, lying.name))

    def open(self, lying: Lying, folder_fd: int) -> BinaryIO | None:
        """The file for reading, or None if it is not the one that was seen: look again in the next round."""
        stream = open_regular(lying.name, folder_fd)
        if not is_same(lying, os.fstat(stream.fileno())):
            stream.close()
            return None
        return stream

    @contextmanager
    def opened(self) -> Iterator[int]:
        """The folder as a descriptor."""
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield fd
        finally:
            os.close(fd)

    def remove(self, lying: Lying) -> bool:
        """Remove a file that is durable elsewhere; the file first, then its sidecar, whose loss would rename it.

        False when another file has taken its place in the meantime: that one stays and is taken next.
        """
        with self.opened() as fd:
            with suppress(FileNotFoundError):
                if not is_same(lying, os.stat(lying.name, dir_fd=fd, follow_symlinks=False)):
                    return False
                os.unlink(lying.name, dir_fd=fd)
            with suppress(FileNotFoundError):
                os.unlink(lying.name + SUFFIX, dir_fd=fd)
            return True

    def set_aside(self, lying: Lying, reason: str) -> None:
        """Move a refused file, its sidecar and the reason into `.refused`; nothing there is overwritten."""
        refused = self._folder / REFUSED
        refused.mkdir(mode=0o700, exist_ok=True)
        with self.opened() as fd, _folder(refused) as target:
            kept = _free_name(lying.name, target)
            _write(kept + REASON_SUFFIX, reason, target)
            with suppress(FileNotFoundError):
                os.rename(lying.name + SUFFIX, kept + SUFFIX, src_dir_fd=fd, dst_dir_fd=target)
            with suppress(FileNotFoundError):
                os.rename(lying.name, kept, src_dir_fd=fd, dst_dir_fd=target)
            os.fsync(target)

    def _complete(self, entries: Iterator[os.DirEntry[str]]) -> Iterator[Lying]:
        for entry in entries:
            name = entry.name
            if name.startswith(".") or name.endswith(_UNFINISHED) or name.endswith(SUFFIX):
                continue
            with suppress(FileNotFoundError):
                seen = entry.stat(follow_symlinks=False)
                if not stat.S_ISDIR(seen.st_mode):
                    yield Lying(name, seen.st_mtime_ns, seen.st_size, seen.st_ino, stat.S_ISREG(seen.st_mode))


def is_same(lying: Lying, now: os.stat_result) -> bool:
    """Whether this is still the file that was seen, and nobody has written to it."""
    return (lying.inode, lying.size, lying.changed_ns) == (now.st_ino, now.st_size, now.st_mtime_ns)


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def _free_name(name: str, folder_fd: int) -> str:
    kept = name if len(os.fsencode(name)) <= _MAX_KEPT_NAME else hashlib.sha256(os.fsencode(name)).hexdigest()
    candidate, count = kept, 1
    while _exists(candidate, folder_fd) or _exists(candidate + REASON_SUFFIX, folder_fd):
        count += 1
        candidate = f"{kept}.{count}"
    return candidate


def _exists(name: str, folder_fd: int) -> bool:
    try:
        os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _write(name: str, text: str, folder_fd: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=folder_fd), "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
