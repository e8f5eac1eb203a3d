"""The body of a Nachricht as `Content`: decrypted while it is read, checked against the hash of the intake."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, cast

from sqlalchemy import select

from intermediary.core.faults import Misconfigured
from intermediary.keys.stream import OpenedStream, SealBroken
from intermediary.store.database import Database
from intermediary.store.errors import NotFound
from intermediary.store.query import data_key
from intermediary.store.tables import nachrichten
from intermediary.store.take import BODY

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES = 64 * 1024


class WrappedContent:
    """Content whose bytes rest wrapped in a file; holds the data key, never the bytes."""

    __slots__ = ("_length", "_open", "_sha256", "_where")

    def __init__(self, *, length: int, sha256: str, open_sealed: Callable[[], OpenedStream], where: str) -> None:
        self._length = length
        self._sha256 = sha256
        self._open = open_sealed
        self._where = where

    @property
    def length(self) -> int:
        return self._length

    @property
    def sha256(self) -> str:
        return self._sha256

    def open(self) -> BinaryIO:
        """A stream of the plaintext; `Misconfigured("payload.corrupt")` where it is not what was taken."""
        try:
            checked = _Checked(self._open(), self._sha256, self._where)
        except SealBroken as broken:
            raise Misconfigured("payload.corrupt", where=self._where) from broken
        return cast(BinaryIO, io.BufferedReader(checked, _BUFFER_BYTES))

    def read(self) -> bytes:
        with self.open() as stream:
            return stream.read()

    def __repr__(self) -> str:
        return f"<wrapped content of {self._length} bytes>"


def body(db: Database, nachricht_id: str) -> WrappedContent:
    """See `Store.body`."""
    columns = nachrichten.c
    statement = select(columns.blob, columns.body_sha256, columns.body_length).where(columns.id == nachricht_id)
    with db.read() as tx:
        row = tx.execute(statement).one_or_none()
    if row is None:
        raise NotFound(nachricht_id)
    key, blob = data_key(db, nachricht_id), row.blob
    return WrappedContent(
        length=row.body_length,
        sha256=row.body_sha256,
        open_sealed=lambda: key.open_stream(db.blobs.open(blob), BODY),
        where=nachricht_id,
    )


class _Checked(io.RawIOBase):
    """Passes on what it reads; at the end the hash must be the one of the intake."""

    def __init__(self, source: OpenedStream, sha256: str, where: str) -> None:
        super().__init__()
        self._source = source
        self._expected = sha256
        self._found = hashlib.sha256()
        self._where = where

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")
        try:
            count = self._source.readinto(target)
        except SealBroken as broken:
            raise Misconfigured("payload.corrupt", where=self._where) from broken
        self._found.update(target[:count])
        if not count and len(target) and self._found.hexdigest() != self._expected:
            raise Misconfigured("payload.corrupt", where=self._where)
        return count

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()
