"""Taking a schema package in: compare with the pins, compile everything, then put it down in one step."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from intermediary.core.faults import Misconfigured
from intermediary.core.values import Befund
from intermediary.validate.closure import XS, Reader, read_schema
from intermediary.validate.genericode import read_code_list
from intermediary.validate.installed import (
    FILES_NAME,
    LISTING_NAME,
    MANIFEST_NAME,
    indexed,
    open_installed,
    package_folder,
    read_manifest,
)
from intermediary.validate.listing import Listing, all_of_it, is_schema, normalised
from intermediary.validate.lock import Locked, read_lock, sync_folder, write_lock
from intermediary.validate.manifest import Manifest
from intermediary.validate.package import Package, Packages, files_in_memory
from intermediary.validate.rules.review import review_rules
from intermediary.validate.source import read_source, refused
from intermediary.xml.schema import compile_schema


@dataclass(frozen=True, slots=True)
class Installed:
    """One line of `schemas list`: a package, who vouches for it, and what it answers for."""

    id: str
    sha256: str
    files: int
    review: str
    roots: int
    rules: tuple[str, ...] = ()
    urn: str = ""
    lists: int = 0
    origin: str = ""
    licence: str = ""
    valid_from: date | None = None
    valid_until: date | None = None

    @classmethod
    def of(cls, locked: Locked) -> Installed:
        manifest = locked.manifest
        return cls(
            id=manifest.id,
            sha256=locked.sha256,
            files=locked.files,
            review=locked.review,
            roots=sum(len(roots) for roots in locked.index.values()),
            rules=tuple(rules.file for rules in manifest.rules),
            urn=manifest.urn,
            lists=len(manifest.code_lists),
            origin=manifest.origin,
            licence=manifest.licence,
            valid_from=manifest.valid_from,
            valid_until=manifest.valid_until,
        )


def list_installed(folder: Path) -> tuple[Installed, ...]:
    """What the folder's lock records, by name."""
    return tuple(Installed.of(locked) for _, locked in sorted(read_lock(folder).items()))


@dataclass(frozen=True, slots=True)
class Notes:
    """What an operator knows of a package that is taken on his word; what is empty is left as the package says."""

    urn: str = ""
    origin: str = ""
    licence: str = ""
    valid_from: date | None = None
    valid_until: date | None = None

    def on(self, manifest: Manifest) -> Manifest:
        """The manifest with these notes."""
        return replace(
            manifest,
            urn=self.urn or manifest.urn,
            origin=self.origin or manifest.origin,
            licence=self.licence or manifest.licence,
            valid_from=self.valid_from or manifest.valid_from,
            valid_until=self.valid_until or manifest.valid_until,
        )


NO_NOTES = Notes()


def install(
    source: Path,
    folder: Path,
    pins: dict[str, Locked],
    *,
    accept_new: bool = False,
    as_id: str = "",
    notes: Notes = NO_NOTES,
) -> Installed:
    """Takes the package in `source` (folder, ZIP or one code list) into the schemas folder.

    A package whose canonical hash is one of `pins` is taken under that pin. Any other is refused, as
    `validate.package.mismatch` if it claims to be a pinned one (by `as_id`, its package.toml, or the pin's files) and
    as `validate.package.unknown` otherwise; with `accept_new` it is taken on the operator's word and marked so. All
    entries are compiled before anything is written; what it requires must be installed already. Installing again is
    harmless. `notes` are for what has no pin; a single list is valid from the day its publisher names.
    """
    raw = read_source(source)
    described = _described(raw, source)
    pin = _pin_of(raw, pins)
    if pin is not None:
        manifest = pin.manifest
    else:
        all_files = normalised(raw, described.beside) if described is not None else all_of_it(raw)
        if not all_files:
            raise refused(source, "no schema files and no code lists")
        if not accept_new:
            raise _not_pinned(normalised(raw) or all_files, described, pins, as_id, source)
        manifest = notes.on(_of_list(_accepted(all_files, described, pins, as_id, source), all_files))
    files = normalised(raw, manifest.beside)
    listing = Listing.of(files)
    package = _reviewed(manifest, files, folder)
    locked = Locked(
        manifest, listing.sha256, len(files), "product" if pin else "accepted", package.index, package.listed
    )
    _put_down(folder, manifest, files, listing)
    others = {key: value for key, value in read_lock(folder).items() if key != manifest.id}
    write_lock(folder, (*others.values(), locked))
    return Installed.of(locked)


def verify(folder: Path, pins: dict[str, Locked], *, today: date) -> tuple[Befund, ...]:
    """Every disagreement between lock, files and pins, and every package outside its validity. Empty: all is well."""
    findings: list[Befund] = []
    for locked in read_lock(folder).values():
        findings += _verify_one(folder, locked, pins.get(locked.manifest.id), today)
    return tuple(findings)


def propose(files: dict[str, bytes], manifest: Manifest) -> Manifest:
    """The manifest with entries, if it has none: all schema files that no other one of the package draws in, all lists."""
    if manifest.entries:
        return manifest
    package = Package(manifest, files_in_memory(manifest.id, files), "accepted")
    schemas = sorted(path for path in files if is_schema(path))
    lists = tuple(path for path in sorted(files) if not is_schema(path))
    drawn = set()
    for path in schemas:
        for reference in read_schema(package, path).iterchildren(f"{XS}import", f"{XS}include", f"{XS}redefine"):
            drawn.add((reference.get("schemaLocation") or "").rpartition("/")[2])
    tops = tuple(path for path in schemas if path.rpartition("/")[2] not in drawn)
    return replace(manifest, entries=tops or tuple(schemas), code_lists=lists)


def _pin_of(raw: dict[str, bytes], pins: dict[str, Locked]) -> Locked | None:
    """The pin that the source matches, each held against the files it covers; those with nothing beside are one look."""
    hashes: dict[tuple[str, ...], str] = {}
    for pin in pins.values():
        beside = pin.manifest.beside
        if beside not in hashes:
            hashes[beside] = Listing.of(normalised(raw, beside)).sha256
        if hashes[beside] == pin.sha256:
            return pin
    return None


def _described(raw: dict[str, bytes], source: Path) -> Manifest | None:
    manifests = [path for path in raw if path.rpartition("/")[2] == MANIFEST_NAME]
    if len(manifests) != 1:
        return None
    return read_manifest(raw[manifests[0]], where=f"{source.name}: {MANIFEST_NAME}")


def _accepted(
    files: dict[str, bytes], described: Manifest | None, pins: dict[str, Locked], as_id: str, source: Path
) -> Manifest:
    """Its own description, or that of the pin it replaces; never the pin's licence to carry a DOCTYPE."""
    if described is not None:
        return replace(described, doctype=())
    name, _, version = as_id.partition("@")
    if not name or not version:
        raise Misconfigured("validate.package.unknown", where=f"{source.name}: --as NAME@VERSION")
    pin = pins.get(as_id)
    if pin is not None:
        return replace(pin.manifest, doctype=(), origin=f"accepted from {source.name}")
    return propose(files, Manifest(name=name, version=version, entries=(), origin=f"accepted from {source.name}"))


def _of_list(manifest: Manifest, files: dict[str, bytes]) -> Manifest:
    """A package of one list and nothing else: its URN and validity are those of the list."""
    if manifest.entries or len(manifest.code_lists) != 1 or manifest.code_lists[0] not in files:
        return manifest
    path = manifest.code_lists[0]
    codes = read_code_list(files[path], where=f"{manifest.id} {path}")
    valid_from = manifest.valid_from or codes.valid_from
    return replace(manifest, urn=manifest.urn or f"{codes.uri}_{codes.version}", valid_from=valid_from)


def _not_pinned(
    files: dict[str, bytes], described: Manifest | None, pins: dict[str, Locked], as_id: str, source: Path
) -> Misconfigured:
    listing = Listing.of(files)
    claimed = as_id or (described.id if described is not None else "")
    likely = [pin for pin in pins.values() if pin.files == len(files) and set(pin.manifest.entries) <= set(files)]
    pin = pins.get(claimed) or (likely[0] if len(likely) == 1 else None)
    if pin is None:
        return Misconfigured("validate.package.unknown", where=f"{source.name}: sha256 {listing.sha256}")
    return Misconfigured(
        "validate.package.mismatch",
        where=f"{source.name}: {pin.manifest.id} is pinned to {pin.sha256} ({pin.files} files), "
        f"this is {listing.sha256} ({len(files)} files)",
    )


def _reviewed(manifest: Manifest, files: dict[str, bytes], folder: Path) -> Package:
    """The package after every entry has compiled among what is installed."""
    package = Package(manifest, files_in_memory(manifest.id, files), "accepted")
    others = {one.id: one for one in open_installed(folder, but=manifest.id)}
    packages = Packages({**others, package.id: package})
    for entry in manifest.entries:
        if entry not in files:
            raise Misconfigured("validate.package.manifest", where=f"{manifest.id}: entries: {entry}")
        closure = Reader(packages).closure(package, entry)
        compile_schema(closure.documents, closure.entry, where=f"{manifest.id} {entry}")
    result = indexed(package, packages)
    review_rules(result, packages)
    return result


def _put_down(folder: Path, manifest: Manifest, files: dict[str, bytes], listing: Listing) -> None:
    """Writes beside, then renames: a crash leaves the old package or the new one, and the lock decides which holds."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    fresh.chmod(0o755)
    for path, data in files.items():
        target = fresh / FILES_NAME / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    (fresh / LISTING_NAME).write_text(listing.text, encoding="utf-8")
    os.sync()
    place = package_folder(folder, manifest)
    if place.exists():
        old = Path(tempfile.mkdtemp(prefix=".old-", dir=folder))
        place.rename(old / "package")
        fresh.rename(place)
        shutil.rmtree(old)
    else:
        fresh.rename(place)
    sync_folder(folder)


def _verify_one(folder: Path, locked: Locked, pin: Locked | None, today: date) -> list[Befund]:
    manifest = locked.manifest
    place = package_folder(folder, manifest)
    findings = []
    try:
        here = Listing.of(read_source(place / FILES_NAME))
        listed = Listing.parse((place / LISTING_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, Misconfigured):
        return [Befund("validate.package.changed", path=manifest.id, rule="missing")]
    if listed.sha256 != locked.sha256:
        findings.append(Befund("validate.package.changed", path=f"{manifest.id}/{LISTING_NAME}", rule="listing"))
    findings += [
        Befund("validate.package.changed", path=f"{manifest.id}/{path}", rule="file")
        for path in sorted({*here.hashes, *listed.hashes})
        if here.hashes.get(path) != listed.hashes.get(path)
    ]
    if pin is not None and pin.sha256 != locked.sha256:
        findings.append(Befund("validate.package.mismatch", path=manifest.id, rule="pin"))
    if not manifest.is_valid_on(today):
        findings.append(Befund("validate.schema.version", path=manifest.id, rule="validity"))
    return findings
