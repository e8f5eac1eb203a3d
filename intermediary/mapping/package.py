"""The xdomea package: one message and its primary documents, flat in a ZIP (xoev-digest §7).

Nothing is compressed, times are fixed and the order is given, so the same content gives the same bytes. The archive is
never held in memory nor written to disk: attachments may be large and must not rest readable, so `open` strings headers
and contents together while it is read.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from intermediary.core.values import Content, Dokument, MemoryContent

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 1 << 20
_LIMIT = 0xFFFFFFFF - 1
_MOST_PER_ENTRY = 100  # local header, directory record and a share of the end record, without the name
_MOST_ENTRIES = 0xFFFF - 1
_STORED = 0
_UTF8_NAMES = 0x800
_VERSION = 20
_DOS_TIME = 0
_DOS_DATE = (1 << 5) | 1
_REGULAR_FILE = (0o100644 << 16) & 0xFFFFFFFF


def package(process_id: str, message: str, xml: bytes, dokumente: Sequence[Dokument]) -> Dokument:
    """`<ProzessID>_<Nachricht>.zip` with the XML of the same stem first, then the documents in the given order.

    `message` is the full name with its number (`Abgabe.Abgabe.0401`). Raises `ValueError` when two files have the same
    name, a name contains a folder, or the archive would pass 4 GiB.
    """
    stem = f"{process_id}_{message}"
    entries = [(f"{stem}.xml", MemoryContent(xml)), *((one.file_name, one.content) for one in dokumente)]
    return Dokument(f"{stem}.zip", "application/zip", StoredArchive(entries))


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    content: Content = field(repr=False)
    crc32: int
    offset: int

    def header(self) -> bytes:
        """Local header: signature, then the fields both headers share, then name length and no extra field."""
        return (
            struct.pack("<4sH", b"PK\x03\x04", _VERSION)
            + self._shared()
            + struct.pack("<HH", len(self.name), 0)
            + self.name
        )

    def directory(self) -> bytes:
        """Central directory record; made by Unix, so that the permission bits below are read."""
        tail = struct.pack("<HHHHHII", len(self.name), 0, 0, 0, 0, _REGULAR_FILE, self.offset)
        return struct.pack("<4sHH", b"PK\x01\x02", (3 << 8) | _VERSION, _VERSION) + self._shared() + tail + self.name

    def _shared(self) -> bytes:
        length = self.content.length
        return struct.pack("<HHHHIII", _UTF8_NAMES, _STORED, _DOS_TIME, _DOS_DATE, self.crc32, length, length)


class StoredArchive:
    """A ZIP as `Content`; its checksums are computed once, in one pass over each file."""

    __slots__ = ("_directory", "_entries", "_sha256", "length")

    def __init__(self, entries: Sequence[tuple[str, Content]]) -> None:
        names = [name for name, _ in entries]
        if len({name.casefold() for name in names}) < len(names) or any("/" in name or "\\" in name for name in names):
            raise ValueError("file names in a package are flat and different")
        headers = sum(_MOST_PER_ENTRY + 2 * len(name.encode("utf-8")) for name in names)
        if headers + sum(content.length for _, content in entries) > _LIMIT or len(entries) > _MOST_ENTRIES:
            raise ValueError("a package is smaller than 4 GiB")
        self._entries: list[_Entry] = []
        offset = 0
        for name, content in entries:
            entry = _Entry(name.encode("utf-8"), content, _crc32(content), offset)
            self._entries.append(entry)
            offset += len(entry.header()) + content.length
        self._directory = self._end(offset)
        self.length = offset + len(self._directory)
        self._sha256 = ""

    @property
    def sha256(self) -> str:
        if not self._sha256:
            digest = hashlib.sha256()
            with self.open() as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
            self._sha256 = digest.hexdigest()
        return self._sha256

    def open(self) -> BinaryIO:
        return io.BufferedReader(_Strung(self._parts()), _CHUNK)

    def read(self) -> bytes:
        with self.open() as stream:
            return stream.read()

    def __repr__(self) -> str:
        return f"<archive of {len(self._entries)} files, {self.length} bytes>"

    def _parts(self) -> Iterator[Callable[[], BinaryIO]]:
        for entry in self._entries:
            yield _memory(entry.header())
            yield entry.content.open
        yield _memory(self._directory)

    def _end(self, offset: int) -> bytes:
        records = b"".join(entry.directory() for entry in self._entries)
        count = len(self._entries)
        return records + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(records), offset, 0)


class _Strung(io.RawIOBase):
    """Several streams read one after the other; each is opened when its turn comes and closed after it."""

    def __init__(self, parts: Iterator[Callable[[], BinaryIO]]) -> None:
        super().__init__()
        self._parts = parts
        self._current: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        while True:
            if self._current is None:
                opener = next(self._parts, None)
                if opener is None:
                    return 0
                self._current = opener()
            chunk = self._current.read(len(view))
            if chunk:
                view[: len(chunk)] = chunk
                return len(chunk)
            self._current.close()
            self._current = None

    def close(self) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None
        super().close()


def _memory(data: bytes) -> Callable[[], BinaryIO]:
    return lambda: io.BytesIO(data)


def _crc32(content: Content) -> int:
    checksum = 0
    with content.open() as stream:
        while chunk := stream.read(_CHUNK):
            checksum = zlib.crc32(chunk, checksum)
    return checksum
