"""What the form of a mapping asks: every field of its input schema, in its order, under the name people know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intermediary.mapping.labels import Labels, load_labels
from intermediary.mapping.schema_labels import FORM
from intermediary.validate.installed import open_packages
from intermediary.validate.package import Packages
from intermediary.validate.walkable import walkable

_XS = "{http://www.w3.org/2001/XMLSchema}"
_PREFIXES = ("Datenfeld: ", "Datenfeldgruppe: ", "Datenschema: ")
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """A field of the form. `path` has no positions (`/S…/G…/F…`); `groups` are the names of the groups around it.

    `is_required`: everybody has to answer, because it and all groups around it occur at least once.
    """

    path: str
    label: str
    groups: tuple[str, ...] = ()
    is_required: bool = False
    is_repeated: bool = False

    @property
    def name(self) -> str:
        """The element."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class AskedForm:
    """The fields, the names of groups and fields by element, the code lists' meanings, and which schema they come from."""

    title: str
    fields: tuple[Asked, ...] = field(repr=False)
    labels: Labels | None = field(default=None, repr=False)
    package: str = ""
    sha256: str = ""


def asked_form(folder: Path, root: str, schemas: Path | None = None) -> AskedForm:
    """The form of the mapping in `folder`, whose payload has the root `root`.

    Its schema is the mapping's own or, for messages of a standard, in a package of the folder `schemas`; without one there
    are no fields.
    """
    labels = load_labels(folder / "labels.toml") if (folder / "labels.toml").is_file() else None
    own = [folder / "schema"] if (folder / "schema").is_dir() else []
    packages = open_packages(schemas, own)
    for package in sorted(packages.values(), key=lambda one: not one.is_own):
        for entry, roots in package.index.items():
            if root in roots:
                return _read(packages, package, entry, root, labels)
    return AskedForm(labels.title if labels else "", (), labels)


def _read(packages: Packages, package: Any, entry: str, root: str, labels: Labels | None) -> AskedForm:
    element = walkable(packages, package, entry).elements[root.rpartition("}")[2]]
    walk = _Walk(labels)
    path = f"/{element.local_name}"
    fields = tuple(walk.below(element, path, (), is_required=True))
    title = labels.title if labels else walk.label(element)
    return AskedForm(title, fields, labels, package.id, package.sha256)


class _Walk:
    def __init__(self, labels: Labels | None) -> None:
        self._labels = labels

    def label(self, element: Any) -> str:
        """The name for people: labels.toml, the attribute of our own schemas, a documentation, or the element's name."""
        name = str(element.local_name)
        if self._labels is not None and name in self._labels.labels:
            return self._labels.labels[name]
        own = element.elem.get(f"{{{FORM}}}label")
        return own or _documented(element) or name

    def below(
        self, element: Any, path: str, groups: tuple[str, ...], *, is_required: bool, around: Sequence[Any] = ()
    ) -> Iterator[Asked]:
        kind = element.type
        if len(around) > _DEEPEST or kind in around:
            return
        if not kind.is_complex() or kind.name == f"{_XS}anyType" or not kind.has_complex_content():
            return
        for child, is_always in _children(kind.content, is_always=True):
            yield from self._member(child, path, groups, is_required=is_required and is_always, around=(*around, kind))

    def _member(
        self, child: Any, path: str, groups: tuple[str, ...], *, is_required: bool, around: Sequence[Any]
    ) -> Iterator[Asked]:
        place, label = f"{path}/{child.local_name}", self.label(child)
        is_required = is_required and child.min_occurs > 0
        inside = list(self.below(child, place, (*groups, label), is_required=is_required, around=around))
        if not inside or not child.type.is_complex() or not child.type.has_complex_content():
            is_repeated = child.max_occurs is None or child.max_occurs > 1
            yield Asked(place, label, groups, is_required, is_repeated)
        yield from inside


def _children(group: Any, *, is_always: bool) -> Iterator[tuple[Any, bool]]:
    """The elements of a content model with whether each always occurs when its parent does: not in a choice."""
    always = is_always and group.min_occurs > 0 and group.model != "choice"
    for particle in group:
        if hasattr(particle, "model"):
            yield from _children(particle, is_always=always)
        elif particle.name:
            yield particle, always


def _documented(element: Any) -> str:
    found = element.elem.find(f"{_XS}annotation/{_XS}documentation")
    if found is None:
        return ""
    text = " ".join("".join(found.itertext()).split())
    for prefix in _PREFIXES:
        if text.startswith(prefix):
            return str(text.removeprefix(prefix).partition(" - ")[0])
    return text if len(text) <= 80 else ""
