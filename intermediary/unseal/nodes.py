"""Reading exactly what a structure may contain: children by name and number, text without children, nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from intermediary.core.faults import Rejected
from intermediary.xml.parser import Element


def broken(where: str) -> Rejected:
    """The fault for a structure that is not as the protocol says; `where` names the element, never its content."""
    return Rejected("osci.structure", where=where)


def children(element: Element, name: str) -> list[Element]:
    """All direct children of this `{namespace}name`."""
    return [child for child in element if child.tag == name]


def optional(element: Element, name: str) -> Element | None:
    """The one child of this name, or None; more than one is an error."""
    found = [child for child in element if child.tag == name]
    if len(found) > 1:
        raise broken(local(name))
    return found[0] if found else None


def single(element: Element, name: str) -> Element:
    """The one child of this name."""
    found = [child for child in element if child.tag == name]
    if len(found) != 1:
        raise broken(local(name))
    return found[0]


def only(element: Element, *names: str) -> None:
    """Every child must have one of these names."""
    for child in element:
        if child.tag not in names:
            raise broken(local(str(element.tag)))


def by_name(element: Element, *names: str) -> dict[str, Element]:
    """Its children by their names, each of them one of these and there at most once."""
    found: dict[str, Element] = {}
    for child in element:
        name = str(child.tag)
        if name not in names:
            raise broken(local(str(element.tag)))
        if name in found:
            raise broken(local(name))
        found[name] = child
    return found


def text(element: Element) -> str:
    """The text of an element that has no children."""
    if len(element):
        raise broken(local(str(element.tag)))
    return element.text or ""


def attribute(element: Element, name: str) -> str:
    """The value of an attribute that must be there and not be empty."""
    value = element.get(name)
    if not value:
        raise broken(f"{local(str(element.tag))}/@{local(name)}")
    return value


def local(name: str) -> str:
    """The name without its namespace."""
    return name.rpartition("}")[2]


def elements(root: Element) -> Iterator[Element]:
    """The element and everything below it, in document order."""
    return root.iter("*")
