"""The canonical listing of a package's files: its SHA-256 pins the package, every read is checked against it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from intermediary.core.faults import Misconfigured
from intermediary.validate.genericode import identify

SUFFIX = ".xsd"
RULES_SUFFIX = ".sch"


@dataclass(frozen=True, slots=True)
class Listing:
    """Path and SHA-256 of every file, sorted by path; one line each, as `sha256sum` writes them."""

    hashes: Mapping[str, str]

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> Self:
        return cls({path: hashlib.sha256(files[path]).hexdigest() for path in sorted(files)})

    @classmethod
    def parse(cls, text: str) -> Self:
        pairs = (line.split("  ", 1) for line in text.splitlines())
        return cls({path: digest for digest, path in pairs})

    @property
    def text(self) -> str:
        return "".join(f"{self.hashes[path]}  {path}\n" for path in sorted(self.hashes))

    @property
    def sha256(self) -> str:
        """The hash that pins the package."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def normalised(files: Mapping[str, bytes], beside: Collection[str] = ()) -> dict[str, bytes]:
    """The schema files among `files` and those that a manifest names `beside` them, without the folders that all share.

    Publishers pack the same files under different top folders; the pin must not depend on that.
    """
    kept = {path: data for path, data in files.items() if is_schema(path) or _is_beside(path, beside)}
    return {path: data for path, data in _without_shared(kept).items() if is_schema(path) or path in beside}


def all_of_it(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The schema files and whatever looks like a code list, for a source that no manifest describes."""
    return _without_shared({path: data for path, data in files.items() if is_schema(path) or identify(data)})


def is_schema(path: str) -> bool:
    """Whether a file is a schema, by its name."""
    return path.lower().endswith(SUFFIX)


def _is_beside(path: str, beside: Collection[str]) -> bool:
    return any(path == one or path.endswith(f"/{one}") for one in beside)


def _without_shared(kept: Mapping[str, bytes]) -> dict[str, bytes]:
    parents = [PurePosixPath(path).parent.parts for path in kept]
    shared = 0
    while parents and all(len(parts) > shared and parts[shared] == parents[0][shared] for parts in parents):
        shared += 1
    return {"/".join(PurePosixPath(path).parts[shared:]): data for path, data in kept.items()}


class PackageFiles:
    """The files of one package on disk, read only as its listing says they are.

    Every read compares the bytes with the listing, so nothing that changed after the review is ever used; a missing or
    changed file is `Misconfigured("validate.package.changed")`.
    """

    def __init__(self, name: str, folder: Path, listing: Listing) -> None:
        self._name = name
        self._folder = folder
        self.listing = listing

    def __contains__(self, path: str) -> bool:
        return path in self.listing.hashes

    def read(self, path: str) -> bytes:
        wanted = self.listing.hashes.get(path)
        try:
            data = (self._folder / path).read_bytes() if wanted is not None else b""
        except OSError as error:
            raise self._changed(path) from error
        if wanted is None or hashlib.sha256(data).hexdigest() != wanted:
            raise self._changed(path)
        return data

    def _changed(self, path: str) -> Misconfigured:
        return Misconfigured("validate.package.changed", where=f"{self._name}: {path}")
