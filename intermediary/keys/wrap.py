"""Wraps what rests: a random data key per Nachricht, under the key-encryption key (KEK) of its Mandant.

Rotation of a KEK: make a new file, name it as the current one and the old file as a previous one. New Nachrichten use
the new KEK; what exists stays readable under the old one, and look-ups by keyed hash ask for both. The old file may go
when no data key names it any more and the dedupe memory (90 days) has passed.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from intermediary.core.faults import Misconfigured
from intermediary.keys.stream import OpenedStream, SealBroken, seal_stream

_KEY_BYTES = 32
_NONCE_BYTES = 12
_ID_BYTES = 8
_VERSION = b"\x01"

KEK_ID_AT = len(_VERSION)
KEK_ID_BYTES = _ID_BYTES
"""Where in a wrapped data key the id of its KEK stands: `MandantKeys.ids` are what stands there."""


class DataKey:
    """The key of one Nachricht, as operations: seal and open small things, and streams of any length.

    `purpose` separates uses: what was sealed for one purpose does not open for another.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, data: bytes, purpose: str) -> bytes:
        """Sealed bytes for something that fits into memory."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._derive("small", purpose)).encrypt(nonce, data, None)

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """What `seal` was given; `SealBroken` otherwise."""
        try:
            return AESGCM(self._derive("small", purpose)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as wrong:
            raise SealBroken("the sealed value does not open") from wrong

    def seal_stream(self, source: BinaryIO, purpose: str) -> Iterator[bytes]:
        """The sealed form of a stream, in pieces; constant memory for any length."""
        return seal_stream(self._derive("stream", purpose), source)

    def open_stream(self, sealed: BinaryIO, purpose: str) -> OpenedStream:
        """A readable stream of what was sealed; reading raises `SealBroken` where it was changed or cut short."""
        return OpenedStream(self._derive("stream", purpose), sealed)

    def _derive(self, use: str, purpose: str) -> bytes:
        return _derived(self._key, f"intermediary/data-key/1/{use}/{purpose}")

    def __repr__(self) -> str:
        return "<data key>"


@dataclass(frozen=True, slots=True)
class KekFiles:
    """Where the KEK of one Mandant lies, and those it had before (still needed to read)."""

    current: Path
    previous: tuple[Path, ...] = ()


class MandantKeys:
    """The KEKs of all Mandanten of an installation, as operations; made once at start.

    An unknown Mandant, or a data key under a KEK that is not here, raises `Misconfigured("key.unavailable")`. So does a KEK
    that cannot be opened or is refused: at once when all `must_open`, otherwise as often as it is needed.
    """

    __slots__ = ("_files", "_keks", "_must_open", "_refused")

    def __init__(self, files: Mapping[str, KekFiles], *, must_open: bool = True) -> None:
        self._files = dict(files)
        self._must_open = must_open
        self._refused: dict[str, str] = {}
        self._keks: dict[str, Sequence[_Kek]] = {}
        for mandant, places in files.items():
            try:
                self._keks[mandant] = _open_all(mandant, places)
            except Misconfigured as fault:
                if must_open:
                    raise
                self._refused[mandant] = fault.where

    def mandanten(self) -> frozenset[str]:
        """Whose keys these are."""
        return frozenset(self._files)

    def opened(self) -> frozenset[str]:
        """The Mandanten whose KEKs can be used."""
        return frozenset(self._keks)

    def refuse(self, mandant: str, where: str) -> None:
        """The KEKs of this Mandant do not fit what rests, `where` says why: they must not be used."""
        if self._must_open:
            raise Misconfigured("key.unavailable", where=where)
        self._refused[mandant] = where
        del self._keks[mandant]

    def ids(self, mandant: str) -> tuple[bytes, ...]:
        """The ids of the KEKs of this Mandant, the current one first; derived from the key, and no secret."""
        return tuple(kek.id for kek in self._of(mandant))

    def file(self, mandant: str) -> Path:
        """Where the current KEK of this Mandant was read, for messages to the operator."""
        return self._files[mandant].current

    def new_data_key(self, mandant: str, nachricht_id: str) -> tuple[DataKey, bytes]:
        """A fresh random data key and its wrapped form, bound to this Mandant and Nachricht."""
        key = os.urandom(_KEY_BYTES)
        return DataKey(key), self._of(mandant)[0].wrap(key, _bound_to(mandant, nachricht_id))

    def open_data_key(self, mandant: str, nachricht_id: str, wrapped: bytes) -> DataKey:
        """The data key in its wrapped form; `SealBroken` when it was changed or belongs to another Nachricht."""
        named = wrapped[1 : 1 + _ID_BYTES]
        for kek in self._of(mandant):
            if wrapped[:1] == _VERSION and kek.id == named:
                return DataKey(kek.unwrap(wrapped, _bound_to(mandant, nachricht_id)))
        raise Misconfigured("key.unavailable", where=f"KEK of {mandant}")

    def index_hash(self, mandant: str, text: str) -> str:
        """Keyed hash for a look-up, under the current KEK: equal texts of one Mandant have equal hashes."""
        return self._of(mandant)[0].index_hash(mandant, text)

    def index_hashes(self, mandant: str, text: str) -> tuple[str, ...]:
        """The hashes under the current and every previous KEK: what a look-up must ask for."""
        return tuple(kek.index_hash(mandant, text) for kek in self._of(mandant))

    def _of(self, mandant: str) -> Sequence[_Kek]:
        keks = self._keks.get(mandant)
        if not keks:
            raise Misconfigured("key.unavailable", where=self._refused.get(mandant, f"KEK of {mandant}"))
        return keks

    def __repr__(self) -> str:
        return f"<keys of {len(self._files)} Mandanten>"


def create_kek(path: Path) -> None:
    """Write a new random KEK (base64 of 32 bytes) to a file only its owner may read; never over an existing file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(base64.b64encode(os.urandom(_KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())


class _Kek:
    __slots__ = ("_index", "_key", "id")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._index = _derived(key, "intermediary/index/1")
        self.id = _derived(key, "intermediary/kek-id/1")[:_ID_BYTES]

    def wrap(self, data_key: bytes, bound: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + self.id + nonce + AESGCM(self._key).encrypt(nonce, data_key, bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        nonce, sealed = wrapped[1 + _ID_BYTES :][:_NONCE_BYTES], wrapped[1 + _ID_BYTES + _NONCE_BYTES :]
        try:
            return AESGCM(self._key).decrypt(nonce, sealed, bound)
        except (InvalidTag, ValueError) as wrong:
            raise SealBroken("the wrapped data key does not open") from wrong

    def index_hash(self, mandant: str, text: str) -> str:
        return hmac.new(self._index, f"{mandant}\n{text}".encode(), sha256).hexdigest()


def _open_all(mandant: str, places: KekFiles) -> tuple[_Kek, ...]:
    return tuple(_Kek(_read_kek(mandant, path)) for path in (places.current, *places.previous))


def _read_kek(mandant: str, path: Path) -> bytes:
    where = f"KEK of {mandant}: {path}"
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or stat.S_IMODE(about.st_mode) & 0o077:
                raise Misconfigured("key.unavailable", where=f"{where} (mode must be 0600)")
            text = file.read(1024)
    except OSError as wrong:
        raise Misconfigured("key.unavailable", where=where) from wrong
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as wrong:
        raise Misconfigured("key.unavailable", where=f"{where} (not base64)") from wrong
    if len(key) != _KEY_BYTES:
        raise Misconfigured("key.unavailable", where=f"{where} (not 32 bytes)")
    return key


def _bound_to(mandant: str, nachricht_id: str) -> bytes:
    return f"intermediary/data-key/1\n{mandant}\n{nachricht_id}".encode()


def _derived(key: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info.encode()).derive(key)
