"""Content in a file without a name, sealed frame by frame under a key that exists only in this process.

    file = frame … frame        frame = AES-256-GCM of 256 KiB (the last may have less), nonce = its number

The file is unlinked before the first byte is written: nothing readable rests, and nothing remains after a crash (DESIGN
2.2, threat T27).
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FRAME_BYTES = 256 * 1024
_TAG = 16


class SpooledContent:
    """Content in an unlinked, encrypted file; the file is gone when this object and its streams are.

    It never changes: every byte read is authenticated against what was written. The hash takes a pass over everything
    when it is asked for first, unless it was made while writing.
    """

    __slots__ = ("__weakref__", "_aead", "_fd", "_length", "_sha256")

    def __init__(self, fd: int, aead: AESGCM, *, length: int, sha256: str = "") -> None:
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
        if not self._sha256:
            digest = hashlib.sha256()
            for piece in self.stretch():
                digest.update(piece)
            self._sha256 = digest.hexdigest()
        return self._sha256

    def open(self) -> BinaryIO:
        return io.BufferedReader(_FrameReader(self), FRAME_BYTES)

    def read(self) -> bytes:
        return b"".join(self.stretch())

    def stretch(self, start: int = 0, stop: int | None = None) -> Iterator[memoryview]:
        """The bytes from `start` to before `stop`, in pieces of up to one frame. Raises OSError as `frame`."""
        end = self._length if stop is None else min(stop, self._length)
        position = start
        while position < end:
            index, skip = divmod(position, FRAME_BYTES)
            piece = memoryview(self.frame(index))[skip : skip + end - position]
            if not piece:
                raise OSError("a spool file was cut short")
            yield piece
            position += len(piece)

    def frame(self, index: int) -> bytes:
        """The plaintext of one frame, empty after the last. Raises OSError when the file was damaged."""
        sealed = os.pread(self._fd, FRAME_BYTES + _TAG, index * (FRAME_BYTES + _TAG))
        if not sealed:
            return b""
        try:
            return self._aead.decrypt(_nonce(index), sealed, None)
        except InvalidTag as error:
            raise OSError("a spool file was damaged") from error

    def __repr__(self) -> str:
        return f"<content of {self._length} bytes>"


class FrameWriter:
    """Writes one such file; ended by `finish` or `abandon`, not both. Not for several threads at once.

    `hashed`: makes the hash on the way, for who needs it anyhow.
    """

    def __init__(self, folder: Path, *, hashed: bool) -> None:
        fd, name = tempfile.mkstemp(prefix="spool-", dir=folder)
        os.unlink(name)  # noqa: PTH108
        self._fd = fd
        self._aead = AESGCM(AESGCM.generate_key(256))
        self._digest = hashlib.sha256() if hashed else None
        self._pending = bytearray()
        self._frames = 0
        self.length = 0

    def write(self, piece: bytes | memoryview) -> None:
        """Appends. Raises OSError when the disk has no room."""
        if self._digest is not None:
            self._digest.update(piece)
        rest = memoryview(piece)
        self.length += len(rest)
        if self._pending:
            missing = FRAME_BYTES - len(self._pending)
            self._pending += rest[:missing]
            rest = rest[missing:]
            if len(self._pending) < FRAME_BYTES:
                return
            self._seal(self._pending)
            self._pending = bytearray()
        while len(rest) >= FRAME_BYTES:
            self._seal(rest[:FRAME_BYTES])
            rest = rest[FRAME_BYTES:]
        self._pending += rest

    def finish(self) -> SpooledContent:
        """What was written, as content. Raises OSError when the disk has no room."""
        if self._pending:
            self._seal(self._pending)
        sha256 = "" if self._digest is None else self._digest.hexdigest()
        return SpooledContent(self._fd, self._aead, length=self.length, sha256=sha256)

    def abandon(self) -> None:
        """Gives the file up; nothing of it can be read any more."""
        os.close(self._fd)

    def _seal(self, frame: bytearray | memoryview) -> None:
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
        self._index = -1
        self._frame = b""

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

    def readinto(self, buffer: WriteableBuffer) -> int:
        if self._position >= self._content.length:
            return 0
        target = memoryview(buffer).cast("B")
        index, skip = divmod(self._position, FRAME_BYTES)
        if index != self._index:
            self._frame, self._index = self._content.frame(index), index
        piece = memoryview(self._frame)[skip : skip + len(target)]
        if not piece:
            raise OSError("a spool file was cut short")
        target[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


def _nonce(index: int) -> bytes:
    """Every file has its own key, so the number of the frame is unique under it."""
    return index.to_bytes(12, "big")
