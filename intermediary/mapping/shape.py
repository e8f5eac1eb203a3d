"""Generates the shape of a mapping's output from an installed schema package: `schemas shape`.

A shape holds facts only (names, order, cardinality, types, fixed values, codes), and only for elements the mapping
emits; which ones, the messages of its golden cases show. Nothing of the publisher's text is copied. The result is a
function of the schema and the messages, so a test can make it again and compare.

To emit something new: `schemas shape NAME --with Schriftgutobjekt/Vorgang/Typ`, change the mapping, `mapping test NAME
--update`; from then on the golden cases show it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from intermediary.mapping import toml
from intermediary.mapping.lexical import BASES
from intermediary.mapping.structure import UNBOUNDED
from intermediary.xml.parser import Element

if TYPE_CHECKING:
    from xmlschema import XMLSchema

XSD = "http://www.w3.org/2001/XMLSchema"
Path = tuple[str, ...]


class ShapeError(Exception):
    """The schema, or a message, uses something that shapes cannot express; the text names where."""


@dataclass(slots=True)
class _Use:
    """One type and the names of those of its children that are emitted."""

    type: Any
    children: set[str] = field(default_factory=set)


def paths_of(message: Element) -> Iterator[Path]:
    """The paths of all elements of a message, as local names from the root."""
    yield from _walk(message, ())


def parse_path(root: str, text: str) -> Path:
    """`Kopf/Hinweis` below the root, as the command line gives it."""
    return (root, *(part for part in text.strip("/").split("/") if part))


def shape_of(
    schema: XMLSchema, paths: Iterable[Path], *, standard: str, package: str, sha256: str, prefix: str = ""
) -> str:
    """The text of `shape.toml` for the emitted `paths` (all under one root element).

    `prefix` is the namespace prefix of the schema's own namespace where the standard prescribes one; otherwise the
    first part of `standard` in small letters. `package` and `sha256` pin where the facts were read. Raises `ShapeError`
    for an element the schema does not know or a content model shapes cannot express.
    """
    emitted = {path[:length] for path in paths for length in range(1, len(path) + 1)}
    roots = {path[0] for path in emitted}
    if len(roots) != 1:
        raise ShapeError(f"one root element is needed, not {len(roots)}")
    reader = _Reader(schema, {schema.target_namespace: prefix or standard.partition(" ")[0].lower()})
    root = reader.read(roots.pop(), emitted)
    head = {"standard": standard, "package": package, "sha256": sha256}
    return "\n".join(_text(head, root, reader)) + "\n"


class _Reader:
    def __init__(self, schema: XMLSchema, prefixes: Mapping[str, str]) -> None:
        self._schema = schema
        self._prefixes = dict(prefixes)
        self._uses: dict[str, _Use] = {}
        self.namespaces: dict[str, str] = {}

    def read(self, root: str, emitted: set[Path]) -> dict[str, object]:
        """Follow every path down the schema; gives the row of the root element."""
        element = self._schema.elements.get(root)
        if element is None:
            raise ShapeError(f"the schema has no element {root}")
        below: dict[Path, set[str]] = defaultdict(set)
        for path in emitted:
            below[path[:-1]].add(path[-1])
        self._follow((root,), element, below)
        return self._row(element, 1, 1)

    def complex_types(self) -> Iterator[tuple[str, list[dict[str, object]], list[dict[str, object]], list[str]]]:
        """Name, children, attributes and optional choices of every complex type in use."""
        for name in sorted(self._uses):
            use = self._uses[name]
            if not use.type.is_complex():
                continue
            optional: list[str] = []
            rows = list(self._rows(use.type.content, use.children, name, optional)) if use.children else []
            if len({row["name"] for row in rows}) < len(rows):
                raise ShapeError(f"{name}: the same name in two places of the order")
            yield name, rows, list(_attributes(use.type)), optional

    def simple_types(self) -> Iterator[tuple[str, dict[str, object]]]:
        """Name and facets of every simple type in use."""
        for name in sorted(self._uses):
            use = self._uses[name]
            if not use.type.is_complex():
                yield name, _facets(use.type, name)

    def _follow(self, path: Path, element: Any, below: Mapping[Path, set[str]]) -> None:
        use = self._uses.setdefault(_type_name(element.type, self._schema), _Use(element.type))
        if element.type.is_complex() and not element.type.has_complex_content() and not element.type.is_empty():
            raise ShapeError(f"{'/'.join(path)}: text with attributes")
        names = below.get(path, set())
        use.children |= names
        known = {} if not names else {e.local_name: e for e in element.type.content.iter_elements() if e.name}
        for name in sorted(names):
            if name not in known:
                raise ShapeError(f"{'/'.join(path)}: the schema has no element {name} here")
            self._follow((*path, name), known[name], below)

    def _rows(self, group: Any, names: set[str], where: str, optional: list[str]) -> Iterator[dict[str, object]]:
        """The emitted children in schema order; sequences inside sequences are laid flat, choices are numbered."""
        if group.model == "choice":
            yield from self._alternatives(group, names, where, optional)
            return
        if group.model != "sequence" or (group.min_occurs, group.max_occurs) != (1, 1):
            raise ShapeError(f"{where}: a repeated or optional {group.model}")
        for particle in group:
            if hasattr(particle, "model"):
                if names & _names_in(particle):
                    yield from self._rows(particle, names, where, optional)
            elif particle.name and particle.local_name in names:
                yield self._row(particle, particle.min_occurs, particle.max_occurs)

    def _alternatives(
        self, group: Any, names: set[str], where: str, optional: list[str]
    ) -> Iterator[dict[str, object]]:
        if group.max_occurs != 1:
            raise ShapeError(f"{where}: a repeated choice")
        first = next(iter(sorted(_names_in(group))))
        if group.min_occurs == 0:
            optional.append(first)
        for particle in group:
            if hasattr(particle, "model"):
                if names & _names_in(particle):
                    raise ShapeError(f"{where}: a group inside a choice")
            elif particle.name and particle.local_name in names:
                yield self._row(particle, particle.min_occurs, particle.max_occurs) | {"choice": first}

    def _row(self, element: Any, least: int, most: int | None) -> dict[str, object]:
        row: dict[str, object] = {
            "name": element.local_name,
            "prefix": self._prefix(element),
            "type": _type_name(element.type, self._schema),
            "least": least,
            "most": UNBOUNDED if most is None else most,
        }
        if element.fixed is not None:
            row["fixed"] = element.fixed
        return row

    def _prefix(self, element: Any) -> str:
        if not element.qualified and element.parent is not None and element.ref is None:
            return ""
        uri = element.target_namespace
        prefix = self._prefixes.get(uri) or _declared_prefix(self._schema, uri)
        self.namespaces[prefix] = uri
        return prefix


def _walk(element: Element, above: Path) -> Iterator[Path]:
    path = (*above, str(element.tag).rpartition("}")[2])
    yield path
    for child in element:
        yield from _walk(child, path)


def _names_in(group: Any) -> set[str]:
    return {element.local_name for element in group.iter_elements() if element.name}


def _type_name(kind: Any, schema: XMLSchema) -> str:
    """A global type by its name; an anonymous one by the element that owns it, after that element's own type."""
    if kind.name:
        if kind.target_namespace == XSD:
            return f"xs:{kind.local_name}"
        if kind.target_namespace == schema.target_namespace:
            return str(kind.local_name)
        return f"{_declared_prefix(schema, kind.target_namespace)}:{kind.local_name}"
    owner = kind.parent
    above = owner.parent
    while above is not None and not (hasattr(above, "is_complex") and above.is_complex()):
        above = above.parent
    return f"{_type_name(above, schema)}/{owner.local_name}" if above is not None else f"/{owner.local_name}"


def _declared_prefix(schema: XMLSchema, uri: str) -> str:
    found = {
        prefix
        for schemas in schema.maps.namespaces.values()
        for one in schemas
        for prefix, bound in one.namespaces.items()
        if prefix and bound == uri
    }
    if not found:
        raise ShapeError(f"no prefix is declared for {uri}")
    return min(found)


def _attributes(kind: Any) -> Iterator[dict[str, object]]:
    for name, attribute in kind.attributes.items():
        if name is None:
            continue
        row: dict[str, object] = {"name": name, "required": attribute.use == "required"}
        if attribute.fixed is not None:
            row["fixed"] = attribute.fixed
        yield row


def _facets(kind: Any, name: str) -> dict[str, object]:
    """Base and facets, gathered along the chain of restrictions; the nearest enumeration and limits win."""
    facets: dict[str, object] = {}
    patterns: list[str] = []
    while kind.target_namespace != XSD or kind.local_name not in BASES:
        if kind.base_type is None or not kind.is_atomic():
            raise ShapeError(f"{name}: a simple type without a known base")
        patterns += [pattern.pattern for pattern in kind.patterns.patterns] if kind.patterns else []
        if kind.enumeration:
            facets.setdefault("enumeration", [str(item) for item in kind.enumeration])
        for facet, given in (("least_length", kind.min_length), ("most_length", kind.max_length)):
            if given is not None:
                facets.setdefault(facet, given)
        for facet, given in (("least", kind.min_value), ("most", kind.max_value)):
            if given is not None:
                facets.setdefault(facet, str(given))
        kind = kind.base_type
    return {"base": kind.local_name} | ({"patterns": patterns} if patterns else {}) | facets


def _text(head: Mapping[str, str], root: Mapping[str, object], reader: _Reader) -> Iterator[str]:
    complex_types = list(reader.complex_types())
    yield "# Generated by `intermediary schemas shape`; do not edit. Facts about the elements this mapping emits."
    for name, entry in head.items():
        yield f"{name} = {toml.value(entry)}"
    yield f"root = {toml.value(root)}"
    yield f"namespaces = {toml.value(dict(sorted(reader.namespaces.items())))}"
    for name, rows, attributes, optional in complex_types:
        yield ""
        yield f"[complex.{toml.key(name)}]"
        for label, entries in (("child", rows), ("attribute", attributes)):
            if entries:
                yield f"{label} = ["
                yield from (f"    {toml.value(entry)}," for entry in entries)
                yield "]"
        if optional:
            yield f"optional_choices = {toml.value(optional)}"
    for name, facets in reader.simple_types():
        yield ""
        yield f"[simple.{toml.key(name)}]"
        yield from (f"{label} = {toml.value(entry)}" for label, entry in facets.items())
