"""The files that routes name under `[route.files]`: read together with the configuration, handed to the mapping as bytes.

A mapping reads no file itself: what it was given is pinned by hash, so a retry and a replay see what the first run saw.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from intermediary.core.faults import Misconfigured
from intermediary.core.values import Befund
from intermediary.route.table import Route, RoutingTable

CODE = "route.file.unreadable"
MOST_FILES = 500
MOST_BYTES = 64 << 20

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RouteFiles:
    """The files of all routes, by Mandant and route; `pins` says by hash which they were."""

    contents: Mapping[_Key, Mapping[str, bytes]] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    hashes: Mapping[_Key, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, route: Route) -> Mapping[str, bytes]:
        """What `[route.files]` of this route names, by name."""
        return self.contents.get((route.mandant, route.name), {})

    def pins(self, route: Route) -> Mapping[str, str]:
        """What is committed with each Nachricht of this route."""
        return self.hashes.get((route.mandant, route.name), {})


def read_files(route: Route, base: Path) -> Mapping[str, bytes]:
    """The contents by name; of a folder all its files, as `name/file`, not those in folders below or with a dot in front.

    `base` is the folder of the routes file. Raises `Misconfigured("route.file.unreadable")` with the place in that file.
    """
    contents: dict[str, bytes] = {}
    length = 0
    for name, key, path in _files(route, base):
        length += _length_of(path, route, name)
        if length > MOST_BYTES or len(contents) >= MOST_FILES:
            hint = f"at most {MOST_FILES} files and {MOST_BYTES >> 20} MiB in all"
            raise _unreadable(route, name, hint)
        try:
            contents[key] = path.read_bytes()
        except OSError as error:
            raise _unreadable(route, name, f"{path}: {error.strerror}") from error
    return MappingProxyType(contents)


def read_all(table: RoutingTable, base: Path) -> RouteFiles:
    """The files of every route that names some, by Mandant and route; raises like `read_files`."""
    contents: dict[_Key, Mapping[str, bytes]] = {
        (one.mandant, one.name): read_files(one, base) for one in table.routes if one.files
    }
    hashes: dict[_Key, Mapping[str, str]] = {key: _hashes(files) for key, files in contents.items()}
    return RouteFiles(MappingProxyType(contents), MappingProxyType(hashes))


def watched(table: RoutingTable, base: Path) -> tuple[Path, ...]:
    """The files and folders whose change makes another configuration; none of them has to be there."""
    found: dict[Path, None] = {}
    for route in table.routes:
        for named in route.files.values():
            path = base / named
            found[path] = None
            found.update(dict.fromkeys(_inside(path)))
    return tuple(found)


def _hashes(files: Mapping[str, bytes]) -> Mapping[str, str]:
    return MappingProxyType({f"file {name}": hashlib.sha256(data).hexdigest() for name, data in files.items()})


def _files(route: Route, base: Path) -> Iterator[tuple[str, str, Path]]:
    for name, named in route.files.items():
        path = base / named
        if path.is_dir():
            for inside in _inside(path):
                yield name, f"{name}/{inside.name}", inside
        else:
            yield name, name, path


def _inside(folder: Path) -> list[Path]:
    try:
        entries = [Path(one.path) for one in os.scandir(folder) if one.is_file() and not one.name.startswith(".")]
    except OSError:
        return []
    return sorted(entries)


def _length_of(path: Path, route: Route, name: str) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError) as error:
        raise _unreadable(route, name, f"{path} is not there") from error


def _unreadable(route: Route, name: str, hint: str) -> Misconfigured:
    where = f"route[{route.name}].files.{name}"
    return Misconfigured(CODE, where=where, findings=(Befund(code=CODE, path=where, hint=hint),))
