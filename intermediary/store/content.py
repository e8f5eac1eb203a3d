"""What rests wrapped, opened: the headers, and the body as `Content`, decrypted and checked while it is read."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from sqlalchemy import Row, Select, bindparam, select

from intermediary.core.faults import Misconfigured
from intermediary.keys.stream import OpenedStream, SealBroken
from intermediary.keys.wrap import DataKey
from intermediary.store.database import Database
from intermediary.store.errors import NotFound
from intermediary.store.records import Headers
from intermediary.store.tables import data_keys, nachrichten
from intermediary.store.take import BODY, HEADERS

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES = 64 * 1024

_SEALED: Select[Any] = (
    select(
        *(nachrichten.c[name] for name in ("id", "mandant", "blob", "body_sha256", "body_length", "headers")),
        data_keys.c.wrapped,
    )
    .select_from(nachrichten.outerjoin(data_keys))
    .where(nachrichten.c.id == bindparam("wanted"))
)


class WrappedContent:
    """Content whose bytes rest wrapped in a file; holds the data key, never the bytes."""

    __slots__ = ("_length", "_open", "_sha256", "where")

    def __init__(self, *, length: int, sha256: str, open_sealed: Callable[[], OpenedStream], where: str) -> None:
        self._length = length
        self._sha256 = sha256
        self._open = open_sealed
        self.where = where

    @property
    def length(self) -> int:
        return self._length

    @property
    def sha256(self) -> str:
        return self._sha256

    def open(self) -> BinaryIO:
        """A stream of the plaintext; `Misconfigured`: `payload.missing`, `payload.corrupt` (not what was taken)."""
        try:
            checked = _Checked(self._open(), self._sha256, self.where)
        except SealBroken as broken:
            raise Misconfigured("payload.corrupt", where=self.where) from broken
        return cast(BinaryIO, io.BufferedReader(checked, _BUFFER_BYTES))

    def read(self) -> bytes:
        with self.open() as stream:
            return stream.read()

    def __repr__(self) -> str:
        return f"<wrapped content of {self._length} bytes>"


@dataclass(frozen=True, slots=True)
class Kept:
    """What rests wrapped of one Nachricht, and the key to it: asked for once, opened as often as it is wanted."""

    body: WrappedContent
    _headers: Callable[[], bytes] = field(repr=False)

    @property
    def headers(self) -> Headers:
        """What came beside the body; `Misconfigured("payload.corrupt")`."""
        try:
            return Headers(**json.loads(self._headers()))
        except SealBroken as broken:
            raise Misconfigured("payload.corrupt", where=self.body.where) from broken


def kept(db: Database, nachricht_id: str) -> Kept:
    """See `Store.kept`."""
    row = _sealed(db, nachricht_id)
    key, blob = _key(db, row), row.blob
    body = WrappedContent(
        length=row.body_length,
        sha256=row.body_sha256,
        open_sealed=lambda: key.open_stream(db.blobs.open(blob), BODY),
        where=nachricht_id,
    )
    return Kept(body, lambda: key.open(row.headers or b"", HEADERS))


def _sealed(db: Database, nachricht_id: str) -> Row[Any]:
    with db.glance() as tx:
        row = tx.execute(_SEALED, {"wanted": nachricht_id}).one_or_none()
    if row is None:
        raise NotFound(nachricht_id)
    return row


def _key(db: Database, row: Row[Any]) -> DataKey:
    if row.wrapped is None:
        raise Misconfigured("payload.erased", where=row.id)
    try:
        return db.keys.open_data_key(row.mandant, row.id, row.wrapped)
    except SealBroken as broken:
        raise Misconfigured("payload.corrupt", where=row.id) from broken


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
