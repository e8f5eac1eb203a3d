"""Reading exactly what a structure of XTA may contain, in the order of its schema, and nothing else."""

from __future__ import annotations

import re

from intermediary.core.faults import Rejected
from intermediary.xml.parser import Element

_WHITE_SPACE = " \t\r\n"
_SPACES = re.compile(f"[{_WHITE_SPACE}]+")


def broken(where: str) -> Rejected:
    """The fault for a structure that is not as the schema says; `where` names the element, never its content."""
    return Rejected("xta.structure", where=where)


def local(name: str) -> str:
    """The name without its namespace."""
    return name.rpartition("}")[2]


class Children:
    """The children of one element, taken one after the other; what is left at the `end` should not be there."""

    def __init__(self, parent: Element) -> None:
        self._name = local(str(parent.tag))
        self._children = list(parent)
        self._next = 0
        texts = (parent.text, *(child.tail for child in self._children))
        if any(one and one.strip(_WHITE_SPACE) for one in texts):
            raise broken(self._name)

    def maybe(self, name: str) -> Element | None:
        """The next child if it has this `{namespace}name`."""
        if self._next < len(self._children) and self._children[self._next].tag == name:
            self._next += 1
            return self._children[self._next - 1]
        return None

    def one(self, name: str) -> Element:
        """The next child, which must have this name."""
        found = self.maybe(name)
        if found is None:
            raise broken(f"{self._name}/{local(name)}")
        return found

    def many(self, name: str) -> tuple[Element, ...]:
        """All children of this name that come next; none is fine."""
        found = []
        while (child := self.maybe(name)) is not None:
            found.append(child)
        return tuple(found)

    def end(self) -> None:
        """There must be no more."""
        if self._next < len(self._children):
            raise broken(self._name)


def text(element: Element) -> str:
    """The text of an element without children, as it stands."""
    if len(element):
        raise broken(local(str(element.tag)))
    return element.text or ""


def token(element: Element) -> str:
    """The same as `xs:token`: white space collapsed (also `xs:anyURI`, `xs:dateTime` and numbers)."""
    return _SPACES.sub(" ", text(element)).strip(" ")


def normalized(element: Element) -> str:
    """The same as `xs:normalizedString`: every white space character is a space."""
    return text(element).translate({9: " ", 10: " ", 13: " "})


def required(element: Element, name: str) -> str:
    """The value of an attribute that must be there and not be empty."""
    value = element.get(name)
    if not value:
        raise broken(f"{local(str(element.tag))}/@{local(name)}")
    return value


_DATE_TIME = re.compile(
    r"-?[0-9]{4,9}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,18})?|24:00:00(?:\.0{1,18})?)"
    r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
)
_DATE = re.compile(
    r"-?[0-9]{4,9}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
)
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


def moment(element: Element | None) -> str:
    """An `xs:dateTime` as it is written; empty where there is no element."""
    return _matching(element, _DATE_TIME)


def day(element: Element | None) -> str:
    """An `xs:date` as it is written; empty where there is no element."""
    return _matching(element, _DATE)


def number(element: Element) -> int:
    """An `xs:integer` of up to 18 digits."""
    return int(_matching(element, _NUMBER))


def boolean(value: str, where: str) -> bool:
    """An `xs:boolean`."""
    if value.strip(_WHITE_SPACE) not in ("true", "false", "1", "0"):
        raise broken(where)
    return value.strip(_WHITE_SPACE) in ("true", "1")


def _matching(element: Element | None, pattern: re.Pattern[str]) -> str:
    if element is None:
        return ""
    value = token(element)
    if pattern.fullmatch(value) is None:
        raise broken(local(str(element.tag)))
    return value
