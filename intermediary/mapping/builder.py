"""Builds a target message from its shape: schema order by itself, everything checked, every leaf with its origin.

    nachricht = Builder(SHAPE)
    kopf = nachricht.element("Kopf")
    kopf.leaf("ProzessID", metadata(kontext.key, "nachricht.key"))
    kopf.code("Nachrichtentyp", codelist(NACHRICHTENTYP, "2.0", "0401"))
    built = nachricht.finish()

Children may be added in any order; they are written in the order of the schema, equal names in the order of adding. A
child the shape does not know, a value its type does not allow, and a wrong number of children are mistakes of the
mapping: `BuildError` names the place in the target, the rule, and the line of the mapping.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from intermediary.core.values import Herkunft
from intermediary.mapping.lexical import write
from intermediary.mapping.lines import Notes, wanted
from intermediary.mapping.provenance import Code, Sourced
from intermediary.mapping.serialise import DECLARATION, INDENT, attributes_of, document_of, leaf_line, namespaces_of
from intermediary.mapping.structure import Child, Complex, Shape, Simple

_OWN_ROOM = "intermediary.mapping."
_TEXT = Simple("string")
_Where: TypeAlias = tuple[str, int] | str


class BuildError(Exception):
    """The mapping asks for something its target schema does not allow: a defect that only its developer heals.

    `path` is the place in the target, `rule` what was broken, `line` the line of the mapping (`mapping.py:42`); none of
    them contains a value.
    """

    code = "mapping.output.invalid"

    def __init__(self, *, path: str, rule: str, line: str) -> None:
        super().__init__(f"{path}: {rule} ({line})")
        self.path = path
        self.rule = rule
        self.line = line


@dataclass(frozen=True, slots=True)
class Built:
    """A finished message and one `Herkunft` per leaf, in document order."""

    xml: bytes = field(repr=False)
    herkunft: tuple[Herkunft, ...] = field(repr=False)


class _Leaf(NamedTuple):
    """A value in its place; there are many, so they are tuples."""

    child: Child
    text: str
    origin: Sourced[Any]
    line: str

    def __repr__(self) -> str:
        return f"_Leaf({self.child.name})"


class Node:
    """One element with children. Mappings get it from `Builder` or `element`, never make it."""

    __slots__ = ("_attributes", "_content", "_is_optional", "_parts", "_path", "_shape", "_where", "child")

    def __init__(self, shape: Shape, child: Child, path: str, where: _Where, *, is_optional: bool = False) -> None:
        content = shape.complex_types.get(child.type)
        if content is None:
            raise BuildError(path=path, rule="has a value, not children: use leaf", line=_told(where))
        self._shape = shape
        self.child = child
        self._content: Complex = content
        self._path = path
        self._where = where
        self._is_optional = is_optional
        self._parts: list[Node | _Leaf] = []
        self._attributes: dict[str, str] = {}

    def element(self, name: str) -> Node:
        """A new child element that has children itself; call it again for each repetition."""
        child = self._allowed(name)
        node = Node(self._shape, child, f"{self._path}/{name}", _where())
        self._parts.append(node)
        return node

    def optional(self, name: str) -> Node:
        """As `element`, for a group of optional inputs: left out when nothing is put into it."""
        child = self._allowed(name)
        node = Node(self._shape, child, f"{self._path}/{name}", _where(), is_optional=True)
        self._parts.append(node)
        return node

    def leaf(self, name: str, value: Sourced[Any] | None) -> None:
        """A new child element with a value; None adds nothing (an optional input that was not sent)."""
        child = self._allowed(name)
        if value is None:
            return
        simple = self._shape.simple_types.get(child.type)
        if simple is None:
            raise self._wrong(name, "has children, not a value: use element or code")
        try:
            lexical = write(value.value, simple, child.fixed)
        except ValueError as broken:
            raise self._wrong(name, str(broken)) from None
        self._parts.append(_Leaf(child, lexical, value, _line() if wanted() is not None else ""))

    def attribute(self, name: str, value: str | None) -> None:
        """An attribute of this element; None adds nothing. Attributes frame a message (product, test): no Herkunft."""
        if value is not None:
            self._set_attribute(name, value)
        elif name not in self._content.known:
            raise BuildError(path=f"{self._path}/@{name}", rule="not in the shape", line=_line())

    def code(self, name: str, value: Code | None) -> None:
        """A new child element of an xÖV code type; None adds nothing. List URI and version are always written."""
        if value is None:
            self._allowed(name)
            return
        node = self.element(name)
        node._set_attribute("listURI", value.list_uri)
        node._set_attribute("listVersionID", value.version)
        node.leaf("code", value.code)

    def _set_attribute(self, name: str, value: str) -> None:
        known = self._content.known.get(name)
        if known is None:
            raise BuildError(path=f"{self._path}/@{name}", rule="not in the shape", line=_line())
        if known.fixed is not None and known.fixed != value:
            raise BuildError(path=f"{self._path}/@{name}", rule="fixed value", line=_line())
        try:
            self._attributes[name] = write(value, _TEXT, None)
        except ValueError as broken:
            raise BuildError(path=f"{self._path}/@{name}", rule=str(broken), line=_line()) from None

    def _allowed(self, name: str) -> Child:
        found = self._content.places.get(name)
        if found is not None:
            return found[1]
        known = ", ".join(child.name for child in self._content.children)
        raise self._wrong(name, f"not in the shape, which has here: {known}; run `schemas shape`")

    def _wrong(self, name: str, rule: str) -> BuildError:
        return BuildError(path=f"{self._path}/{name}", rule=rule, line=_line())

    def _kept(self) -> list[Node | _Leaf]:
        return [part for part in self._parts if not (isinstance(part, Node) and part._is_left_out())]

    def _is_left_out(self) -> bool:
        return self._is_optional and not self._kept() and not self._attributes

    def _demand_complete(self, counts: Mapping[str, int]) -> None:
        """Cardinalities, choices and required attributes; the line is where the element was opened."""
        chosen: dict[str, set[str]] = {choice: set() for choice in self._content.choices}
        for child in self._content.children:
            count = counts.get(child.name, 0)
            if child.choice and count:
                chosen[child.choice].add(child.name)
            if (count or not child.choice) and count < child.least:
                raise self._incomplete(child.name, f"at least {child.least}, has {count}")
            if child.most is not None and count > child.most:
                raise self._incomplete(child.name, f"at most {child.most}, has {count}")
        for choice in dict.fromkeys(child.choice for child in self._content.children if child.choice):
            if len(chosen[choice]) > 1:
                raise self._incomplete(" and ".join(sorted(chosen[choice])), "only one of these")
            if not chosen[choice] and choice not in self._content.optional_choices:
                raise self._incomplete("", "one alternative of the choice is needed")
        for attribute in self._content.attributes:
            if attribute.required and attribute.name not in self._attributes:
                raise self._incomplete(f"@{attribute.name}", "required")

    def _is_plainly_complete(self, counts: Mapping[str, int]) -> bool:
        """Whether nothing is missing or too much in a content without choices, at a glance."""
        content = self._content
        if content.choices or len(content.places) != len(content.children):
            return False
        for child in content.demanded:
            if counts.get(child.name, 0) < child.least:
                return False
        for name, count in counts.items():
            most = content.places[name][1].most
            if most is not None and count > most:
                return False
        return not any(one.required and one.name not in self._attributes for one in content.attributes)

    def _incomplete(self, name: str, rule: str) -> BuildError:
        return BuildError(path=f"{self._path}/{name}".rstrip("/"), rule=rule, line=_told(self._where))

    def _write(self, path: str, indent: str, declared: str, to: _Output) -> None:
        """Writes the element and everything below it, in the order of the schema, into `to`."""
        kept = self._kept()
        counts: dict[str, int] = {}
        for part in kept:
            counts[part.child.name] = counts.get(part.child.name, 0) + 1
        if not self._is_plainly_complete(counts):
            self._demand_complete(counts)
        notes = to.notes
        if notes is not None:
            notes.lines[path] = _told(self._where)
        name = self.child.tag
        head = f"{name}{declared}{self._written_attributes()}"
        if not kept:
            to.herkunft.append(Herkunft(path, "constant"))
            to.lines.append(f"{indent}<{head}/>")
            return
        to.lines.append(f"{indent}<{head}>")
        places = self._content.places
        kept.sort(key=lambda part: places[part.child.name][0])
        below, seen = indent + INDENT, dict.fromkeys(counts, 0)
        for part in kept:
            child = part.child
            seen[child.name] += 1
            place = f"{path}/{child.name}" if child.most == 1 else f"{path}/{child.name}[{seen[child.name]}]"
            if isinstance(part, Node):
                part._write(place, below, "", to)
                continue
            to.herkunft.append(Herkunft(place, part.origin.kind, part.origin.source))
            if notes is not None:
                notes.lines[place] = part.line
            to.lines.append(leaf_line(below, child.tag, "", part.text))
        to.lines.append(f"{indent}</{name}>")

    def _written_attributes(self) -> str:
        given = self._attributes
        if not given:
            return ""
        return attributes_of((one.name, given[one.name]) for one in self._content.attributes if one.name in given)


class Builder(Node):
    """The root of a message: `finish` when everything is in it."""

    __slots__ = ()

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape, shape.root, f"/{shape.root.name}", _where())

    def finish(self) -> Built:
        """The message as bytes with its provenance. Raises `BuildError` when something is missing or too much."""
        to = _Output([DECLARATION], [], wanted())
        self._write(self._path, "", namespaces_of(self._shape.namespaces), to)
        return Built(document_of(to.lines), tuple(to.herkunft))


@dataclass(frozen=True, slots=True)
class _Output:
    """A message that is being written."""

    lines: list[str] = field(repr=False)
    herkunft: list[Herkunft] = field(repr=False)
    notes: Notes | None


def _where() -> _Where:
    """File and line of the mapping: the nearest frame outside this room; put into words only when somebody asks."""
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith(_OWN_ROOM):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _told(where: _Where) -> str:
    return where if isinstance(where, str) else f"{where[0].rpartition('/')[2]}:{where[1]}"


def _line() -> str:
    return _told(_where())
