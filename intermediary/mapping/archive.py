"""The ZIP file format, entries stored: headers as bytes, contents as they are (APPNOTE 6.3, 4.3 and 4.5.3).

Everything that could vary is fixed: nothing is compressed, times are the first the format knows, names are UTF-8. So the
bytes are a function of names and contents alone (decision 2). Above 4 GiB, or 65,534 entries, the ZIP64 records are added
where the format demands them and nowhere else.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from intermediary.core.joined import JoinedContent
from intermediary.core.values import Content

_CHUNK_BYTES = 1 << 20
_IN_32_BITS = 0xFFFFFFFF
_IN_16_BITS = 0xFFFF
_STORED = 0
_UTF8_NAMES = 0x800
_VERSION = 20
_VERSION_64 = 45
_UNIX = 3 << 8
_ZIP64_FIELD = 1
_DOS_TIME = 0
_DOS_DATE = (1 << 5) | 1
_REGULAR_FILE = (0o100644 << 16) & _IN_32_BITS


def stored_archive(entries: Sequence[tuple[str, Content]]) -> JoinedContent:
    """A ZIP of files by name, in the given order; each content is read once here, for its checksum, and never kept.

    Names are flat and different from each other on any file system.
    """
    offset = 0
    pieces: list[bytes | Content] = []
    records = b""
    for name, content in entries:
        entry = _Entry(name.encode("utf-8"), content.length, _crc32(content), offset)
        header = entry.header()
        pieces += (header, content)
        offset += len(header) + content.length
        records += entry.record()
    return JoinedContent((*pieces, records + _end(len(entries), len(records), offset)))


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes = field(repr=False)
    length: int
    crc32: int
    offset: int

    def header(self) -> bytes:
        """Local header; ZIP64 needs both lengths in it (4.5.3)."""
        extra = _extra(self.length, self.length) if self._is_large() else b""
        lengths = struct.pack("<HH", len(self.name), len(extra))
        return b"PK\x03\x04" + struct.pack("<H", self._needed()) + self._shared() + lengths + self.name + extra

    def record(self) -> bytes:
        """Central directory record; made by Unix, so that the permission bits below are read."""
        large = (self.length, self.length) if self._is_large() else ()
        far = (self.offset,) if self.offset >= _IN_32_BITS else ()
        extra = _extra(*large, *far) if large or far else b""
        needed = _VERSION_64 if extra else _VERSION
        start = b"PK\x01\x02" + struct.pack("<HH", _UNIX | needed, needed)
        numbers = (len(self.name), len(extra), 0, 0, 0, _REGULAR_FILE, min(self.offset, _IN_32_BITS))
        return start + self._shared() + struct.pack("<HHHHHII", *numbers) + self.name + extra

    def _shared(self) -> bytes:
        """The fields that both have in common."""
        length = min(self.length, _IN_32_BITS)
        return struct.pack("<HHHHIII", _UTF8_NAMES, _STORED, _DOS_TIME, _DOS_DATE, self.crc32, length, length)

    def _is_large(self) -> bool:
        return self.length >= _IN_32_BITS

    def _needed(self) -> int:
        return _VERSION_64 if self._is_large() else _VERSION


def _extra(*numbers: int) -> bytes:
    return struct.pack(f"<HH{len(numbers)}Q", _ZIP64_FIELD, 8 * len(numbers), *numbers)


def _end(count: int, size: int, offset: int) -> bytes:
    """The end of the directory, which begins at `offset` and has `size` bytes (4.3.14 to 4.3.16)."""
    return b"".join(_zip64_end(count, size, offset)) + struct.pack(
        "<4sHHHHIIH",
        b"PK\x05\x06",
        0,
        0,
        min(count, _IN_16_BITS),
        min(count, _IN_16_BITS),
        min(size, _IN_32_BITS),
        min(offset, _IN_32_BITS),
        0,
    )


def _zip64_end(count: int, size: int, offset: int) -> Iterator[bytes]:
    if count < _IN_16_BITS and size < _IN_32_BITS and offset < _IN_32_BITS:
        return
    versions = (_UNIX | _VERSION_64, _VERSION_64)
    yield struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, *versions, 0, 0, count, count, size, offset)
    yield struct.pack("<4sIQI", b"PK\x06\x07", 0, offset + size, 1)


def _crc32(content: Content) -> int:
    checksum = 0
    with content.open() as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            checksum = zlib.crc32(chunk, checksum)
    return checksum
