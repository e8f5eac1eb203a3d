"""Finds the mappings a command names: installed ones by name, and one that is being written by its folder."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path

from intermediary.core.ports import Mapping
from intermediary.core.tables import did_you_mean
from intermediary.route.plugins import MAPPINGS, Mappings, installed


class NoSuchMapping(LookupError):
    """Nothing is called that; the text says what was meant, or what the folder lacks."""


@dataclass(frozen=True, slots=True)
class Place:
    """A loaded mapping and where it lies. `folder` is that of its package, `root` the one that holds the whole package.

    `address` finds it again from any process and folder.
    """

    name: str
    address: str
    module: str
    mapping: Mapping = field(repr=False)
    folder: Path
    root: Path
    sha256: str


def places(names: Sequence[str]) -> list[Place]:
    """The mappings of `names`: `bewohnerparken`, `bewohnerparken@1`, or a folder with a pyproject.toml; none named: all.

    A name without a version means its highest one. Raises `NoSuchMapping`, and `Misconfigured` as `Mappings.get` does.
    """
    found: list[Place] = []
    known = {entry.name: entry for entry in installed(MAPPINGS)}
    for name in names or sorted(known):
        if "/" in name or name in (".", "..") or (Path(name) / "pyproject.toml").is_file():
            found += _in_folder(Path(name))
        else:
            entry = known[_highest(name, known)]
            found.append(_place(Mappings(), entry, entry.name))
    return found


def _in_folder(folder: Path) -> list[Place]:
    """What a package's pyproject.toml offers, whether it is installed or not."""
    project = folder / "pyproject.toml"
    if not project.is_file():
        raise NoSuchMapping(f"{folder}: keine pyproject.toml; gemeint ist der Ordner, den mapping new angelegt hat")
    table = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
    offered = table.get("entry-points", {}).get(MAPPINGS, {})
    if not offered:
        raise NoSuchMapping(f'{project}: kein Mapping unter [project.entry-points."{MAPPINGS}"]')
    root = str(folder.resolve())
    if root not in sys.path:
        sys.path.insert(0, root)
    entries = [EntryPoint(name, value, MAPPINGS) for name, value in offered.items()]

    def find(group: str) -> Iterable[EntryPoint]:
        return entries if group == MAPPINGS else ()

    shelf = Mappings(find)
    return [_place(shelf, entry, root) for entry in entries]


def _place(shelf: Mappings, entry: EntryPoint, address: str) -> Place:
    mapping = shelf.get(entry.name)
    folder = shelf.folder(entry.name)
    depth = entry.module.count(".") or 1
    root = folder.parents[depth - 1] if "." in entry.module else folder
    return Place(entry.name, address, entry.module, mapping, folder, root, shelf.code_sha256(entry.name))


def _highest(name: str, known: Iterable[str]) -> str:
    fitting = [one for one in known if name in (one, one.partition("@")[0])]
    if not fitting:
        raise NoSuchMapping(f'kein Mapping "{name}" ist installiert: {did_you_mean(name, tuple(known))}')
    return max(fitting, key=_version)


def _version(name: str) -> int:
    version = name.partition("@")[2]
    return int(version) if version.isdigit() else 0
