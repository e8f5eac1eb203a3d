"""One installed schema package: its manifest, its verified files, and the root elements it answers for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from intermediary.core.faults import Misconfigured
from intermediary.validate.listing import Listing, PackageFiles
from intermediary.validate.manifest import Manifest

Review = Literal["product", "accepted", "own"]


@dataclass(frozen=True, slots=True)
class Package:
    """A package the catalogue may use.

    `review` says who vouches for the bytes: the product's pin, the operator who accepted them, or the mapping that
    ships them. `index` names the root elements per entry file, `listed` the URI and version of each code list by its path.
    """

    manifest: Manifest
    files: PackageFiles = field(repr=False)
    review: Review
    index: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    listed: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def sha256(self) -> str:
        return self.files.listing.sha256

    @property
    def is_own(self) -> bool:
        return self.review == "own"


class Packages(Mapping[str, Package]):
    """Packages by `name@version`; asking for one that is not there is a fault of the installation."""

    def __init__(self, packages: Mapping[str, Package]) -> None:
        self._packages = dict(packages)

    def __getitem__(self, key: str) -> Package:
        try:
            return self._packages[key]
        except KeyError:
            raise Misconfigured("validate.package.missing", where=key) from None

    def __contains__(self, key: object) -> bool:
        return key in self._packages

    def __iter__(self) -> Iterator[str]:
        return iter(self._packages)

    def __len__(self) -> int:
        return len(self._packages)

    def within_reach(self, package: Package) -> list[Package]:
        """The package and everything it requires, nearest first."""
        reached = {package.id: package}
        queue = [package]
        while queue:
            for name in queue.pop(0).manifest.requires:
                if name not in reached:
                    reached[name] = self[name]
                    queue.append(self[name])
        return list(reached.values())


def files_in_memory(name: str, files: Mapping[str, bytes]) -> PackageFiles:
    """Package files that are not on disk (yet): those of a package under review."""
    return _InMemory(name, files)


class _InMemory(PackageFiles):
    def __init__(self, name: str, files: Mapping[str, bytes]) -> None:
        super().__init__(name, Path(), Listing.of(files))
        self._files = dict(files)

    def read(self, path: str) -> bytes:
        return self._files[path]
