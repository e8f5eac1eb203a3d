"""Lock files: the product's pins (`schemas/lock.toml`) and the record of what an installation has taken in."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from intermediary.core.faults import Misconfigured
from intermediary.validate.manifest import Manifest, manifest_from, manifest_lines, rules_lines, toml_value

LOCK_NAME = "lock.toml"
_HEX = frozenset("0123456789abcdef")
_OWN_KEYS = ("sha256", "files", "review", "index", "listed")


@dataclass(frozen=True, slots=True)
class Locked:
    """One entry of a lock: a manifest, the SHA-256 of its canonical listing and the number of files in it.

    `review`, `index` (entry → root elements) and `listed` (code list → its URI and version) are empty in the product's pins
    and filled in an installation's lock.
    """

    manifest: Manifest
    sha256: str
    files: int
    review: Literal["", "product", "accepted"] = ""
    index: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    listed: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)


def product_pins() -> dict[str, Locked]:
    """The packages this product knows, by `name@version`; part of the wheel, changed only by review."""
    text = resources.files("schemas").joinpath(LOCK_NAME).read_text(encoding="utf-8")
    return parse_lock(text, where=f"schemas/{LOCK_NAME}")


def read_lock(folder: Path) -> dict[str, Locked]:
    """What is installed in a schemas folder; a folder without a lock has nothing."""
    path = folder / LOCK_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("validate.package.manifest", where=str(path)) from error
    return parse_lock(text, where=str(path))


def write_lock(folder: Path, entries: Iterable[Locked]) -> None:
    """Replaces the lock of a schemas folder in one step, durably."""
    text = "".join(lock_entry(entry) + "\n" for entry in sorted(entries, key=lambda entry: entry.manifest.id))
    path = folder / LOCK_NAME
    fresh = folder / f".{LOCK_NAME}.new"
    with fresh.open("w", encoding="utf-8") as stream:
        stream.write("# Written by `intermediary schemas install`; do not edit.\n\n" + text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Makes renames inside a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lock_entry(entry: Locked) -> str:
    """One `[[package]]` of a lock file as TOML."""
    lines = ["[[package]]", *manifest_lines(entry.manifest)]
    lines += [f"files = {entry.files}", f"sha256 = {toml_value(entry.sha256)}"]
    if entry.review:
        lines.append(f"review = {toml_value(entry.review)}")
    if entry.manifest.locations:
        lines.append("[package.locations]")
        lines += [f"{toml_value(url)} = {toml_value(path)}" for url, path in sorted(entry.manifest.locations.items())]
    for rules in entry.manifest.rules:
        lines += ["[[package.rules]]", *rules_lines(rules)]
    if entry.index:
        lines.append("[package.index]")
        lines += [f"{toml_value(path)} = {toml_value(tuple(roots))}" for path, roots in entry.index.items()]
    if entry.listed:
        lines.append("[package.listed]")
        lines += [f"{toml_value(path)} = {toml_value(tuple(name))}" for path, name in sorted(entry.listed.items())]
    return "\n".join(lines) + "\n"


def parse_lock(text: str, *, where: str) -> dict[str, Locked]:
    """The entries of a lock by id; raises `Misconfigured("validate.package.manifest")` at the first fault."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured("validate.package.manifest", where=where) from error
    tables = document.pop("package", [])
    if document or not isinstance(tables, list):
        raise Misconfigured("validate.package.manifest", where=where)
    locked: dict[str, Locked] = {}
    for number, table in enumerate(tables, start=1):
        entry = _entry(table, f"{where}: package {number}")
        if entry.manifest.id in locked:
            raise Misconfigured("validate.package.manifest", where=f"{where}: {entry.manifest.id} twice")
        locked[entry.manifest.id] = entry
    return locked


def _entry(table: Any, where: str) -> Locked:
    if not isinstance(table, dict):
        raise Misconfigured("validate.package.manifest", where=where)
    manifest = manifest_from({key: value for key, value in table.items() if key not in _OWN_KEYS}, where=where)
    sha256, files, review = table.get("sha256"), table.get("files"), table.get("review", "")
    index, listed = table.get("index", {}), table.get("listed", {})
    if not (isinstance(sha256, str) and len(sha256) == 64 and _HEX.issuperset(sha256)):
        raise Misconfigured("validate.package.manifest", where=f"{where}: sha256")
    if type(files) is not int or review not in ("", "product", "accepted") or not _is_index(index):
        raise Misconfigured("validate.package.manifest", where=where)
    if not _is_index(listed) or any(len(name) != 2 for name in listed.values()):
        raise Misconfigured("validate.package.manifest", where=f"{where}: listed")
    names = {path: (name[0], name[1]) for path, name in listed.items()}
    return Locked(manifest, sha256, files, review, {path: tuple(roots) for path, roots in index.items()}, names)


def _is_index(index: Any) -> bool:
    return isinstance(index, dict) and all(
        isinstance(roots, list) and all(isinstance(root, str) for root in roots) for roots in index.values()
    )
