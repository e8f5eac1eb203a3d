"""What the official standard offers at the places a mapping fills, and the mapping does not use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intermediary.validate.catalogue import Catalogue
from intermediary.validate.walkable import walkable


@dataclass(frozen=True, slots=True)
class Unused:
    """A place of the target and the names of what it may also hold."""

    path: str
    names: tuple[str, ...]


def unused_of(schemas: Path, standard: str, root: str, paths: Iterable[str]) -> tuple[Unused, ...]:
    """What else the package of `standard` allows below `root` (`{ns}name`) at the filled `paths`; nothing if unknown."""
    packages = Catalogue.open(schemas).packages
    name = "@".join(standard.split(" ", 1)).lower()
    if name not in packages:
        return ()
    package = packages[name]
    entry = next((entry for entry, roots in package.index.items() if root in roots), None)
    if entry is None:
        return ()
    schema = walkable(packages, package, entry)
    below: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        steps = path.split("/")
        for length in range(2, len(steps)):
            below["/".join(steps[:length])].add(steps[length])
    local = root.rpartition("}")[2]
    return tuple(_walk(schema.elements[local], f"/{local}", below))


def _walk(element: Any, path: str, below: dict[str, set[str]]) -> Iterator[Unused]:
    if path not in below or not element.type.is_complex() or not element.type.has_complex_content():
        return
    children = {child.local_name: child for child in element.type.content.iter_elements() if child.name}
    others = tuple(name for name in children if name not in below[path])
    if others:
        yield Unused(path, others)
    for name, child in children.items():
        if name in below[path]:
            yield from _walk(child, f"{path}/{name}", below)
