"""What an application says, as a tree of named entries: the same for XML of any shape and for JSON.

An entry holds either a text or further entries. Nothing of the payload is left out: attributes are entries `@name`, text
between elements is an entry `text()`, values of a JSON list are repetitions of its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from intermediary.core.faults import Rejected
from intermediary.core.json_text import JsonError, read_json
from intermediary.core.ports import Antrag
from intermediary.core.values import Befund
from intermediary.mapping.findings import REFUSED
from intermediary.xml.parser import Element

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_ABOUT_THE_FILE = (f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation")
_BLANKS = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One element, attribute or JSON value. `path` is its place in the payload, as in Befunde and Herkunft; a JSON pointer
    (RFC 6901) for JSON.
    """

    name: str
    path: str
    text: str = field(default="", repr=False)
    entries: tuple[Entry, ...] = field(default=(), repr=False)

    def leaves(self) -> Iterator[Entry]:
        """The entry itself if it holds a text, otherwise all below it that do, in order."""
        if not self.entries:
            yield self
        for one in self.entries:
            yield from one.leaves()


def payload_entries(antrag: Antrag) -> Entry:
    """The payload of an Antrag: from its tree, or from its JSON text where the pipeline had no tree to give."""
    if antrag.tree is None:
        return payload_of_json(antrag)
    return entries_of_xml(antrag.tree)


def entries_of_xml(root: Element) -> Entry:
    """The payload from its tree; the hardened parser has bounded its depth. Hints about its schema file are left out."""
    return _element(root, f"/{_local(root)}")


def payload_of_json(antrag: Antrag) -> Entry:
    """The payload from its JSON text, without `$schema`: that says something of the file, as a schemaLocation does."""
    read = entries_of_json(antrag.payload.content.read())
    return Entry("", "", entries=tuple(one for one in read.entries if one.path != "/$schema"))


def entries_of_json(data: bytes) -> Entry:
    """The payload from JSON text: an object; numbers keep their spelling, `null` is an empty text.

    Raises `Rejected("mapping.input.refused")` with rule `json` for anything else, a name given twice, or too deep a nesting.
    """
    try:
        read = read_json(data, number=str)
        if not isinstance(read, dict):
            raise JsonError("structure")
        return Entry("", "", entries=tuple(_members(read, "")))
    except JsonError:
        hint = "Die Formulardaten sind kein lesbares JSON-Objekt."
        raise Rejected(REFUSED, findings=(Befund(REFUSED, path="/", rule="json", hint=hint),)) from None


def _element(element: Element, path: str) -> Entry:
    below = [*_attributes(element, path)]
    children = [_element(child, place) for child, place in _children(element, path)]
    text = "".join(str(piece) for piece in element.itertext()) if not children else _own_text(element)
    if not below and not children:
        return Entry(_local(element), path, text)
    if text.strip(_BLANKS):
        below.append(Entry("text()", f"{path}/text()", text))
    return Entry(_local(element), path, entries=(*below, *children))


def _attributes(element: Element, path: str) -> Iterator[Entry]:
    for name in element.keys():  # noqa: SIM118 - an element is no mapping; items() takes quadratic time
        if str(name) not in _ABOUT_THE_FILE:
            local = str(name).rpartition("}")[2]
            yield Entry(f"@{local}", f"{path}/@{local}", str(element.get(name)))


def _children(element: Element, path: str) -> Iterator[tuple[Element, str]]:
    names = [_local(child) for child in element]
    counts, seen = Counter(names), Counter[str]()
    for child, name in zip(element, names, strict=True):
        seen[name] += 1
        yield child, _place(path, name, seen[name], counts[name])


def _own_text(element: Element) -> str:
    pieces = [element.text or "", *(child.tail or "" for child in element)]
    return "\n".join(piece.strip(_BLANKS) for piece in pieces if piece.strip(_BLANKS))


def _members(read: dict[str, Any], path: str) -> Iterator[Entry]:
    for name, value in read.items():
        place = f"{path}/{_escaped(name)}"
        if not isinstance(value, list):
            yield _value(name, value, place)
            continue
        for number, item in enumerate(value):
            yield _value(name, item, f"{place}/{number}")


def _value(name: str, item: Any, path: str) -> Entry:
    if isinstance(item, dict):
        return Entry(name, path, entries=tuple(_members(item, path)))
    if isinstance(item, list):
        inside = (_value("item", one, f"{path}/{number}") for number, one in enumerate(item))
        return Entry(name, path, entries=tuple(inside))
    if isinstance(item, bool):
        return Entry(name, path, "true" if item else "false")
    return Entry(name, path, "" if item is None else str(item))


def _escaped(name: str) -> str:
    """A name as a step of a JSON pointer (RFC 6901 §3)."""
    return name.replace("~", "~0").replace("/", "~1")


def _place(path: str, name: str, number: int, count: int) -> str:
    return f"{path}/{name}" if count == 1 else f"{path}/{name}[{number}]"


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
