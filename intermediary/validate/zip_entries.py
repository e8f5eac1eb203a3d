"""Whether a ZIP is small to look at and says the same to every reader: no overlap, no lie, no name twice."""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

_LOCAL_HEADER = 30
_LOCAL_SIGNATURE = b"PK\x03\x04"
_END_RECORD = 22
_END_SIGNATURE = b"PK\x05\x06"
_LONGEST_COMMENT = 65_535
_DISAGREE = "entry and directory disagree"


def has_small_directory(stream: BinaryIO, *, entries: int, size: int) -> bool:
    """Whether the end of the file speaks of a directory that can be read without harm (a ZIP64 one cannot).

    Asked before `ZipFile` reads all of it.
    """
    length = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, length - _END_RECORD - _LONGEST_COMMENT))
    tail = stream.read()
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END_RECORD:
        return False
    counted, sized = (int.from_bytes(tail[at + start : at + end], "little") for start, end in ((10, 12), (12, 16)))
    return counted <= entries and sized <= size


def ambiguity(archive: zipfile.ZipFile) -> str:
    """What two readers of the archive would see differently, in words, or nothing; no entry is unpacked.

    The end record counts the entries that were found; entries lie one after the other from the first byte to the directory
    and share none; each entry's own header says what the directory says.
    """
    if not _counts_its_entries(archive):
        return _DISAGREE
    entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    if entries and entries[0].header_offset != 0:
        return "data before the first entry"
    ends = [entry.header_offset for entry in entries[1:]] + [archive.start_dir]
    for entry, end in zip(entries, ends, strict=False):
        if entry.header_offset + _LOCAL_HEADER + entry.compress_size > end:
            return "overlapping entries"
    return "" if all(_agrees(archive, entry) for entry in entries) else _DISAGREE


def is_link(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry would become a link or a device."""
    return stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR)


def collision(names: Iterable[str]) -> str:
    """Names that would be one place on some file system, in words, or nothing; folders end with `/`."""
    seen: set[str] = set()
    files: set[str] = set()
    folders: set[str] = set()
    for name in names:
        folded = unicodedata.normalize("NFC", name.removesuffix("/")).casefold()
        if folded in seen:
            return "two entries with one name"
        seen.add(folded)
        (folders if name.endswith("/") else files).add(folded)
        parts = folded.split("/")
        folders.update("/".join(parts[:count]) for count in range(1, len(parts)))
    return "a file and a folder with one name" if files & folders else ""


def _counts_its_entries(archive: zipfile.ZipFile) -> bool:
    stream = archive.fp
    if stream is None:
        return False
    stream.seek(-_END_RECORD - len(archive.comment), os.SEEK_END)
    record = stream.read(_END_RECORD)
    return record[:4] == _END_SIGNATURE and int.from_bytes(record[10:12], "little") == len(archive.filelist)


def _agrees(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    stream = archive.fp
    if stream is None:
        return False
    stream.seek(entry.header_offset)
    header = stream.read(_LOCAL_HEADER)
    length = int.from_bytes(header[26:28], "little")
    name = stream.read(length)
    encoding = "utf-8" if entry.flag_bits & 0x800 else "cp437"
    sizes = (int.from_bytes(header[18:22], "little"), int.from_bytes(header[22:26], "little"))
    is_deferred = bool(entry.flag_bits & 0x8) or 0xFFFFFFFF in sizes
    checksum = int.from_bytes(header[14:18], "little")
    return (
        header[:4] == _LOCAL_SIGNATURE
        and name.decode(encoding, "replace") == entry.orig_filename
        and (is_deferred or (*sizes, checksum) == (entry.compress_size, entry.file_size, entry.CRC))
    )
