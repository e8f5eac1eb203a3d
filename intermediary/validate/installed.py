"""Opening what is installed: the packages of a schemas folder, and those that mappings ship themselves."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from intermediary.core.faults import Misconfigured
from intermediary.validate.closure import Reader
from intermediary.validate.genericode import read_code_list
from intermediary.validate.listing import Listing, PackageFiles, is_schema
from intermediary.validate.lock import read_lock
from intermediary.validate.manifest import Manifest, manifest_from
from intermediary.validate.package import Package, Packages
from intermediary.validate.source import read_source

MANIFEST_NAME = "package.toml"
LISTING_NAME = "files.sha256"
FILES_NAME = "files"


def package_folder(folder: Path, manifest: Manifest) -> Path:
    """Where a package lives inside the schemas folder."""
    return folder / manifest.id


def open_installed(folder: Path, *, but: str = "") -> list[Package]:
    """The packages recorded in the folder's lock, except `but` (the one that is being replaced).

    Their listings are checked against the lock here, their files whenever one is read. Raises
    `Misconfigured("validate.package.changed")` when a listing is missing or another one.
    """
    packages = []
    for locked in read_lock(folder).values():
        if locked.manifest.id == but:
            continue
        place = package_folder(folder, locked.manifest)
        try:
            listing = Listing.parse((place / LISTING_NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Misconfigured("validate.package.changed", where=f"{locked.manifest.id}: {LISTING_NAME}") from error
        if listing.sha256 != locked.sha256:
            raise Misconfigured("validate.package.changed", where=f"{locked.manifest.id}: {LISTING_NAME}")
        files = PackageFiles(locked.manifest.id, place / FILES_NAME, listing)
        packages.append(Package(locked.manifest, files, locked.review or "accepted", locked.index, locked.listed))
    return packages


def open_own(folder: Path) -> Package:
    """The package in a folder of a mapping (`package.toml` beside its schema files).

    It is vouched for by whoever installed the mapping; its hash is taken now, and every later read is held against it.
    """
    files = read_source(folder)
    manifest = read_manifest(files.pop(MANIFEST_NAME, None), where=str(folder / MANIFEST_NAME))
    if manifest.doctype or manifest.absent:
        raise Misconfigured("validate.package.manifest", where=f"{folder / MANIFEST_NAME}: doctype, absent")
    kept = {path: data for path, data in files.items() if is_schema(path) or path in manifest.beside}
    return Package(manifest, PackageFiles(manifest.id, folder, Listing.of(kept)), "own")


def read_manifest(data: bytes | None, *, where: str) -> Manifest:
    """The manifest in the bytes of a `package.toml`."""
    try:
        table = tomllib.loads((data or b"").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured("validate.package.manifest", where=where) from error
    return manifest_from(table, where=where)


def indexed(package: Package, packages: Packages) -> Package:
    """The package with its root elements, each of the first entry that declares it, and the names of its code lists."""
    reader = Reader(packages)
    taken: set[str] = set()
    index: dict[str, tuple[str, ...]] = {}
    for entry in package.manifest.entries:
        limited = package.manifest.roots
        roots = tuple(
            root for root in reader.roots(package, entry) if root not in taken and (not limited or root in limited)
        )
        taken.update(roots)
        index[entry] = roots
    missing = [root for root in package.manifest.roots if root not in taken]
    if missing:
        raise Misconfigured("validate.package.manifest", where=f"{package.id}: roots: {missing[0]}")
    return Package(package.manifest, package.files, package.review, index, _listed(package))


def _listed(package: Package) -> dict[str, tuple[str, str]]:
    listed: dict[str, tuple[str, str]] = {}
    for path in package.manifest.code_lists:
        if path not in package.files:
            raise Misconfigured("validate.package.manifest", where=f"{package.id}: code_lists: {path}")
        codes = read_code_list(package.files.read(path), where=f"{package.id} {path}")
        if (codes.uri, codes.version) in listed.values():
            where = f"{package.id}: code_lists: {path}: {codes.uri}_{codes.version} twice"
            raise Misconfigured("validate.package.manifest", where=where)
        listed[path] = (codes.uri, codes.version)
    return listed


def open_packages(folder: Path | None, own: Iterable[Path] = ()) -> Packages:
    """Everything the catalogue may use: the installed packages and the mappings' own, ready indexed.

    Two mappings may ship the same package; the same name with other files is `validate.package.manifest`.
    """
    packages = {package.id: package for package in (open_installed(folder) if folder is not None else [])}
    for place in own:
        package = open_own(place)
        known = packages.get(package.id)
        if known is not None and known.sha256 != package.sha256:
            raise Misconfigured("validate.package.manifest", where=f"{place}: {package.id} twice")
        packages[package.id] = package
    return Packages(
        {
            name: indexed(package, Packages(packages)) if package.is_own else package
            for name, package in packages.items()
        }
    )
