"""Content made of pieces that are read one after the other: nothing is copied, whatever its length."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from intermediary.core.values import Content

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK_BYTES = 1 << 20


class JoinedContent:
    """Pieces as one `Content`; each is bytes or Content of its own, opened when its turn comes and closed after it.

    The length is known at once; the hash takes one pass over everything, made when it is asked for first.
    """

    __slots__ = ("_length", "_pieces", "_sha256")

    def __init__(self, pieces: Iterable[bytes | Content]) -> None:
        self._pieces = tuple(pieces)
        self._length = sum(len(one) if isinstance(one, bytes) else one.length for one in self._pieces)
        self._sha256 = ""

    @property
    def pieces(self) -> tuple[bytes | Content, ...]:
        """What it is made of, in order."""
        return self._pieces

    @property
    def length(self) -> int:
        return self._length

    @property
    def sha256(self) -> str:
        if not self._sha256:
            digest = hashlib.sha256()
            for chunk in self._chunks():
                digest.update(chunk)
            self._sha256 = digest.hexdigest()
        return self._sha256

    def open(self) -> BinaryIO:
        return io.BufferedReader(_Strung(iter(self._pieces)), _CHUNK_BYTES)

    def read(self) -> bytes:
        return b"".join(self._chunks())

    def __repr__(self) -> str:
        return f"<content of {self._length} bytes in {len(self._pieces)} pieces>"

    def _chunks(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            with piece.open() as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    yield chunk


class _Strung(io.RawIOBase):
    """The pieces as one stream."""

    def __init__(self, pieces: Iterator[bytes | Content]) -> None:
        super().__init__()
        self._pieces = pieces
        self._current: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")
        while target:
            if self._current is None:
                piece = next(self._pieces, None)
                if piece is None:
                    return 0
                self._current = io.BytesIO(piece) if isinstance(piece, bytes) else piece.open()
            chunk = self._current.read(len(target))
            if chunk:
                target[: len(chunk)] = chunk
                return len(chunk)
            self._drop()
        return 0

    def close(self) -> None:
        self._drop()
        super().close()

    def _drop(self) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None
