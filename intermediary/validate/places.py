"""Element paths that a person can follow, built from names the schema knows and never from what the sender invented."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

from lxml import etree

from intermediary.xml.parser import Element

_STEP = re.compile(r"(?P<attribute>@)?(?:(?P<prefix>[^:\[/]+):)?(?P<name>[^:\[/]+)(?:\[(?P<position>\d+)\])?")
UNKNOWN_NAME = "*"

Child = tuple[Element, int, bool]


class Places:
    """Turns libxml2's node paths (`/*/*[3]/x:b[2]/@c`) of one document into `/Antrag/Person[2]/Name`.

    A position is given where an element has siblings of its name. Names that the schema does not declare appear as `*`:
    an element's name is text of the sender like any other.
    """

    def __init__(self, root: Element, known: Collection[str]) -> None:
        self._root = root
        self._known = known
        self._children: dict[Element, list[Child]] = {}
        self._by_element: dict[Element, Child] = {}

    def find(self, node_path: str | None) -> tuple[str, str]:
        """The readable path, and the name of its last step."""
        shown: list[str] = []
        name = UNKNOWN_NAME
        element: Element | None = None
        for step in (node_path or "").split("/")[1:]:
            parts = _STEP.fullmatch(step)
            if parts is None:
                break
            if parts["attribute"]:
                name = self._shown(parts["name"])
                shown.append(f"@{name}")
                break
            found = (self._root, 1, False) if element is None else self._child(element, parts)
            if found is None:
                break
            element, position, is_one_of_many = found
            name = self._shown(local_name(element))
            shown.append(f"{name}[{position}]" if is_one_of_many else name)
        return "/" + "/".join(shown), name

    def value(self, node_path: str | None) -> str:
        """The text at a node path; empty where it leads to none. For looking at, never for showing."""
        element: Element | None = None
        for step in (node_path or "").split("/")[1:]:
            parts = _STEP.fullmatch(step)
            if parts is None:
                return ""
            if parts["attribute"]:
                wanted = parts["name"]
                return "" if element is None else _attribute(element, wanted)
            child = (self._root, 1, False) if element is None else self._child(element, parts)
            if child is None:
                return ""
            element = child[0]
        return "" if element is None else element.text or ""

    def of(self, element: Element) -> tuple[str, str]:
        """The readable path to an element of the document, and its name."""
        shown: list[str] = []
        one: Element | None = element
        while one is not None:
            parent = one.getparent()
            name = self._shown(local_name(one))
            _, position, is_one_of_many = (one, 1, False) if parent is None else self._place(one, parent)
            shown.append(f"{name}[{position}]" if is_one_of_many else name)
            one = parent
        return "/" + "/".join(reversed(shown)), self._shown(local_name(element))

    def _place(self, element: Element, parent: Element) -> Child:
        self._table(parent)
        return self._by_element[element]

    def _child(self, element: Element, parts: re.Match[str]) -> Child | None:
        wanted = int(parts["position"] or 1)
        children = self._table(element)
        if parts["name"] != "*":
            prefix = parts["prefix"]
            children = [one for one in children if local_name(one[0]) == parts["name"] and one[0].prefix == prefix]
        return children[wanted - 1] if wanted <= len(children) else None

    def _table(self, element: Element) -> list[Child]:
        table = self._children.get(element)
        if table is None:
            children = list(element.iterchildren(etree.Element))
            totals = Counter(one.tag for one in children)
            met: Counter[object] = Counter()
            table = []
            for one in children:
                met[one.tag] += 1
                table.append((one, met[one.tag], totals[one.tag] > 1))
            self._children[element] = table
            self._by_element.update((child[0], child) for child in table)
        return table

    def _shown(self, name: str) -> str:
        return name if name in self._known else UNKNOWN_NAME


def _attribute(element: Element, name: str) -> str:
    found = (one for one in map(str, element.keys()) if one.rpartition("}")[2] == name)
    return next((element.get(one, "") for one in found), "")


def local_name(element: Element) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]
