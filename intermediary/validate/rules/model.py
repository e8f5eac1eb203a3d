"""A Schematron after everything has been resolved: what the generators of stylesheets read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from intermediary.xml.parser import Element

Level = Literal["error", "warning"]
Binding = Literal["xslt1", "xslt3"]
LEVELS: Mapping[str, Level] = {
    "fatal": "error",
    "error": "error",
    "warning": "warning",
    "warn": "warning",
    "info": "warning",
    "information": "warning",
    "hint": "warning",
}


@dataclass(frozen=True, slots=True)
class Let:
    """A variable: an expression, or the nodes inside the element."""

    name: str
    value: str
    content: Element | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Assertion:
    """One `assert` or `report` at its place in a rule.

    `number` counts all assertions of the Schematron from 0 and is all that the stylesheet says. `hint` is the
    author's sentence, where `{name}` stands for the element and … for whatever would quote the document.
    """

    number: int
    test: str
    is_report: bool
    id: str
    level: Level
    hint: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A concrete rule: a context, and variables and assertions in their order."""

    context: str
    items: tuple[Let | Assertion, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Rules of which only the first that fits a node is held against it."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Schematron:
    """One Schematron in one phase, ready to be written as a stylesheet.

    `namespaces` are the prefixes of its expressions; `lets` are global, those of patterns included; `foreign` are the
    functions and keys it defines in XSLT.
    """

    binding: Binding
    namespaces: Mapping[str, str]
    lets: tuple[Let, ...]
    foreign: tuple[Element, ...] = field(repr=False)
    patterns: tuple[Pattern, ...] = field(repr=False)

    @property
    def assertions(self) -> tuple[Assertion, ...]:
        return tuple(
            item
            for pattern in self.patterns
            for rule in pattern.rules
            for item in rule.items
            if isinstance(item, Assertion)
        )
