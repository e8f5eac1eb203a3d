"""The watched folder as a thing on disk: what lies there, and how it is opened, removed and moved aside.

All names are relative to a folder that is opened once per use, so that nobody can swap it underneath (threat T27).
"""

from __future__ import annotations

import errno
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
from intermediary.ingress.sidecar import HIDDEN_SUFFIX, SUFFIX, hidden_name, hide_sidecar, restore_sidecar

REFUSED = ".refused"
REASON_SUFFIX = ".reason.txt"
_UNFINISHED = (".part", ".tmp")
_MAX_KEPT_NAME = 200
_OF_THE_FOLDER = frozenset({errno.EACCES, errno.ENOTDIR, errno.ENOMEM})  # looking at a file takes no right to read it


@dataclass(frozen=True, slots=True)
class Lying:
    """A name in the inbox and the state of its file when it was seen; `errno` when that could not be found out."""

    name: str = field(repr=False)
    changed_ns: int
    size: int
    inode: int
    is_regular: bool
    errno: int = 0

    @property
    def hidden(self) -> str:
        """The name of its sidecar once it is on its way out."""
        return hidden_name(self.name, inode=self.inode, changed_ns=self.changed_ns, size=self.size)


class FileInbox:
    """One watched folder; used by one door's thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def oldest(self, most: int) -> list[Lying]:
        """The `most` oldest complete files, oldest first; memory does not grow with the folder.

        A file is complete when it has its final name: names that begin with a dot or end with `.part` or `.tmp` are
        still being written. Sidecars and folders are left out. Hidden sidecars whose file is gone are removed.
        """
        hidden: set[str] = set()
        with os.scandir(self._folder) as entries:
            files = self._complete(entries, hidden)
            oldest = heapq.nsmallest(most, files, key=lambda lying: (lying.changed_ns, lying.name))
        if hidden:
            self._remove_orphans(hidden)
        return oldest

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
        """Remove a file that is durable elsewhere, with its sidecar.

        False when it is gone or another file has taken its place in the meantime: that one stays, a sidecar too, and is
        taken next.
        """
        with self.opened() as fd:
            if not _is_there(lying, fd):
                return False
            hide_sidecar(lying.name, lying.hidden, fd)
            try:
                os.unlink(lying.name, dir_fd=fd)
            except FileNotFoundError:
                restore_sidecar(lying.name, lying.hidden, fd)
                return False
            with suppress(FileNotFoundError):
                os.unlink(lying.hidden, dir_fd=fd)
            return True

    def set_aside(self, lying: Lying, reason: str) -> None:
        """Move a refused file, its sidecar and the reason into `.refused`; nothing there is overwritten.

        What is gone, or was replaced in the meantime, is left to the next look.
        """
        refused = self._folder / REFUSED
        refused.mkdir(mode=0o700, exist_ok=True)
        with self.opened() as fd, _folder(refused) as target:
            if not _is_there(lying, fd):
                return
            kept = _free_name(lying.name, target)
            _write(kept + REASON_SUFFIX, reason, target)
            hide_sidecar(lying.name, lying.hidden, fd)
            try:
                os.rename(lying.name, kept, src_dir_fd=fd, dst_dir_fd=target)
            except OSError as error:
                os.unlink(kept + REASON_SUFFIX, dir_fd=target)
                restore_sidecar(lying.name, lying.hidden, fd)
                if not isinstance(error, FileNotFoundError):
                    raise
                return
            with suppress(FileNotFoundError):
                os.rename(lying.hidden, kept + SUFFIX, src_dir_fd=fd, dst_dir_fd=target)
            os.fsync(target)

    def _complete(self, entries: Iterator[os.DirEntry[str]], hidden: set[str]) -> Iterator[Lying]:
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                if name.endswith(HIDDEN_SUFFIX):
                    hidden.add(name)
                continue
            if name.endswith(_UNFINISHED) or name.endswith(SUFFIX):
                continue
            try:
                seen = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno in _OF_THE_FOLDER:
                    raise
                yield Lying(name, 0, 0, 0, is_regular=False, errno=error.errno or errno.EIO)
                continue
            if not stat.S_ISDIR(seen.st_mode):
                yield Lying(name, seen.st_mtime_ns, seen.st_size, seen.st_ino, stat.S_ISREG(seen.st_mode))

    def _remove_orphans(self, hidden: set[str]) -> None:
        """What a crash between the removal of a file and of its sidecar left behind."""
        with os.scandir(self._folder) as entries:
            files = list(self._complete(entries, set()))
        if any(lying.errno for lying in files):
            return
        with self.opened() as fd:
            for name in hidden - {lying.hidden for lying in files}:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=fd)


def _is_there(lying: Lying, folder_fd: int) -> bool:
    try:
        return is_same(lying, os.stat(lying.name, dir_fd=folder_fd, follow_symlinks=False))
    except FileNotFoundError:
        return False


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
