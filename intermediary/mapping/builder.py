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
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from intermediary.core.values import Herkunft
from intermediary.mapping.lexical import write
from intermediary.mapping.lines import wanted
from intermediary.mapping.provenance import Code, Sourced
from intermediary.mapping.serialise import Tree, serialise
from intermediary.mapping.structure import Child, Complex, Shape, Simple

_OWN_ROOM = "intermediary.mapping."
_TEXT = Simple("string")


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


@dataclass(frozen=True, slots=True)
class _Leaf:
    child: Child
    text: str = field(repr=False)
    origin: Sourced[Any] = field(repr=False)
    line: str = ""


class Node:
    """One element with children. Mappings get it from `Builder` or `element`, never make it."""

    __slots__ = ("_attributes", "_child", "_content", "_is_optional", "_line", "_parts", "_path", "_shape")

    def __init__(self, shape: Shape, child: Child, path: str, line: str, *, is_optional: bool = False) -> None:
        content = shape.complex_types.get(child.type)
        if content is None:
            raise BuildError(path=path, rule="has a value, not children: use leaf", line=line)
        self._shape = shape
        self._child = child
        self._content: Complex = content
        self._path = path
        self._line = line
        self._is_optional = is_optional
        self._parts: list[Node | _Leaf] = []
        self._attributes: dict[str, str] = {}

    def element(self, name: str) -> Node:
        """A new child element that has children itself; call it again for each repetition."""
        child = self._allowed(name)
        node = Node(self._shape, child, f"{self._path}/{name}", _line())
        self._parts.append(node)
        return node

    def optional(self, name: str) -> Node:
        """As `element`, for a group of optional inputs: left out when nothing is put into it."""
        child = self._allowed(name)
        node = Node(self._shape, child, f"{self._path}/{name}", _line(), is_optional=True)
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
        elif not any(attribute.name == name for attribute in self._content.attributes):
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
        known = {attribute.name: attribute for attribute in self._content.attributes}
        if name not in known:
            raise BuildError(path=f"{self._path}/@{name}", rule="not in the shape", line=_line())
        fixed = known[name].fixed
        if fixed is not None and fixed != value:
            raise BuildError(path=f"{self._path}/@{name}", rule="fixed value", line=_line())
        try:
            self._attributes[name] = write(value, _TEXT, None)
        except ValueError as broken:
            raise BuildError(path=f"{self._path}/@{name}", rule=str(broken), line=_line()) from None

    def _allowed(self, name: str) -> Child:
        for child in self._content.children:
            if child.name == name:
                return child
        known = ", ".join(child.name for child in self._content.children)
        raise self._wrong(name, f"not in the shape, which has here: {known}; run `schemas shape`")

    def _wrong(self, name: str, rule: str) -> BuildError:
        return BuildError(path=f"{self._path}/{name}", rule=rule, line=_line())

    def _ordered(self) -> list[Node | _Leaf]:
        place = {child.name: number for number, child in enumerate(self._content.children)}
        return sorted(self._kept(), key=lambda part: place[_child_of(part).name])

    def _kept(self) -> list[Node | _Leaf]:
        return [part for part in self._parts if not (isinstance(part, Node) and part._is_left_out())]

    def _is_left_out(self) -> bool:
        return self._is_optional and not self._kept() and not self._attributes

    def _demand_complete(self) -> None:
        """Cardinalities, choices and required attributes; the line is where the element was opened."""
        counts = Counter(_child_of(part).name for part in self._kept())
        chosen: dict[str, set[str]] = {child.choice: set() for child in self._content.children if child.choice}
        for child in self._content.children:
            count = counts[child.name]
            if child.choice and count:
                chosen[child.choice].add(child.name)
            if (count or not child.choice) and count < child.least:
                raise self._incomplete(child.name, f"at least {child.least}, has {count}")
            if child.most is not None and count > child.most:
                raise self._incomplete(child.name, f"at most {child.most}, has {count}")
        for choice, names in chosen.items():
            if len(names) > 1:
                raise self._incomplete(" and ".join(sorted(names)), "only one of these")
            if not names and choice not in self._content.optional_choices:
                raise self._incomplete("", "one alternative of the choice is needed")
        for attribute in self._content.attributes:
            if attribute.required and attribute.name not in self._attributes:
                raise self._incomplete(f"@{attribute.name}", "required")

    def _incomplete(self, name: str, rule: str) -> BuildError:
        return BuildError(path=f"{self._path}/{name}".rstrip("/"), rule=rule, line=self._line)

    def _tree(self, path: str, herkunft: list[Herkunft]) -> Tree:
        self._demand_complete()
        notes = wanted()
        if notes is not None:
            notes.lines[path] = self._line
        seen: Counter[str] = Counter()
        children: list[Tree] = []
        for part in self._ordered():
            child = _child_of(part)
            seen[child.name] += 1
            place = f"{path}/{child.name}" if child.most == 1 else f"{path}/{child.name}[{seen[child.name]}]"
            if isinstance(part, Node):
                children.append(part._tree(place, herkunft))
            else:
                herkunft.append(Herkunft(place, part.origin.kind, part.origin.source))
                if notes is not None:
                    notes.lines[place] = part.line
                children.append(Tree(_qualified(child), text=part.text))
        if not children:
            herkunft.append(Herkunft(path, "constant"))
        return Tree(_qualified(self._child), self._ordered_attributes(), children=tuple(children))

    def _ordered_attributes(self) -> tuple[tuple[str, str], ...]:
        names = [attribute.name for attribute in self._content.attributes if attribute.name in self._attributes]
        return tuple((name, self._attributes[name]) for name in names)


class Builder(Node):
    """The root of a message: `finish` when everything is in it."""

    __slots__ = ()

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape, shape.root, f"/{shape.root.name}", _line())

    def finish(self) -> Built:
        """The message as bytes with its provenance. Raises `BuildError` when something is missing or too much."""
        herkunft: list[Herkunft] = []
        tree = self._tree(self._path, herkunft)
        return Built(serialise(tree, self._shape.namespaces), tuple(herkunft))


def _child_of(part: Node | _Leaf) -> Child:
    return part._child if isinstance(part, Node) else part.child


def _qualified(child: Child) -> str:
    return f"{child.prefix}:{child.name}" if child.prefix else child.name


def _line() -> str:
    """File and line of the mapping: the nearest frame outside this room."""
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith(_OWN_ROOM):
        frame = frame.f_back
    return f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}"
