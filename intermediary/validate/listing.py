"""The canonical listing of a package's files: its SHA-256 pins the package, every read is checked against it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from intermediary.core.faults import Misconfigured

SUFFIX = ".xsd"


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


def normalised(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The schema files among `files`, without the folders that all of them share.

    Publishers pack the same files under different top folders; the pin must not depend on that.
    """
    kept = {path: data for path, data in files.items() if path.lower().endswith(SUFFIX)}
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
