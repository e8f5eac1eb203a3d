"""Steps in folders of an SFTP server, with its few kinds of failure told apart.

SFTP says little: a file is missing, a right is missing, or "failure" (a full disk, a quota, a name that is taken). What
paramiko has no public call for (writes whose answers are all read, fsync, statvfs) goes through its request calls here.
"""

from __future__ import annotations

import errno
import hashlib
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import paramiko
from paramiko.sftp import CMD_EXTENDED, CMD_EXTENDED_REPLY, CMD_WRITE, int64

from intermediary.connect.api import Fault, Misconfigured, Transient

_WRITE_BYTES = 32 * 1024  # what every server takes (draft-ietf-secsh-filexfer-02, 3)
_MOST_UNANSWERED = 128
_MOST_BYTES_OF_A_NOTE = 256 * 1024
_READ_AHEAD = 64


class Failure(StrEnum):
    """What the server said of a request, or that it said nothing."""

    MISSING = "missing"
    DENIED = "denied"
    FAILED = "failed"
    LOST = "lost"


_PERHAPS_NOT_OFFERED = frozenset({Failure.FAILED, Failure.DENIED})
"""What a server says of an extension that it does not have, or that its operator has switched off."""


class RemoteError(Exception):
    """A request that failed; after `LOST` it may have been done."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure

    def fault(self, where: str, *, is_writing: bool = False) -> Fault:
        """What it means while certainly nothing has arrived: `where` is the setting that names the place."""
        if self.failure is Failure.LOST:
            return Transient("target.unreachable", where=where)
        if self.failure is Failure.FAILED and is_writing:
            return Transient("target.full", where=where)
        return Misconfigured("target.misconfigured", where=where)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server says of a path."""

    length: int
    modified: int
    is_folder: bool


class Remote:
    """The folders of one session. Every method raises `RemoteError`; paths are the server's."""

    def __init__(self, client: paramiko.SFTPClient) -> None:
        self._client: Any = client  # its request calls have no types

    def facts(self, path: str) -> Facts | None:
        """Of the path itself, not of what a link leads to; None when there is nothing."""
        try:
            with self._said():
                found = self._client.lstat(path)
        except RemoteError as error:
            if error.failure is Failure.MISSING:
                return None
            raise
        return Facts(found.st_size or 0, int(found.st_mtime or 0), stat.S_ISDIR(found.st_mode or 0))

    def names(self, folder: str) -> list[str]:
        """What lies in a folder."""
        with self._said():
            return sorted(self._client.listdir(folder))

    def make_folder(self, path: str) -> None:
        """Make a folder unless it is there."""
        try:
            with self._said():
                self._client.mkdir(path)
        except RemoteError as error:
            if error.failure is Failure.LOST or not self._is_folder(path):
                raise

    def upload(self, path: str, pieces: Iterable[bytes], length: int) -> Facts:
        """Write a file that must not be there yet, durably where the server offers that; `FAILED` unless it is whole.

        Errors of `pieces` pass as they are.
        """
        with self._said():
            file = self._client.open(path, "wbx")
        try:
            self._write(file.handle, pieces)
            with self._said():
                self._sync(file.handle)
                written = file.stat()
        except BaseException:
            with suppress(RemoteError), self._said():
                file.close()
            raise
        with self._said():
            file.close()
        if written.st_size != length:
            raise RemoteError(Failure.FAILED)
        return Facts(length, int(written.st_mtime or 0), is_folder=False)

    def note(self, path: str) -> bytes | None:
        """The content of a small file; None when there is none, `FAILED` when it is too large to be ours."""
        try:
            with self._said(), self._client.open(path, "rb") as file:
                data = bytes(file.read(_MOST_BYTES_OF_A_NOTE + 1))
        except RemoteError as error:
            if error.failure is Failure.MISSING:
                return None
            raise
        if len(data) > _MOST_BYTES_OF_A_NOTE:
            raise RemoteError(Failure.FAILED)
        return data

    def sha256(self, path: str, length: int) -> str:
        """The hash of a file, read back from the server."""
        digest = hashlib.sha256()
        with self._said(), self._client.open(path, "rb") as file:
            file.prefetch(length, _READ_AHEAD)
            while piece := file.read(_WRITE_BYTES):
                digest.update(piece)
        return digest.hexdigest()

    def rename(self, source: str, target: str) -> None:
        """Rename in one step; where the server has no such step (posix-rename), by SFTP's own, which replaces nothing."""
        try:
            with self._said():
                self._client.posix_rename(source, target)
        except RemoteError as error:
            if error.failure not in _PERHAPS_NOT_OFFERED or self.facts(source) is None:
                raise
            with self._said():
                self._client.rename(source, target)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        with self._missing_is_fine(), self._said():
            self._client.remove(path)

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder, if it is there."""
        with self._missing_is_fine(), self._said():
            self._client.rmdir(path)

    def file_system(self, path: str) -> int | None:
        """The id of the file system a path is on; None where the server does not say (statvfs@openssh.com)."""
        try:
            with self._said():
                kind, message = self._client._request(CMD_EXTENDED, "statvfs@openssh.com", path)
        except RemoteError as error:
            if error.failure in _PERHAPS_NOT_OFFERED:
                return None
            raise
        return [message.get_int64() for _ in range(9)][8] if kind == CMD_EXTENDED_REPLY else None

    def _write(self, handle: bytes, pieces: Iterable[bytes]) -> None:
        """Many writes are underway at once, and the answer to each of them is read: one that failed is not overlooked."""
        unanswered: deque[int] = deque()
        offset = 0
        for piece in pieces:
            view = memoryview(piece)
            for start in range(0, len(view), _WRITE_BYTES):
                data = bytes(view[start : start + _WRITE_BYTES])
                with self._said():
                    unanswered.append(self._client._async_request(type(None), CMD_WRITE, handle, int64(offset), data))
                    if len(unanswered) > _MOST_UNANSWERED:
                        self._client._read_response(unanswered.popleft())
                offset += len(data)
        with self._said():
            while unanswered:
                self._client._read_response(unanswered.popleft())

    def _sync(self, handle: bytes) -> None:
        try:
            self._client._request(CMD_EXTENDED, "fsync@openssh.com", handle)
        except OSError as error:
            is_offered = "nsupported" not in str(error) and error.errno != errno.EACCES
            if is_offered:  # otherwise: the page for operators says what that means
                raise

    def _is_folder(self, path: str) -> bool:
        found = self.facts(path)
        return found is not None and found.is_folder

    @contextmanager
    def _missing_is_fine(self) -> Iterator[None]:
        try:
            yield
        except RemoteError as error:
            if error.failure is not Failure.MISSING:
                raise

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, paramiko.SSHException, paramiko.SFTPError) as error:
            raise RemoteError(self._failure(error)) from error

    def _failure(self, error: Exception) -> Failure:
        """A status and a lost connection come as the same class of exception; only the former leaves the channel open."""
        channel = self._client.get_channel()
        is_status = isinstance(error, OSError) and not isinstance(error, TimeoutError)
        if not is_status or channel.closed or not channel.get_transport().is_active():
            return Failure.LOST
        if isinstance(error, OSError) and error.errno == errno.ENOENT:
            return Failure.MISSING
        if isinstance(error, OSError) and error.errno == errno.EACCES:
            return Failure.DENIED
        return Failure.FAILED
