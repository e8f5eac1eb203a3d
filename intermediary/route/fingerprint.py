"""The SHA-256 of a plug-in's code: what a Nachricht's pins record beside name and version (promise G14)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

_NO_CODE_FOLDERS = frozenset({"__pycache__", "golden", "tests"})
_NO_CODE_SUFFIXES = frozenset({".md", ".pyc"})


def code_sha256(package: ModuleType) -> str:
    """SHA-256 in hex over the Python and data files of a package (or of a module that stands alone).

    It is the hash of a list with one line `path sha256` per file, sorted by path, so that anybody can compute it again.
    Left out is what cannot change an output: compiled files, documentation, golden cases and tests. Raises LookupError
    when the package has no files on disk.
    """
    lines = [f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n" for name, path in sorted(_files(package))]
    if not lines:
        raise LookupError("the package has no files")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _files(package: ModuleType) -> Iterator[tuple[str, Path]]:
    folders = [Path(folder) for folder in getattr(package, "__path__", [])]
    if not folders and package.__file__:
        yield Path(package.__file__).name, Path(package.__file__)
    for folder in folders:
        for path in folder.rglob("*"):
            inside = path.relative_to(folder)
            if path.is_file() and _is_code(inside):
                yield inside.as_posix(), path


def _is_code(inside: Path) -> bool:
    if any(part in _NO_CODE_FOLDERS or part.startswith(".") for part in inside.parts):
        return False
    return inside.suffix not in _NO_CODE_SUFFIXES
