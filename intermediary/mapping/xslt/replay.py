"""Builds a message again from what a stylesheet made: the same checks, order, bytes and origins as for Python mappings."""

from __future__ import annotations

import binascii
import datetime as dt
from base64 import b64decode
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from intermediary.mapping.accessor import boolean, date, decimal, integer
from intermediary.mapping.builder import Builder, BuildError, Built, Node
from intermediary.mapping.lexical import INTEGERS
from intermediary.mapping.provenance import Kind, Sourced
from intermediary.mapping.structure import Child, Complex, Shape, Simple
from intermediary.mapping.xslt.marks import MARKS, SEPARATOR
from intermediary.xml.parser import Element

_MARK = f"{{{MARKS}}}m"


def replay(root: Element, shape: Shape, *, file: str) -> Built:
    """The message with one origin per leaf; `file` is the name of the stylesheet.

    Raises `BuildError` for what the shape does not allow, with the line of the stylesheet that made it.
    """
    return _Replay(shape, file).message(root)


def place_of(element: Element, file: str) -> str:
    """`mapping.xslt:42`: the line that made an element, or the nearest element around it that has a mark."""
    mark = _mark_of(element)
    return f"{file}:{mark[0]}" if mark else file


class _Replay:
    def __init__(self, shape: Shape, file: str) -> None:
        self._shape = shape
        self._file = file

    def message(self, root: Element) -> Built:
        self._demand_name(root, self._shape.root, f"/{self._shape.root.name}")
        builder = Builder(self._shape)
        builder._where = place_of(root, self._file)
        self._fill(builder, root, f"/{self._shape.root.name}", self._shape.complex_types[self._shape.root.type])
        return builder.finish()

    def _fill(self, node: Node, element: Element, path: str, content: Complex) -> None:
        if any((text or "").strip() for text in (element.text, *(child.tail for child in element))):
            raise BuildError(path=path, rule="text between elements", line=place_of(element, self._file))
        with _Blaming(place_of(element, self._file)):
            for name, value in element.attrib.items():
                if name != _MARK:
                    node.attribute(str(name), str(value))
        known = {child.name: child for child in content.children}
        for one in element:
            self._add(node, one, path, known)

    def _add(self, node: Node, element: Element, above: str, known: Mapping[str, Child]) -> None:
        name = str(element.tag).rpartition("}")[2]
        path = f"{above}/{name}"
        with _Blaming(place_of(element, self._file)):
            if name not in known:
                node._allowed(name)
            self._demand_name(element, known[name], path)
            inner = self._shape.complex_types.get(known[name].type)
            if inner is None:
                self._leaf(node, element, path, self._shape.simple_types[known[name].type])
                return
            child = node.element(name)
            child._where = place_of(element, self._file)
        self._fill(child, element, path, inner)

    def _leaf(self, node: Node, element: Element, path: str, simple: Simple) -> None:
        line = place_of(element, self._file)
        if len(element) or any(name != _MARK for name in element.attrib):
            raise BuildError(path=path, rule="has a value, neither children nor attributes", line=line)
        try:
            value = _value(element.text or "", simple.base)
        except ValueError:
            raise BuildError(path=path, rule=f"type {simple.base}", line=line) from None
        kind, source = _origin(element, self._file)
        node.leaf(str(element.tag).rpartition("}")[2], Sourced(value, kind, source))

    def _demand_name(self, element: Element, child: Child, path: str) -> None:
        uri = self._shape.namespaces[child.prefix] if child.prefix else ""
        expected = f"{{{uri}}}{child.name}" if uri else child.name
        if element.tag != expected:
            raise BuildError(path=path, rule=f"is not {expected}", line=place_of(element, self._file))


class _Blaming:
    """Makes a refusal of the builder name the line of the stylesheet instead of ours."""

    def __init__(self, line: str) -> None:
        self._line = line

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BuildError):
            raise BuildError(path=error.path, rule=error.rule, line=self._line) from None


def _origin(element: Element, file: str) -> tuple[Kind, str]:
    """`mapping.xslt:42 anschrift(/bauantrag/lage/ort)`: line, template, and the input it looked at."""
    mark = _mark_of(element)
    if mark is None:
        return "rule", file
    line, kind, template, select, path = mark
    place = f"{file}:{line}"
    if kind == "constant":
        return "constant", place
    inner = "" if select == "." else "/".join(step.rpartition(":")[2] for step in select.split("/"))
    looked_at = f"{path}/{inner}" if path and inner else path
    return "rule", f"{place} {template}({looked_at})".rstrip() if looked_at else f"{place} {template}".rstrip()


def _mark_of(element: Element) -> tuple[str, str, str, str, str] | None:
    for one in (element, *element.iterancestors()):
        mark = one.get(_MARK)
        if mark is not None:
            line, kind, template, select, path = str(mark).split(SEPARATOR)
            return (line, kind if one is element else "rule", template, select if one is element else "", path)
    return None


def _value(text: str, base: str) -> Any:
    """The value an XML text stands for; `ValueError` when it is none of that type."""
    if base in INTEGERS:
        return integer(text)
    return _READ.get(base, _as_is)(text)


def _as_is(text: str) -> str:
    return text


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.strip())


def _bytes(text: str) -> bytes:
    try:
        return b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise ValueError("no base64") from None


_READ: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {"boolean": boolean, "date": date, "decimal": decimal, "dateTime": _moment, "base64Binary": _bytes}
)
