"""Writes the generated tables (shapes, labels, code lists) as TOML: the same table gives the same text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping


def key(name: str) -> str:
    """A key, always in quotes: names of elements contain dots."""
    return quoted(name)


def quoted(text: str) -> str:
    """A basic string; JSON's escapes are TOML's, except for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def value(item: object) -> str:
    """A string, truth value, number, list of these or inline table."""
    match item:
        case str():
            return quoted(item)
        case bool():
            return "true" if item else "false"
        case int():
            return str(item)
        case Mapping():
            return "{ " + ", ".join(f"{name} = {value(inner)}" for name, inner in item.items()) + " }"
        case Iterable():
            return "[" + ", ".join(value(inner) for inner in item) + "]"
        case _:
            raise TypeError(type(item).__name__)


def pairs(table: Mapping[str, str]) -> list[str]:
    """The lines of a table of texts."""
    return [f"{key(name)} = {value(text)}" for name, text in table.items()]
