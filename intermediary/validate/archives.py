"""Looking at a ZIP file from outside: no archive inside, nothing encrypted, no bomb? Nothing is unpacked."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Sequence

from intermediary.core.values import Content, MemoryContent
from intermediary.validate.file_types import ARCHIVES, told_type
from intermediary.validate.zip_entries import ambiguity, collision, has_small_directory, is_link

MAX_ENTRIES = 10_000
MAX_DIRECTORY = 4 << 20
MAX_RATIO = 100
MAX_NAME = 1024
MAX_DEPTH = 24
MAX_PART_BYTES = 255
FREE_BYTES = 10 << 20
_HEAD = 512
_DRIVE = re.compile("[A-Za-z]:")
_NAMES = (".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst", ".cab", ".jar", ".iso")


def fault_of_archive(content: Content) -> str:
    """The name of the rule that a ZIP file breaks, or nothing: `archive-broken`, `archive-encrypted`, `archive-names`,
    `archive-nested`, `archive-bomb`.

    The directory is read first, and only if it is small; of every entry no more than its header and first bytes. Broken is
    also what two readers would see differently, for the second one sits in the Fachverfahren.
    """
    try:
        with content.open() as stream:
            if not has_small_directory(stream, entries=MAX_ENTRIES, size=MAX_DIRECTORY):
                return "archive-broken"
            return _fault_of(zipfile.ZipFile(stream), content.length)
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, EOFError):
        return "archive-broken"


def _fault_of(archive: zipfile.ZipFile, length: int) -> str:
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > FREE_BYTES and unpacked > MAX_RATIO * length:
        return "archive-bomb"
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        return "archive-broken"
    if any(entry.flag_bits & 0x1 for entry in entries):
        return "archive-encrypted"
    if not entries or ambiguity(archive):
        return "archive-broken"
    if not _stay_inside(entries):
        return "archive-names"
    if any(_is_archive(archive, entry) for entry in entries if not entry.is_dir()):
        return "archive-nested"
    return ""


def _stay_inside(entries: Sequence[zipfile.ZipInfo]) -> bool:
    """Whether whoever unpacks gets each entry as a file of its own in the folder that he chose, whatever his system."""
    if any(map(is_link, entries)):
        return False
    # As packed, and as an extra field in Unicode has it: there are readers of either.
    for names in ([entry.orig_filename for entry in entries], [entry.filename for entry in entries]):
        plain = [name.replace("\\", "/") for name in names]
        if not all(map(_is_inside, plain)) or collision(plain):
            return False
    return True


def _is_inside(name: str) -> bool:
    parts = name.removesuffix("/").split("/")
    return (
        len(name) <= MAX_NAME
        and len(parts) <= MAX_DEPTH
        and not any(part in ("", ".", "..") or len(part.encode()) > MAX_PART_BYTES for part in parts)
        and "\0" not in name
        and _DRIVE.match(name) is None
    )


def _is_archive(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    if entry.filename.lower().endswith(_NAMES):
        return True
    with archive.open(entry) as stream:
        return told_type(MemoryContent(stream.read(_HEAD))) in ARCHIVES
