"""An attachment of any length that takes no room: the same random bytes each time it is read."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, BinaryIO

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK_BYTES = 1 << 20
_ZEROS = bytes(_CHUNK_BYTES)


class Noise:
    """So many bytes of AES-CTR under a key that is no secret; nothing in them can be compressed or guessed at."""

    def __init__(self, length: int) -> None:
        self.length = length
        self._sha256 = ""

    @property
    def sha256(self) -> str:
        if not self._sha256:
            with self.open() as stream:
                self._sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return self._sha256

    def open(self) -> BinaryIO:
        return io.BufferedReader(_Keystream(self.length), _CHUNK_BYTES)

    def read(self) -> bytes:
        with self.open() as stream:
            return stream.read()


class _Keystream(io.RawIOBase):
    def __init__(self, length: int) -> None:
        super().__init__()
        self._left = length
        self._cipher = Cipher(AES(bytes(16)), CTR(bytes(16))).encryptor()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")
        count = min(len(target), self._left, _CHUNK_BYTES)
        target[:count] = self._cipher.update(_ZEROS[:count])
        self._left -= count
        return count
