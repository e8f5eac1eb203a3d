"""Reads a content once from beginning to end, in sections: what is sent is hashed, and the last piece is held back."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import BinaryIO, Self, cast

from intermediary.connect.api import Content, Misconfigured

_PIECE_BYTES = 1 << 18


class Reader:
    """The bytes of a content in order, hashed on the way; a context manager. For one thread at a time.

    All but the last piece are hashed in a thread beside the sending: hashing is more than half of the work of a large one.
    `section(length)` is the next so many bytes as a content that can be opened once. Raises
    `Misconfigured("payload.corrupt")` while the last of them are read when the whole is not what its hash says: a request
    then lacks its end, and no server takes it for a whole one.
    """

    def __init__(self, content: Content) -> None:
        self._content = content
        self._stream = content.open()
        self._hash = hashlib.sha256()
        self._beside = ThreadPoolExecutor(1, "cmis-hash")
        self._hashing: Future[None] | None = None
        self._position = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beside.shutdown()
        self._stream.close()

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return self._content.length - self._position

    def skip(self, length: int) -> None:
        """Go on behind what the target has already."""
        while length:
            length -= len(self.take(min(length, _PIECE_BYTES)))

    def take(self, most: int) -> bytes:
        """The next bytes, at least one of them."""
        piece = self._stream.read(min(most, self.left))
        self._position += len(piece)
        if self._hashing is not None:
            self._hashing.result()
        if self.left:
            self._hashing = self._beside.submit(self._hash.update, piece)
        else:
            self._hash.update(piece)
        if not piece or (not self.left and self._hash.hexdigest() != self._content.sha256):
            raise Misconfigured("payload.corrupt", where="document")
        return piece

    def section(self, length: int) -> Section:
        return Section(self, length)


class Section:
    """The next `length` bytes of a reader, as a content; `sha256` is not known beforehand."""

    sha256 = ""

    def __init__(self, reader: Reader, length: int) -> None:
        self._reader = reader
        self.length = length

    def open(self) -> BinaryIO:
        return cast("BinaryIO", _Window(self._reader, self.length))

    def read(self) -> bytes:
        return b"".join(iter(self.open().read, b""))


class _Window(io.RawIOBase):
    """Hands on what is read as it is: no buffer between, which would copy it twice."""

    def __init__(self, reader: Reader, length: int) -> None:
        self._reader = reader
        self._left = length

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._left:
            return b""
        piece = self._reader.take(min(self._left, size if size > 0 else _PIECE_BYTES))
        self._left -= len(piece)
        return piece
