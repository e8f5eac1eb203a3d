"""Reading a package that somebody handed in, folder, ZIP or list: nothing about it is believed, nothing is unpacked."""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from intermediary.core.faults import Misconfigured
from intermediary.validate.genericode import identify
from intermediary.validate.listing import RULES_SUFFIX, SUFFIX
from intermediary.validate.zip_entries import ambiguity, collision, has_small_directory, is_link

MEGABYTE = 1024 * 1024
MAX_ARCHIVE = 256 * MEGABYTE
MAX_FILE = 16 * MEGABYTE
MAX_TOTAL = 128 * MEGABYTE
MAX_ENTRIES = 20_000
MAX_DIRECTORY = 8 * MEGABYTE
_MAX_PATH = 512
_MAX_PARTS = 24
_ENCRYPTED = 0x1
_MANIFEST = "package.toml"
_LISTS = (".xml", ".gc")
_HEAD = 8192
_SCENARIOS = "scenarios"


def read_source(source: Path) -> dict[str, bytes]:
    """The schema files, code lists and `package.toml` of a folder or ZIP, by path with `/`; or the one list in a file.

    Raises `Misconfigured("validate.package.refused")` with the reason when the source cannot be read, is too large, or
    looks like an attack: paths that leave the package, links and devices, names that collide on some file system,
    encrypted, overlapping or lying ZIP entries. Schematron files and `*scenarios*.xml` are read as well. What is neither a
    schema nor rules nor, by its first bytes, a code list is checked by name and not read.
    """
    if source.is_dir():
        return _read_folder(source)
    try:
        if source.stat().st_size > MAX_ARCHIVE:
            raise refused(source, "too large")
        return _read_list(source) if source.suffix.lower() in _LISTS else _read_zip(source)
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, EOFError) as error:
        raise refused(source, "not a readable folder or ZIP") from error


def refused(source: Path, reason: str) -> Misconfigured:
    """The one way a source is turned down; `reason` names the trap, never an entry's own text."""
    return Misconfigured("validate.package.refused", where=f"{source.name}: {reason}")


def _read_list(source: Path) -> dict[str, bytes]:
    if source.stat().st_size > MAX_FILE:
        raise refused(source, "too large")
    data = source.read_bytes()
    if not identify(data) or not _is_safe(source.name):
        raise refused(source, "not a code list in genericode")
    return {source.name: data}


def _read_folder(source: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    names: list[str] = []
    total = 0
    for folder, folders, leaves in os.walk(source):
        for name in (*folders, *leaves):
            if (Path(folder) / name).is_symlink():
                raise refused(source, "contains a link")
        for leaf in sorted(leaves):
            path = Path(folder) / leaf
            name = path.relative_to(source).as_posix()
            names.append(name)
            if not _is_wanted(name) and not (_may_be_list(name) and _is_list(path)):
                continue
            mode = path.stat()
            if not stat.S_ISREG(mode.st_mode):
                raise refused(source, "contains something that is not a file")
            total += mode.st_size
            if mode.st_size > MAX_FILE or total > MAX_TOTAL:
                raise refused(source, "too large")
            files[name] = path.read_bytes()
    _check_names(source, names)
    return files


def _read_zip(source: Path) -> dict[str, bytes]:
    with source.open("rb") as stream:
        if not has_small_directory(stream, entries=MAX_ENTRIES, size=MAX_DIRECTORY):
            raise refused(source, "not a readable folder or ZIP, or too many entries")
        return _files_in(source, zipfile.ZipFile(stream))


def _files_in(source: Path, archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = archive.infolist()
    _check_entries(source, entries)
    if reason := ambiguity(archive):
        raise refused(source, reason)
    files: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        if entry.is_dir() or not (_is_wanted(entry.filename) or _is_list_inside(archive, entry)):
            continue
        data = _inflate(source, archive, entry)
        total += len(data)
        if total > MAX_TOTAL:
            raise refused(source, "too large")
        files[entry.filename] = data
    return files


def _is_wanted(name: str) -> bool:
    leaf = name.lower().rsplit("/", 1)[-1]
    is_scenarios = leaf.endswith(".xml") and _SCENARIOS in leaf
    return leaf.endswith((SUFFIX, RULES_SUFFIX)) or is_scenarios or name.rsplit("/", 1)[-1] == _MANIFEST


def _may_be_list(name: str) -> bool:
    return name.lower().endswith(_LISTS)


def _is_list(path: Path) -> bool:
    with path.open("rb") as stream:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode) and identify(stream.read(_HEAD))


def _is_list_inside(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    if not _may_be_list(entry.filename):
        return False
    with archive.open(entry) as stream:
        return identify(stream.read(_HEAD))


def _check_entries(source: Path, entries: list[zipfile.ZipInfo]) -> None:
    for entry in entries:
        if is_link(entry):
            raise refused(source, "contains a link or device")
        if entry.flag_bits & _ENCRYPTED:
            raise refused(source, "encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refused(source, "unknown compression")
        # ZipInfo replaces what follows a NUL and the platform's separator; the name as packed must be the same.
        if entry.orig_filename != entry.filename:
            raise refused(source, "unsafe name")
    _check_names(source, [entry.filename for entry in entries])


def _check_names(source: Path, names: Iterable[str]) -> None:
    known = list(names)
    if not all(_is_safe(name.removesuffix("/")) for name in known):
        raise refused(source, "unsafe name")
    if reason := collision(known):
        raise refused(source, reason)


def _is_safe(name: str) -> bool:
    parts = name.split("/")
    return (
        0 < len(name) <= _MAX_PATH
        and len(parts) <= _MAX_PARTS
        and not any(part in ("", ".", "..") or part != part.rstrip(" ") or len(part) > 200 for part in parts)
        and not any(sign in name for sign in '\\:*?"<>|')
        and not any(unicodedata.category(sign).startswith("C") for sign in name)
        and name[:1] not in "-~"
    )


def _inflate(source: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.file_size > MAX_FILE:
        raise refused(source, "too large")
    with archive.open(entry) as stream:
        data = stream.read(MAX_FILE + 1)
    if len(data) != entry.file_size:
        raise refused(source, "entry and directory disagree")
    return data
