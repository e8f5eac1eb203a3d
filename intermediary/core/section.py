"""Windows on content: parts of a message read where they lie, in pieces, without a copy."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from intermediary.core.values import Content, MemoryContent

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE_BYTES = 256 * 1024

Piece = bytes | memoryview


class Section:
    """The bytes of `source` from `begin` to before `end`, as content of its own; hashed once, when asked first.

    The source must never change (memory, or a spool file, which is authenticated); it lives as long as this.
    """

    __slots__ = ("_begin", "_end", "_sha256", "_source")

    def __init__(self, source: Content, begin: int, end: int) -> None:
        if isinstance(source, Section):
            # A window on a window is a window.
            source, begin, end = source.within(begin, end)
        self._source: Content = source
        self._begin: int = begin
        self._end: int = end
        self._sha256 = ""

    @property
    def length(self) -> int:
        return self._end - self._begin

    @property
    def sha256(self) -> str:
        if not self._sha256:
            self._sha256 = digest_of(self, "sha256").hex()
        return self._sha256

    def within(self, begin: int, end: int) -> tuple[Content, int, int]:
        """What lies from `begin` to before `end` of the section, by its source and the places there."""
        return self._source, self._begin + begin, self._begin + end

    def stretch(self, start: int = 0, stop: int | None = None) -> Iterator[Piece]:
        """The bytes from `start` to before `stop`, counted from the beginning of the section, in pieces."""
        end = self._end if stop is None else min(self._begin + stop, self._end)
        return pieces(self._source, self._begin + start, end)

    def open(self) -> BinaryIO:
        if isinstance(self._source, MemoryContent):
            return io.BytesIO(self.read())
        return io.BufferedReader(_SectionReader(self._source.open(), self._begin, self._end), PIECE_BYTES)

    def read(self) -> bytes:
        return b"".join(self.stretch())

    def __repr__(self) -> str:
        return f"<content of {self.length} bytes>"


def pieces(content: Content, start: int = 0, stop: int | None = None) -> Iterator[Piece]:
    """The bytes of any content from `start` to before `stop`, in pieces of up to `PIECE_BYTES`."""
    if isinstance(content, MemoryContent):
        data = memoryview(content.read())[start:stop]
        return (data[begin : begin + PIECE_BYTES] for begin in range(0, len(data), PIECE_BYTES))
    # Content of ours can be read from anywhere without a stream; asked by name, as a Protocol is slow to ask.
    stretch: Callable[[int, int | None], Iterator[Piece]] | None = getattr(content, "stretch", None)
    return _read_from(content, start, stop) if stretch is None else stretch(start, stop)


def digest_of(content: Content, name: str) -> bytes:
    """The digest of all bytes; `name` as in `hashlib`."""
    digest = hashlib.new(name)
    for piece in pieces(content):
        digest.update(piece)
    return digest.digest()


class View:
    """Looks into content at any place, mostly forwards: short slices and a search, one piece in memory at a time."""

    def __init__(self, content: Content) -> None:
        self.length = content.length
        self._content = content
        self._base = 0
        self._block = b""
        source, begin, _end = content.within(0, 0) if isinstance(content, Section) else (content, 0, 0)
        if isinstance(source, MemoryContent):
            self._base, self._block = -begin, source.read()

    def slice(self, begin: int, end: int) -> bytes:
        """The bytes from `begin` to before `end`, as far as there are any; meant for short ones."""
        end = min(end, self.length)
        if begin >= end:
            return b""
        if self._has(begin) and end - self._base <= len(self._block):
            return self._block[begin - self._base : end - self._base]
        return b"".join(pieces(self._content, begin, end))

    def find(self, needle: bytes, start: int) -> int:
        """Where `needle` begins first at or after `start`, or -1."""
        overlap = len(needle) - 1
        before = b""
        position = start
        while position < self.length:
            if not self._has(position):
                self._base, self._block = position, bytes(next(pieces(self._content, position)))
            skip = position - self._base
            # What lies across the border of two blocks.
            found = (before + self._block[skip : skip + overlap]).find(needle) if before else -1
            if found >= 0:
                return position - len(before) + found
            found = self._block.find(needle, skip, self.length - self._base)
            if found >= 0:
                return self._base + found
            position = self._base + len(self._block)
            before = (before + self._block[max(skip, len(self._block) - overlap) :])[-overlap:] if overlap else b""
        return -1

    def _has(self, position: int) -> bool:
        return 0 <= position - self._base < len(self._block)


class _SectionReader(io.RawIOBase):
    """A stream that begins and ends inside another one."""

    def __init__(self, stream: BinaryIO, begin: int, end: int) -> None:
        super().__init__()
        self._stream = stream
        self._begin = begin
        self._end = end
        self._stream.seek(begin)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: self._begin, io.SEEK_CUR: self._stream.tell(), io.SEEK_END: self._end}[whence]
        if start + offset < self._begin:
            raise ValueError("a stream begins at 0")
        return self._stream.seek(start + offset) - self._begin

    def tell(self) -> int:
        return self._stream.tell() - self._begin

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")
        piece = self._stream.read(max(0, min(len(target), self._end - self._stream.tell())))
        target[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _read_from(content: Content, start: int, stop: int | None) -> Iterator[bytes]:
    missing = (content.length if stop is None else stop) - start
    with content.open() as stream:
        skipped = start
        while skipped and (piece := stream.read(min(PIECE_BYTES, skipped))):
            skipped -= len(piece)
        while missing > 0 and (piece := stream.read(min(PIECE_BYTES, missing))):
            missing -= len(piece)
            yield piece
