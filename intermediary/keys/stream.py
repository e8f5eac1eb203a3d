"""Sealed streams: chunked AES-256-GCM in the manner of STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015) and age.

    sealed stream = magic (4 bytes) salt (16 bytes) chunk … chunk
    chunk         = AES-256-GCM of up to 64 KiB under HKDF-SHA256(key, salt)
    nonce         = chunk number (11 bytes, from 0) last flag (1 byte)

Every chunk but the last is full, and only the last carries the flag 1: cutting off, adding, exchanging or repeating
chunks is detected. An empty stream is one empty last chunk.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAGIC = b"IMS1"
CHUNK_BYTES = 64 * 1024
_SALT_BYTES = 16
_TAG_BYTES = 16
_COUNTER_BYTES = 11


class SealBroken(Exception):
    """What was sealed does not open: changed, cut short, reordered, or sealed for something else."""


def seal_stream(key: bytes, source: BinaryIO) -> Iterator[bytes]:
    """The sealed form of everything `source` gives, piece by piece; memory for two chunks."""
    salt = os.urandom(_SALT_BYTES)
    yield MAGIC + salt
    cipher = _cipher(key, salt)
    number, chunk = 0, _read_full(source, CHUNK_BYTES)
    while True:
        following = _read_full(source, CHUNK_BYTES) if len(chunk) == CHUNK_BYTES else b""
        yield cipher.encrypt(_nonce(number, is_last=not following), chunk, None)
        if not following:
            return
        number, chunk = number + 1, following


class OpenedStream(io.RawIOBase):
    """Reads what `seal_stream` sealed; nothing unauthenticated is ever handed out.

    Reading raises `SealBroken` at the first chunk that is not the one that was written there, and at an end that is not
    the end. Closing it closes the sealed source.
    """

    def __init__(self, key: bytes, sealed: BinaryIO) -> None:
        super().__init__()
        self._sealed = sealed
        header = _read_full(sealed, len(MAGIC) + _SALT_BYTES)
        if len(header) != len(MAGIC) + _SALT_BYTES or not header.startswith(MAGIC):
            raise SealBroken("the sealed stream has no beginning")
        self._cipher = _cipher(key, header[len(MAGIC) :])
        self._number = 0
        self._ahead = _read_full(sealed, CHUNK_BYTES + _TAG_BYTES)
        self._plain = memoryview(b"")
        self._is_at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        if not self._plain and not self._is_at_end:
            self._open_next()
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._plain))
        target[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._sealed.close()
        super().close()

    def _open_next(self) -> None:
        chunk, self._ahead = self._ahead, _read_full(self._sealed, CHUNK_BYTES + _TAG_BYTES)
        is_last = not self._ahead
        try:
            plain = self._cipher.decrypt(_nonce(self._number, is_last=is_last), chunk, None)
        except (InvalidTag, ValueError) as wrong:
            raise SealBroken("the sealed stream was changed or cut short") from wrong
        if is_last and not plain and self._number:
            raise SealBroken("the sealed stream ends with an empty chunk")
        self._plain, self._number, self._is_at_end = memoryview(plain), self._number + 1, is_last


def _read_full(source: BinaryIO, count: int) -> bytes:
    """`count` bytes, fewer only at the end; a raw source may give less at a time."""
    data = source.read(count)
    if len(data) == count or not data:
        return data
    pieces = [data]
    missing = count - len(data)
    while missing and (data := source.read(missing)):
        pieces.append(data)
        missing -= len(data)
    return b"".join(pieces)


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"intermediary/stream/1").derive(key))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(_COUNTER_BYTES) + (b"\x01" if is_last else b"\x00")
