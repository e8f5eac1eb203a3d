"""What a Zustellauftrag becomes in the drop: which names, in which order, with which bytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from connectors.sftp.settings import SftpSettings
from intermediary.connect.api import Content, Dokument, Misconfigured, Zustellauftrag

_LONGEST_NAME = 255 - len(".sha256")
_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """One file to upload. In a unit that is a folder it has a name of its own there."""

    content: Content | bytes = field(repr=False)
    sha256: str
    length: int
    name: str = ""

    def pieces(self) -> Iterator[bytes]:
        """Its bytes; what the content raises passes."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        with self.content.open() as stream:
            while piece := stream.read(_PIECE_BYTES):
                yield piece


@dataclass(frozen=True, slots=True)
class Unit:
    """What appears in the drop by one rename: a file, or a folder with files. `is_note` may replace an older one."""

    final: str
    files: tuple[File, ...]
    is_folder: bool = False
    is_note: bool = False

    def fingerprint(self) -> str:
        """What makes it the same unit at another attempt."""
        return "\n".join((self.final, *(f"{one.name}:{one.sha256}:{one.length}" for one in self.files)))


def units_of(auftrag: Zustellauftrag, settings: SftpSettings) -> tuple[Unit, ...]:
    """The units in the order in which they appear; the last one is or has the package, and says that all is there.

    Raises `Misconfigured("mapping.output.invalid")` for names that no folder takes, or that are taken twice.
    """
    drop = settings.drop.replace("{mandant}", _safe(auftrag.mandant))
    documents = auftrag.dokumente if settings.layout != "package" else ()
    files = [*documents, auftrag.package]
    if settings.layout == "folder":
        units = [_folder(f"{drop}/{_name(auftrag, auftrag.package, settings)}", files, settings)]
    else:
        named = [(f"{drop}/{_name(auftrag, one, settings)}", one) for one in files]
        units = [unit for path, one in named for unit in _file(path, one, settings)]
    _demand_different([unit.final for unit in units])
    return tuple(units)


def _file(path: str, dokument: Dokument, settings: SftpSettings) -> Iterator[Unit]:
    if settings.checksum:
        line = _line(dokument.content.sha256, path.rpartition("/")[2])
        yield Unit(f"{path}.sha256", (_of_bytes(line),), is_note=True)
    yield Unit(path, (_of_content(dokument),))


def _folder(path: str, dokumente: Sequence[Dokument], settings: SftpSettings) -> Unit:
    files = [_of_content(one, _safe(one.file_name)) for one in dokumente]
    if settings.checksum:
        lines = b"".join(_line(one.sha256, one.name) for one in files)
        files.insert(0, _of_bytes(lines, "SHA256SUMS"))
    _demand_different([one.name for one in files])
    return Unit(path, tuple(files), is_folder=True)


def _of_content(dokument: Dokument, name: str = "") -> File:
    return File(dokument.content, dokument.content.sha256, dokument.content.length, name)


def _of_bytes(data: bytes, name: str = "") -> File:
    return File(data, hashlib.sha256(data).hexdigest(), len(data), name)


def _line(sha256: str, name: str) -> bytes:
    return f"{sha256}  {name}\n".encode()


def _name(auftrag: Zustellauftrag, dokument: Dokument, settings: SftpSettings) -> str:
    values = {
        "file_name": dokument.file_name,
        "key": auftrag.key,
        "nachricht": auftrag.nachricht_id,
        "mandant": auftrag.mandant,
    }
    return _safe(settings.name.format_map(values))


def _safe(name: str) -> str:
    """A name that stays in its folder and is no hidden file; any other is a mistake of the mapping."""
    is_safe = name and not name.startswith(".") and "/" not in name and "\\" not in name and name.isprintable()
    if not is_safe or len(os.fsencode(name)) > _LONGEST_NAME:
        raise Misconfigured("mapping.output.invalid", where="file_name")
    return name


def _demand_different(names: list[str]) -> None:
    if len({name.casefold() for name in names}) != len(names):
        raise Misconfigured("mapping.output.invalid", where="file_name: twice")
