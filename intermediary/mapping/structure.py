"""The shape of a target message: order, cardinality, type and fixed values of what a mapping emits.

A shape is read from the `shape.toml` beside a mapping, which `schemas shape` generates (see `shape.py`); nobody edits
it. The builder works from shapes alone, so that a mapping runs where the official package is not installed (DESIGN
§2.11).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

UNBOUNDED = "unbounded"


@dataclass(frozen=True, slots=True)
class Child:
    """One element a type may contain, in its place of the order.

    `prefix` is empty for an unqualified element, `tag` is the name with it; `most` is None when there is no limit; `choice`
    groups alternatives of which the content model takes one; `fixed` is the lexical form the schema demands.
    """

    name: str
    prefix: str
    type: str
    least: int
    most: int | None
    choice: str = ""
    fixed: str | None = None
    tag: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tag", f"{self.prefix}:{self.name}" if self.prefix else self.name)


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of an element type; all of them are unqualified."""

    name: str
    required: bool
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Complex:
    """Content of an element type; `optional_choices` are the choices that may stay empty.

    `places` has each child with its place in the order, by name (of equal names the first child, the last place);
    `demanded` are those that may not be left out, `known` the attributes by name. All four are read from the others once.
    """

    children: tuple[Child, ...]
    attributes: tuple[Attribute, ...] = ()
    optional_choices: frozenset[str] = frozenset()
    places: Mapping[str, tuple[int, Child]] = field(init=False, repr=False, compare=False)
    demanded: tuple[Child, ...] = field(init=False, repr=False, compare=False)
    choices: frozenset[str] = field(init=False, repr=False, compare=False)
    known: Mapping[str, Attribute] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places: dict[str, tuple[int, Child]] = {}
        for place, child in enumerate(self.children):
            places[child.name] = (place, places[child.name][1] if child.name in places else child)
        object.__setattr__(self, "places", places)
        object.__setattr__(self, "demanded", tuple(one for one in self.children if one.least and not one.choice))
        object.__setattr__(self, "choices", frozenset(one.choice for one in self.children) - {""})
        object.__setattr__(self, "known", {one.name: one for one in self.attributes})


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple type: its built-in base and the facets that restrict it. Patterns are Python expressions."""

    base: str
    patterns: tuple[str, ...] = ()
    enumeration: tuple[str, ...] = ()
    least_length: int | None = None
    most_length: int | None = None
    least: str | None = None
    most: str | None = None
    matchers: tuple[Callable[[str], object], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "matchers", tuple(re.compile(pattern).search for pattern in self.patterns))


@dataclass(frozen=True, slots=True)
class Shape:
    """All types a mapping's output uses, from the root down; the head says which package they were read from."""

    standard: str
    package: str
    sha256: str
    root: Child
    namespaces: Mapping[str, str]
    complex_types: Mapping[str, Complex] = field(repr=False)
    simple_types: Mapping[str, Simple] = field(repr=False)


def load(path: Path) -> Shape:
    """The shape in a `shape.toml`. Raises `ValueError` or `KeyError` when the file was not made by `schemas shape`."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return Shape(
        standard=table["standard"],
        package=table["package"],
        sha256=table["sha256"],
        root=_child(table["root"]),
        namespaces=dict(table["namespaces"]),
        complex_types={name: _complex(entry) for name, entry in table.get("complex", {}).items()},
        simple_types={name: _simple(entry) for name, entry in table.get("simple", {}).items()},
    )


def elements_of(shape: Shape) -> Iterator[tuple[str, Child]]:
    """Every element a shape knows, in the order of the target, with its path (`/Abgabe.Abgabe.0401/Kopf`).

    Types are shared, so it holds also what the mapping emits elsewhere only; a type inside itself is followed once.
    """
    yield from _elements(shape, shape.root, "", ())


def _elements(shape: Shape, child: Child, above: str, around: tuple[str, ...]) -> Iterator[tuple[str, Child]]:
    path = f"{above}/{child.name}"
    yield path, child
    content = shape.complex_types.get(child.type)
    if content is None or around.count(child.type) > 1:
        return
    for one in content.children:
        yield from _elements(shape, one, path, (*around, child.type))


def _child(entry: Mapping[str, Any]) -> Child:
    most = entry["most"]
    return Child(
        name=entry["name"],
        prefix=entry["prefix"],
        type=entry["type"],
        least=entry["least"],
        most=None if most == UNBOUNDED else most,
        choice=entry.get("choice", ""),
        fixed=entry.get("fixed"),
    )


def _complex(entry: Mapping[str, Any]) -> Complex:
    return Complex(
        children=tuple(_child(child) for child in entry.get("child", ())),
        attributes=tuple(Attribute(a["name"], a["required"], a.get("fixed")) for a in entry.get("attribute", ())),
        optional_choices=frozenset(entry.get("optional_choices", ())),
    )


def _simple(entry: Mapping[str, Any]) -> Simple:
    return Simple(
        base=entry["base"],
        patterns=tuple(entry.get("patterns", ())),
        enumeration=tuple(entry.get("enumeration", ())),
        least_length=entry.get("least_length"),
        most_length=entry.get("most_length"),
        least=entry.get("least"),
        most=entry.get("most"),
    )
