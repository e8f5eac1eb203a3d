"""Looking at a ZIP file from outside: no archive inside, nothing encrypted, no bomb? Nothing is unpacked."""

from __future__ import annotations

import zipfile
import zlib

from intermediary.core.section import View
from intermediary.core.values import Content, MemoryContent
from intermediary.validate.file_types import ARCHIVES, told_type

MAX_ENTRIES = 10_000
MAX_DIRECTORY = 4 << 20
MAX_RATIO = 100
FREE_BYTES = 10 << 20
_END_RECORD = 22
_TAIL = _END_RECORD + 65_535
_HEAD = 512
_NAMES = (".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst", ".cab", ".jar", ".iso")


def fault_of_archive(content: Content) -> str:
    """The name of the rule that a ZIP file breaks, or nothing: `archive-broken`, `archive-encrypted`, `archive-nested`,
    `archive-bomb`.

    The directory is read first, and only if it is small; of every entry no more than its first bytes.
    """
    if not _has_small_directory(content):
        return "archive-broken"
    try:
        with content.open() as stream, zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > FREE_BYTES and unpacked > MAX_RATIO * content.length:
                return "archive-bomb"
            if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
                return "archive-broken"
            if any(entry.flag_bits & 0x1 for entry in entries):
                return "archive-encrypted"
            if any(_is_archive(archive, entry) for entry in entries if not entry.is_dir()):
                return "archive-nested"
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, EOFError):
        return "archive-broken"
    return ""


def _is_archive(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    if entry.filename.lower().endswith(_NAMES):
        return True
    with archive.open(entry) as stream:
        return told_type(MemoryContent(stream.read(_HEAD))) in ARCHIVES


def _has_small_directory(content: Content) -> bool:
    """Whether the end of the file speaks of a directory that can be read without harm (a ZIP64 one cannot)."""
    view = View(content)
    tail = view.slice(max(0, view.length - _TAIL), view.length)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END_RECORD:
        return False
    entries = int.from_bytes(tail[at + 10 : at + 12], "little")
    return entries <= MAX_ENTRIES and int.from_bytes(tail[at + 12 : at + 16], "little") <= MAX_DIRECTORY
