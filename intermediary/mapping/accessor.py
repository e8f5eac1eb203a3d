"""Reads an XFall payload: schema root, groups and fields by name; typed, and remembering what was read.

The shape is the one of the XFall converter (xoev-digest §8): root `S…V…`, groups `G…V…`, fields `F…V…`, all in the
namespace of the root; a message of an xÖV standard is read the same way. The payload has passed its schema before a mapping
sees it, so a missing required field or a value of the wrong type is rare; when it happens the sender is told
(`Rejected("mapping.input.refused")`).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, TypeVar, overload

from intermediary.core.faults import Rejected
from intermediary.core.values import Befund
from intermediary.mapping.findings import REFUSED
from intermediary.mapping.lines import wanted
from intermediary.mapping.provenance import Sourced
from intermediary.xml.parser import Element

T = TypeVar("T")
Parse: TypeAlias = Callable[[str], T]

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_HINTS = {
    "required": "Diese Angabe fehlt.",
    "type": "Diese Angabe hat nicht die Form, die das Zielformat verlangt.",
}
_XML_BLANKS = " \t\r\n"


def text(lexical: str) -> str:
    """The text exactly as sent."""
    return lexical


def normal(lexical: str) -> str:
    """The text in Unicode normal form C, which the character sets of xÖV are made of; it reads the same."""
    return unicodedata.normalize("NFC", lexical)


def code(lexical: str) -> str:
    """A code without the blanks around it."""
    return lexical.strip(_XML_BLANKS)


def date(lexical: str) -> dt.date:
    """A calendar day of the years 1 to 9999; a time zone behind it is read over, because it names no other day."""
    found = _DATE.fullmatch(lexical.strip(_XML_BLANKS))
    if found is None:
        raise ValueError("not a day of the years 1 to 9999")
    return dt.date(int(found[1]), int(found[2]), int(found[3]))


def decimal(lexical: str) -> Decimal:
    """A finite decimal number."""
    try:
        number = Decimal(lexical.strip(_XML_BLANKS))
    except InvalidOperation:
        raise ValueError("not a decimal number") from None
    if not number.is_finite():
        raise ValueError("not a finite number")
    return number


def integer(lexical: str) -> int:
    """A whole number in decimal digits."""
    found = _INTEGER.fullmatch(lexical.strip(_XML_BLANKS))
    if found is None:
        raise ValueError("not a whole number")
    return int(found[0])


def boolean(lexical: str) -> bool:
    """An XML boolean: true, false, 1 or 0."""
    try:
        return _BOOLEANS[lexical.strip(_XML_BLANKS)]
    except KeyError:
        raise ValueError("not a boolean") from None


class Group:
    """One Datenfeldgruppe, or the root. Names are the local names of the payload (`F05000000059V1.0.0`).

    `required`, `optional` and `repeated` read a field, by default as text; the second argument is one of `text`,
    `normal`, `code`, `date`, `decimal`, `integer`, `boolean`. `group`, `optional_group` and `groups` go down.
    """

    __slots__ = ("_element", "_namespace", "_read", "path")

    def __init__(self, element: Element, path: str, namespace: str, read: set[str]) -> None:
        self._element = element
        self._namespace = namespace
        self._read = read
        self.path = path

    @overload
    def required(self, name: str) -> Sourced[str]: ...
    @overload
    def required(self, name: str, parse: Parse[T]) -> Sourced[T]: ...
    def required(self, name: str, parse: Parse[Any] = text) -> Sourced[Any]:
        """The one field of that name. Raises `Rejected` with rule `required` or `type`."""
        values = self.repeated(name, parse)
        if not values:
            raise _refused(f"{self.path}/{name}", "required")
        return values[0]

    @overload
    def optional(self, name: str) -> Sourced[str] | None: ...
    @overload
    def optional(self, name: str, parse: Parse[T]) -> Sourced[T] | None: ...
    def optional(self, name: str, parse: Parse[Any] = text) -> Sourced[Any] | None:
        """The field of that name, or None when it was not sent."""
        values = self.repeated(name, parse)
        return values[0] if values else None

    @overload
    def repeated(self, name: str) -> tuple[Sourced[str], ...]: ...
    @overload
    def repeated(self, name: str, parse: Parse[T]) -> tuple[Sourced[T], ...]: ...
    def repeated(self, name: str, parse: Parse[Any] = text) -> tuple[Sourced[Any], ...]:
        """All fields of that name, in the sender's order."""
        notes = wanted()
        if notes is not None:
            notes.asked.add(f"{self.path}/{name}")
        return tuple(self._value(element, path, parse) for element, path in self._children(name))

    def group(self, name: str) -> Group:
        """The one group of that name. Raises `Rejected` with rule `required`."""
        found = self.optional_group(name)
        if found is None:
            raise _refused(f"{self.path}/{name}", "required")
        return found

    def optional_group(self, name: str) -> Group | None:
        """The group of that name, or None when it was not sent."""
        return next(iter(self.groups(name)), None)

    def groups(self, name: str) -> tuple[Group, ...]:
        """All groups of that name, in the sender's order."""
        return tuple(Group(element, path, self._namespace, self._read) for element, path in self._children(name))

    def path_of(self, name: str) -> str:
        """Where a field of that name is or would be: for Befunde about something missing."""
        return f"{self.path}/{name}"

    def _children(self, name: str) -> list[tuple[Element, str]]:
        found = self._element.findall(f"{{{self._namespace}}}{name}") if self._namespace else []
        found = found or self._element.findall(name)  # parts of xÖV messages stand in no namespace (xoev-digest §2)
        return list(zip(found, _paths(self.path, name, len(found)), strict=True))

    def _value(self, element: Element, path: str, parse: Parse[T]) -> Sourced[T]:
        self._read.add(path)
        try:
            return Sourced(parse(_text_of(element)), "input", path)
        except ValueError:
            raise _refused(path, "type") from None


class Payload(Group):
    """The whole payload. `unread` names the fields that no typed read has touched."""

    __slots__ = ()

    def __init__(self, tree: Element) -> None:
        namespace, name = _split(tree.tag)
        super().__init__(tree, f"/{name}", namespace, set())

    @property
    def root(self) -> Element:
        """The root element, for a walk over everything (the summary); such a walk does not count as reading."""
        return self._element

    def attribute(self, name: str) -> Sourced[str] | None:
        """An attribute of the root element (xÖV frames: `test`), or None; its name has no namespace."""
        value = self._element.get(name)
        return None if value is None else Sourced(value, "input", f"{self.path}/@{name}")

    def texts(self) -> Iterator[Sourced[str]]:
        """Every field as text, in document order: for rules about all of them; it does not count as reading."""
        yield from _texts(self._element, self.path)

    def unread(self) -> tuple[str, ...]:
        """Paths of all fields nobody read, in document order."""
        return tuple(_leaves(self._element, self.path, self._read))


def _leaves(element: Element, path: str, read: set[str]) -> Iterator[str]:
    if path in read:
        return
    if not len(element):
        yield path
    for child, place in _below(element, path):
        yield from _leaves(child, place, read)


def _texts(element: Element, path: str) -> Iterator[Sourced[str]]:
    if not len(element):
        yield Sourced(_text_of(element), "input", path)
    for child, place in _below(element, path):
        yield from _texts(child, place)


def _below(element: Element, path: str) -> Iterator[tuple[Element, str]]:
    names = [_split(child.tag)[1] for child in element]
    counts, seen = Counter(names), Counter[str]()
    for child, name in zip(element, names, strict=True):
        seen[name] += 1
        yield child, f"{path}/{name}" if counts[name] == 1 else f"{path}/{name}[{seen[name]}]"


def _paths(parent: str, name: str, count: int) -> list[str]:
    if count == 1:
        return [f"{parent}/{name}"]
    return [f"{parent}/{name}[{place}]" for place in range(1, count + 1)]


def _text_of(element: Element) -> str:
    return "".join(str(piece) for piece in element.itertext())


def _split(tag: object) -> tuple[str, str]:
    namespace, closing, name = str(tag).rpartition("}")
    return (namespace[1:], name) if closing else ("", name)


def _refused(path: str, rule: str) -> Rejected:
    return Rejected(REFUSED, findings=(Befund(code=REFUSED, path=path, rule=rule, hint=_HINTS[rule]),))
