"""Holds bodies between arrival and `take`: small ones in memory, large ones in an encrypted file without a name.

The file is unlinked before the first byte is written and sealed with a key that exists only in this process: nothing
readable rests, and nothing remains after a crash (DESIGN 2.2, threat T27).
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from intermediary.core.values import Content, MemoryContent

MEMORY_BYTES = 1024 * 1024
_FRAME = 256 * 1024
_TAG = 16


class SpoolTooLarge(Exception):
    """The stream is longer than the caller allowed."""


class SpoolStopped(Exception):
    """The caller wanted to stop before the stream ended."""


class Spool:
    """Makes `Content` of what arrives; bodies above `memory_bytes` go to files in `folder` (created, mode 0700)."""

    def __init__(self, folder: Path, *, memory_bytes: int = MEMORY_BYTES) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._memory_bytes = memory_bytes

    def keep(self, body: bytes) -> Content:
        """Content of bytes that are in memory already. Raises OSError when the disk has no room."""
        if len(body) <= self._memory_bytes:
            return MemoryContent(body)
        return self.copy(io.BytesIO(body), max_bytes=len(body))

    def receive(self) -> Arriving:
        """Content that does not come from a stream but is handed over as it arrives."""
        return Arriving(self._folder, self._memory_bytes)

    def copy(self, stream: BinaryIO, *, max_bytes: int, should_stop: Callable[[], bool] = lambda: False) -> Content:
        """Content of everything `stream` still gives, hashed while it is read.

        Raises `SpoolTooLarge` after `max_bytes`, `SpoolStopped` when asked to, and OSError from either side.
        """
        limit = min(self._memory_bytes, max_bytes)
        head = _read_fully(stream, limit + 1)
        if len(head) <= limit:
            return MemoryContent(head)
        writer = _Writer(self._folder)
        try:
            chunk = head
            while chunk:
                if writer.length + len(chunk) > max_bytes:
                    raise SpoolTooLarge
                if should_stop():
                    raise SpoolStopped
                writer.write(chunk)
                chunk = stream.read(_FRAME)
            return writer.finish()
        except BaseException:
            writer.abandon()
            raise


class Arriving:
    """Content that is handed over piece by piece; call from one thread at a time, and end it by one of the two.

    Who receives checks how much may come: there is no limit here.
    """

    def __init__(self, folder: Path, memory_bytes: int) -> None:
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._head = bytearray()
        self._writer: _Writer | None = None
        self.length = 0

    def write(self, piece: bytes) -> None:
        """The next bytes. Raises OSError when the disk has no room."""
        self.length += len(piece)
        if self._writer is None and self.length <= self._memory_bytes:
            self._head += piece
            return
        if self._writer is None:
            self._writer = _Writer(self._folder)
            self._writer.write(bytes(self._head))
            self._head.clear()
        self._writer.write(piece)

    def finish(self) -> Content:
        """Everything that came, hashed. Raises OSError when the disk has no room."""
        return MemoryContent(bytes(self._head)) if self._writer is None else self._writer.finish()

    def abandon(self) -> None:
        """Forget what came; after `finish`, do not call it."""
        if self._writer is not None:
            self._writer.abandon()


class SpooledContent:
    """Content in an unlinked, encrypted file; the file is gone when this object and its streams are."""

    __slots__ = ("__weakref__", "_aead", "_fd", "_length", "_sha256")

    def __init__(self, fd: int, aead: AESGCM, *, length: int, sha256: str) -> None:
        self._fd = fd
        self._aead = aead
        self._length = length
        self._sha256 = sha256
        weakref.finalize(self, os.close, fd)

    @property
    def length(self) -> int:
        return self._length

    @property
    def sha256(self) -> str:
        return self._sha256

    def open(self) -> BinaryIO:
        return io.BufferedReader(_FrameReader(self), _FRAME)

    def read(self) -> bytes:
        with self.open() as stream:
            return stream.read()

    def frame(self, index: int) -> bytes:
        """The plaintext of one frame, empty after the last. Raises OSError when the file was damaged."""
        sealed = os.pread(self._fd, _FRAME + _TAG, index * (_FRAME + _TAG))
        if not sealed:
            return b""
        try:
            return self._aead.decrypt(_nonce(index), sealed, None)
        except InvalidTag as error:
            raise OSError("a spool file was damaged") from error

    def __repr__(self) -> str:
        return f"<content of {self._length} bytes>"


class _Writer:
    def __init__(self, folder: Path) -> None:
        fd, name = tempfile.mkstemp(prefix="spool-", dir=folder)
        os.unlink(name)  # noqa: PTH108
        self._fd = fd
        self._aead = AESGCM(AESGCM.generate_key(256))
        self._digest = hashlib.sha256()
        self._pending = bytearray()
        self._frames = 0
        self.length = 0

    def write(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self.length += len(chunk)
        self._pending += chunk
        while len(self._pending) >= _FRAME:
            self._seal(bytes(self._pending[:_FRAME]))
            del self._pending[:_FRAME]

    def finish(self) -> SpooledContent:
        if self._pending:
            self._seal(bytes(self._pending))
        return SpooledContent(self._fd, self._aead, length=self.length, sha256=self._digest.hexdigest())

    def abandon(self) -> None:
        os.close(self._fd)

    def _seal(self, frame: bytes) -> None:
        sealed = memoryview(self._aead.encrypt(_nonce(self._frames), frame, None))
        while sealed:
            sealed = sealed[os.write(self._fd, sealed) :]
        self._frames += 1


class _FrameReader(io.RawIOBase):
    """Reads frame after frame; holds its content, so that the file stays open as long as the stream."""

    def __init__(self, content: SpooledContent) -> None:
        super().__init__()
        self._content = content
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._content.length}[whence]
        if start + offset < 0:
            raise ValueError("a stream begins at 0")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the stub says WriteableBuffer
        index, skip = divmod(self._position, _FRAME)
        if self._position >= self._content.length:
            return 0
        piece = self._content.frame(index)[skip : skip + len(buffer)]
        if not piece:
            raise OSError("a spool file was cut short")
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


def _nonce(index: int) -> bytes:
    """Every file has its own key, so the number of the frame is unique under it."""
    return index.to_bytes(12, "big")


def _read_fully(stream: BinaryIO, count: int) -> bytes:
    pieces: list[bytes] = []
    while count > 0 and (piece := stream.read(count)):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
