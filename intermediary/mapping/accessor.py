"""Reads a payload: root, groups and fields by name; typed, and remembering what was read.

Both published shapes of XFall (xoev-digest §8) have root, groups and fields in one namespace, and a message of an xÖV
standard is read the same way; `payload_json` reads JSON under the same names. The payload has passed its schema before a
mapping sees it, so a missing required field or a value of the wrong type is rare; when it happens the sender is told
(`Rejected("mapping.input.refused")`).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, TypeAlias, TypeVar, overload

from intermediary.core.faults import Rejected
from intermediary.core.values import Befund
from intermediary.mapping.entries import Entry
from intermediary.mapping.findings import REFUSED
from intermediary.mapping.form import is_same_field, is_versioned
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
    """One Datenfeldgruppe, or the root. Names are those of the converter's XFall (`F05000000059V1.0.0`); where a payload
    spells them without version, as the FIM portal does and JSON, they are read all the same.

    `required`, `optional` and `repeated` read a field, by default as text; the second argument is one of `text`,
    `normal`, `code`, `date`, `decimal`, `integer`, `boolean`. `group`, `optional_group` and `groups` go down.
    """

    __slots__ = ("_by_tag", "_element", "_namespace", "_read", "path")

    def __init__(self, element: Element, path: str, namespace: str, read: set[str]) -> None:
        self._element = element
        self._namespace = namespace
        self._read = read
        self._by_tag: dict[str, list[Element]] | None = None
        self.path = path

    @overload
    def required(self, name: str) -> Sourced[str]: ...
    @overload
    def required(self, name: str, parse: Parse[T]) -> Sourced[T]: ...
    def required(self, name: str, parse: Parse[Any] = text) -> Sourced[Any]:
        """The one field of that name. Raises `Rejected` with rule `required` or `type`."""
        found = self.optional(name, parse)
        if found is None:
            raise _refused(f"{self.path}/{name}", "required")
        return found

    @overload
    def optional(self, name: str) -> Sourced[str] | None: ...
    @overload
    def optional(self, name: str, parse: Parse[T]) -> Sourced[T] | None: ...
    def optional(self, name: str, parse: Parse[Any] = text) -> Sourced[Any] | None:
        """The field of that name, or None when it was not sent."""
        notes = wanted()
        if notes is not None:
            notes.asked.add(f"{self.path}/{name}")
        values = [self._value(element, path, parse) for element, path in self._children(name)]
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
        return tuple(self._inside(element, path) for element, path in self._children(name))

    def path_of(self, name: str) -> str:
        """Where a field of that name is or would be: for Befunde about something missing."""
        return f"{self.path}/{name}"

    def _children(self, name: str) -> list[tuple[Element, str]]:
        by_tag = self._by_tag
        if by_tag is None:  # asked for one by one, the children are walked once
            by_tag = self._by_tag = {}
            for child in self._element.iterchildren("*"):
                by_tag.setdefault(str(child.tag), []).append(child)
        found = by_tag.get(f"{{{self._namespace}}}{name}") if self._namespace else None
        found = found or by_tag.get(name)  # parts of xÖV messages stand in no namespace (xoev-digest §2)
        if found is None:
            return self._spelled_otherwise(name)
        if len(found) == 1:
            return [(found[0], f"{self.path}/{name}")]
        return [(element, f"{self.path}/{name}[{place}]") for place, element in enumerate(found, start=1)]

    def _spelled_otherwise(self, name: str) -> list[tuple[Element, str]]:
        """The portal's shape names fields of FIM without version; nothing else has two spellings."""
        if not is_versioned(name):
            return []
        below = _below(self._element, self.path)
        return [(child, place) for child, place in below if is_same_field(name, _split(child.tag)[1])]

    def _inside(self, element: Element, path: str) -> Group:
        return Group(element, path, self._namespace, self._read)

    def _lexical(self, element: Element) -> str:
        return _text_of(element)

    def _value(self, element: Element, path: str, parse: Parse[T]) -> Sourced[T]:
        self._read.add(path)
        try:
            return Sourced(parse(self._lexical(element)), "input", path)
        except ValueError:
            raise _refused(path, "type") from None


class Payload(Group):
    """The whole payload. `unread` names the fields that no typed read has touched. `payload_of` reads JSON too."""

    __slots__ = ()
    language: ClassVar[str] = "XML"

    def __init__(self, tree: Element) -> None:
        namespace, name = _split(tree.tag)
        super().__init__(tree, f"/{name}", namespace, set())

    @property
    def root(self) -> Element | Entry:
        """The root element (JSON: entry), for a walk over everything (the summary); it does not count as reading."""
        return self._element

    def attribute(self, name: str) -> Sourced[str] | None:
        """An attribute of the root element (xÖV frames: `test`), or None; its name has no namespace."""
        value = self._element.get(name)
        return None if value is None else Sourced(value, "input", f"{self.path}/@{name}")

    def texts(self) -> Iterator[Sourced[str]]:
        """Every field as text, in document order: for rules about all of them; it does not count as reading."""
        texts: list[Sourced[str]] = []
        _texts(self._element, self.path, texts)
        yield from texts

    def unread(self) -> tuple[str, ...]:
        """Paths of all fields nobody read, in document order."""
        leaves: list[str] = []
        _leaves(self._element, self.path, self._read, leaves)
        return tuple(leaves)


def _leaves(element: Element, path: str, read: set[str], to: list[str]) -> None:
    if path in read:
        return
    if not len(element):
        to.append(path)
        return
    for child, place in _below(element, path):
        _leaves(child, place, read, to)


def _texts(element: Element, path: str, to: list[Sourced[str]]) -> None:
    if not len(element):
        to.append(Sourced(_text_of(element), "input", path))
        return
    for child, place in _below(element, path):
        _texts(child, place, to)


def _below(element: Element, path: str) -> list[tuple[Element, str]]:
    children = list(element)
    names = [str(child.tag).rpartition("}")[2] for child in children]
    if len(set(names)) == len(names):
        return [(child, f"{path}/{name}") for child, name in zip(children, names, strict=True)]
    counts, seen = Counter(names), Counter[str]()
    places = []
    for name in names:
        seen[name] += 1
        places.append(f"{path}/{name}" if counts[name] == 1 else f"{path}/{name}[{seen[name]}]")
    return list(zip(children, places, strict=True))


def _text_of(element: Element) -> str:
    if not len(element):
        return element.text or ""
    return "".join(str(piece) for piece in element.itertext())


def _split(tag: object) -> tuple[str, str]:
    namespace, closing, name = str(tag).rpartition("}")
    return (namespace[1:], name) if closing else ("", name)


def _refused(path: str, rule: str) -> Rejected:
    return Rejected(REFUSED, findings=(Befund(code=REFUSED, path=path, rule=rule, hint=_HINTS[rule]),))
