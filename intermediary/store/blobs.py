"""The wrapped bodies as files: written before the commit, reachable only after it, gone when erased.

An intake writes into `incoming`, makes file and directory durable, and only then commits; after the commit the file
moves to its place. A crash in between leaves a file in `incoming`: with a row it is moved at the next start (and read
where it lies until then), without a row it belongs to no Nachricht and is removed.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from intermediary.core.faults import Misconfigured, Transient


class Blobs:
    """The folder of wrapped bodies; nobody else writes there. All files 0600, all directories 0700."""

    def __init__(self, root: Path) -> None:
        self._is_closed = False
        self._incoming = root / "incoming"
        for folder in (root, self._incoming):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._root_fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        self._incoming_fd = os.open("incoming", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self._root_fd)

    @contextmanager
    def intake(self) -> Iterator[Intake]:
        """The right to write new blobs; while anybody has it, nobody removes left-overs."""
        lock = self._lock()
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield Intake(self._root_fd, self._incoming_fd)
        finally:
            os.close(lock)

    def open(self, name: str) -> BinaryIO:
        """The wrapped bytes; `Misconfigured("payload.missing")` when the file is not there."""
        for place in (_place(name), f"incoming/{name}", _place(name)):
            try:
                descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._root_fd)
            except FileNotFoundError:
                continue
            except OSError as failure:
                raise Transient("store.unavailable", where="payload") from failure
            return os.fdopen(descriptor, "rb", buffering=0)
        raise Misconfigured("payload.missing", where="blobs")

    def has(self, name: str) -> bool:
        """Whether its bytes are there; raises like `open` for another reason than that they are not."""
        try:
            self.open(name).close()
        except Misconfigured:
            return False
        return True

    def remove(self, name: str) -> None:
        """Remove a blob for good; not an error when it is gone already."""
        for place in (_place(name), f"incoming/{name}"):
            _unlink(place, self._root_fd)

    def recover(self, belonging: Callable[[Collection[str]], Collection[str]]) -> None:
        """Tidy `incoming` after a crash; does nothing while an intake is under way in any process.

        `belonging` tells which of the names have a row.
        """
        lock = self._lock()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            names = os.listdir(self._incoming_fd)
            kept = belonging(names) if names else ()
            for name in names:
                if name in kept:
                    _publish(name, self._root_fd, self._incoming_fd)
                else:
                    _unlink(name, self._incoming_fd)
        except BlockingIOError:
            return
        finally:
            os.close(lock)

    def close(self) -> None:
        """Close the folders; a second call does nothing."""
        if not self._is_closed:
            self._is_closed = True
            os.close(self._incoming_fd)
            os.close(self._root_fd)

    def _lock(self) -> int:
        return os.open("intake.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600, dir_fd=self._root_fd)


class Intake:
    """Blobs of one batch, between writing and commit."""

    def __init__(self, root_fd: int, incoming_fd: int) -> None:
        self._root_fd = root_fd
        self._incoming_fd = incoming_fd

    def write(self, nachricht_id: str, pieces: Iterable[bytes]) -> str:
        """Write one blob and make it durable; its name, unique even if two doors take the same Sendung at once.

        `Transient("store.unavailable")` when the disk does not take it.
        """
        name = f"{nachricht_id}.{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            descriptor = os.open(name, flags, 0o600, dir_fd=self._incoming_fd)
            with os.fdopen(descriptor, "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(descriptor)
        except BaseException as failure:
            _unlink(name, self._incoming_fd)
            if isinstance(failure, OSError):
                raise Transient("store.unavailable", where="payload") from failure
            raise
        return name

    def make_durable(self) -> None:
        """Make the names durable too; to be called once, before the commit."""
        try:
            os.fsync(self._incoming_fd)
        except OSError as failure:
            raise Transient("store.unavailable", where="payload") from failure

    def keep(self, name: str) -> None:
        """After the commit: the blob has a row."""
        _publish(name, self._root_fd, self._incoming_fd)

    def drop(self, name: str) -> None:
        """The blob has no row and never will."""
        _unlink(name, self._incoming_fd)


def _place(name: str) -> str:
    return f"{name[:2]}/{name}"


def _publish(name: str, root_fd: int, incoming_fd: int) -> None:
    try:
        os.rename(name, _place(name), src_dir_fd=incoming_fd, dst_dir_fd=root_fd)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.mkdir(name[:2], 0o700, dir_fd=root_fd)
        os.rename(name, _place(name), src_dir_fd=incoming_fd, dst_dir_fd=root_fd)


def _unlink(place: str, folder_fd: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(place, dir_fd=folder_fd)
