"""Holds what is large, between arrival and `take` or while it is opened: in memory when small, else in a sealed file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from intermediary.core.values import Content, MemoryContent
from intermediary.keys.spooled import FRAME_BYTES, FrameWriter

MEMORY_BYTES = 1024 * 1024


class SpoolTooLarge(Exception):
    """The stream is longer than the caller allowed."""


class SpoolStopped(Exception):
    """The caller wanted to stop before the stream ended."""


class Spool:
    """Makes `Content` of what comes; bodies above `memory_bytes` go to files in `folder` (created, mode 0700).

    Files are unlinked, encrypted with a key of their own and gone with the content (`SpooledContent`). Without a folder
    everything is held in memory.
    """

    def __init__(self, folder: Path | None, *, memory_bytes: int = MEMORY_BYTES) -> None:
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._memory_bytes = memory_bytes

    @property
    def memory_bytes(self) -> int:
        """Up to how many bytes stay in memory where there is a folder."""
        return self._memory_bytes

    def is_small(self, length: int) -> bool:
        """Whether content of so many bytes stays in memory."""
        return self._folder is None or length <= self._memory_bytes

    def keep(self, body: bytes) -> Content:
        """Content of bytes that are in memory already. Raises OSError when the disk has no room."""
        if self.is_small(len(body)):
            return MemoryContent(body)
        with self.receive() as arriving:
            arriving.write(body)
            return arriving.finish()

    def receive(self, *, hashed: bool = True) -> Arriving:
        """Content that is handed over as it arrives; unless `hashed`, its hash is made when it is asked for first."""
        return Arriving(self._folder, self._memory_bytes, hashed=hashed)

    def copy(self, stream: BinaryIO, *, max_bytes: int, should_stop: Callable[[], bool] = lambda: False) -> Content:
        """Content of everything `stream` still gives, hashed while it is read.

        Raises `SpoolTooLarge` after `max_bytes`, `SpoolStopped` when asked to, and OSError from either side.
        """
        with self.receive() as arriving:
            while chunk := stream.read(FRAME_BYTES):
                if arriving.length + len(chunk) > max_bytes:
                    raise SpoolTooLarge
                if should_stop():
                    raise SpoolStopped
                arriving.write(chunk)
            return arriving.finish()


class Arriving:
    """Content that is handed over piece by piece; call from one thread at a time, and end it by one of the two.

    As a context manager it is abandoned when the block ends before `finish`. Who receives checks how much may come:
    there is no limit here.
    """

    def __init__(self, folder: Path | None, memory_bytes: int, *, hashed: bool) -> None:
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._hashed = hashed
        self._head: list[bytes] = []
        self._writer: FrameWriter | None = None
        self.length = 0

    def write(self, piece: bytes | memoryview) -> None:
        """The next bytes. Raises OSError when the disk has no room."""
        self.length += len(piece)
        if self._writer is None:
            if self._folder is None or self.length <= self._memory_bytes:
                self._head.append(bytes(piece))
                return
            self._writer = FrameWriter(self._folder, hashed=self._hashed)
            self._writer.write(b"".join(self._head))
            self._head.clear()
        self._writer.write(piece)

    def finish(self) -> Content:
        """Everything that came. Raises OSError when the disk has no room."""
        if self._writer is None:
            return MemoryContent(b"".join(self._head))
        content = self._writer.finish()
        self._writer = None
        return content

    def abandon(self) -> None:
        """Forget what came; after `finish`, it does nothing."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None

    def __enter__(self) -> Arriving:
        return self

    def __exit__(self, *_reason: object) -> None:
        self.abandon()
