"""JSON Schema as far as forms and submissions use it: a document is held against it, every problem told by JSON pointer.

A schema with a keyword that is not understood is refused when it is read, never passed over (DESIGN §2.14: fail closed), and
so is a reference that leads out of it: nothing is fetched. Vocabulary of drafts 7 to 2020-12 without `unevaluated…` and
conditions; `format` says nothing except for days, as the standard has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from intermediary.core.json_review import JsonSchemaError, compiled, resolved, review
from intermediary.core.json_text import JsonError, read_json

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | Decimal) and not isinstance(value, bool),
    "integer": lambda value: not isinstance(value, bool) and isinstance(value, int | Decimal) and value == int(value),
}
ROUTE_SCHEMA = "jsonschema"  # its name under [route.files]
_DEEPEST = 300
_MOST_PROBLEMS = 100
_MOST_STEPS = 2_000_000
_STEPS_PER_VALUE = 100


@dataclass(frozen=True, slots=True)
class JsonProblem:
    """What is wrong at one place: a JSON pointer (empty for the whole document) and the keyword that says so."""

    pointer: str
    keyword: str


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A schema that was read and understood whole; made by `read_json_schema`.

    `names` are the properties it knows: what a finding may repeat of a pointer.
    """

    root: Any = field(repr=False)
    names: frozenset[str] = field(default=frozenset(), repr=False)

    def problems(self, document: Any) -> tuple[JsonProblem, ...]:
        """Everything that is wrong with a document from `read_json`, the first hundred; empty when it is valid.

        The single problem `effort` means that the check was given up: more steps than a form can need.
        """
        try:
            check = _Check(self.root, 10_000 + _STEPS_PER_VALUE * _values(document))
            return tuple(check.at(self.root, document, "", 0)[:_MOST_PROBLEMS])
        except _TooMuch:
            return (JsonProblem("", "effort"),)


def read_json_schema(data: bytes) -> JsonSchema:
    """The schema; `JsonSchemaError` when it is no JSON or has a keyword, type or reference that is not understood."""
    try:
        root = read_json(data)
    except JsonError as wrong:
        raise JsonSchemaError(f"no JSON: {wrong.rule}") from None
    review(root)
    return JsonSchema(root, frozenset(_names(root)))


class _TooMuch(Exception):
    """A schema that refers to itself lets a document ask for more checks than anybody waits for."""


class _Check:
    """Holds one document against a schema that was reviewed."""

    def __init__(self, root: Any, steps: int) -> None:
        self._root = root
        self._steps = min(steps, _MOST_STEPS)

    def at(self, schema: Any, value: Any, pointer: str, depth: int) -> list[JsonProblem]:
        if isinstance(schema, bool):
            return [] if schema else [JsonProblem(pointer, "false")]
        if depth > _DEEPEST:
            return [JsonProblem(pointer, "depth")]
        self._steps -= 1 + len(schema.get("enum", ())) // 10
        if self._steps < 0:
            raise _TooMuch
        found = [
            JsonProblem(pointer, one)
            for one, is_met in _SIMPLE.items()
            if one in schema and not is_met(schema[one], value)
        ]
        if "type" in schema and not _is_of(schema["type"], value):
            return [JsonProblem(pointer, "type")]
        if schema.get("format") == "date" and isinstance(value, str) and not _is_day(value):
            found.append(JsonProblem(pointer, "format"))
        if "$ref" in schema:
            found += self.at(resolved(self._root, schema["$ref"], "#"), value, pointer, depth + 1)
        found += self._together(schema, value, pointer, depth + 1)
        if isinstance(value, dict):
            found += self._object(schema, value, pointer, depth + 1)
        elif isinstance(value, list):
            found += self._array(schema, value, pointer, depth + 1)
        return found

    def _together(self, schema: Any, value: Any, pointer: str, depth: int) -> list[JsonProblem]:
        found = [one for inner in schema.get("allOf", ()) for one in self.at(inner, value, pointer, depth)]
        for keyword in ("anyOf", "oneOf"):
            count = sum(not self.at(inner, value, pointer, depth) for inner in schema.get(keyword, ()))
            if keyword in schema and (not count or (keyword == "oneOf" and count > 1)):
                found.append(JsonProblem(pointer, keyword))
        if "not" in schema and not self.at(schema["not"], value, pointer, depth):
            found.append(JsonProblem(pointer, "not"))
        return found

    def _object(self, schema: Any, value: dict[str, Any], pointer: str, depth: int) -> list[JsonProblem]:
        found = [
            JsonProblem(_step(pointer, name), "required") for name in schema.get("required", ()) if name not in value
        ]
        known = schema.get("properties", {})
        for name, inner in value.items():
            if len(found) > _MOST_PROBLEMS:
                break
            place = _step(pointer, name)
            if "propertyNames" in schema and self.at(schema["propertyNames"], name, place, depth):
                found.append(JsonProblem(place, "propertyNames"))
            rules = [known[name]] if name in known else []
            rules += [
                rule for pattern, rule in schema.get("patternProperties", {}).items() if compiled(pattern).search(name)
            ]
            if not rules and schema.get("additionalProperties") is False:
                found.append(JsonProblem(place, "additionalProperties"))
            elif not rules and "additionalProperties" in schema:
                rules = [schema["additionalProperties"]]
            found += [one for rule in rules for one in self.at(rule, inner, place, depth)]
        return found

    def _array(self, schema: Any, value: list[Any], pointer: str, depth: int) -> list[JsonProblem]:
        found: list[JsonProblem] = []
        rules = schema.get("items", True)
        for number, inner in enumerate(value):
            if len(found) > _MOST_PROBLEMS:
                break
            rule = rules if not isinstance(rules, list) else rules[number] if number < len(rules) else True
            found += self.at(rule, inner, f"{pointer}/{number}", depth)
        if "contains" in schema and all(self.at(schema["contains"], inner, pointer, depth) for inner in value):
            found.append(JsonProblem(pointer, "contains"))
        return found


def _names(schema: Any) -> Iterator[str]:
    inside = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
        yield from schema["properties"]
    for one in inside:
        yield from _names(one)


def _values(document: Any) -> int:
    """How many values a document has, itself among them."""
    below = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return 1 + sum(map(_values, below))


def _is_of(named: Any, value: Any) -> bool:
    return any(_TYPES[one](value) for one in (named if isinstance(named, list) else [named]))


def _is_day(text: str) -> bool:
    try:
        return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _same(one: Any, other: Any) -> bool:
    """Equality of JSON: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return bool(one == other)


def _number(is_met: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda limit, value: not _TYPES["number"](value) or is_met(value, limit)


def _sized(kind: type[Any], is_met: Callable[[int, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda limit, value: not isinstance(value, kind) or is_met(len(value), limit)


def _unique(wanted: Any, value: Any) -> bool:
    if wanted is not True or not isinstance(value, list):
        return True
    return len(set(map(_spelled, value))) == len(value)


def _spelled(value: Any) -> Any:
    """Something to hash, equal where `_same` says so."""
    if isinstance(value, list):
        return ("list", *map(_spelled, value))
    if isinstance(value, dict):
        return ("object", frozenset((name, _spelled(inner)) for name, inner in value.items()))
    return (isinstance(value, bool), value)


_SIMPLE: Mapping[str, Callable[[Any, Any], bool]] = {
    "enum": lambda allowed, value: any(_same(one, value) for one in allowed),
    "const": _same,
    "pattern": lambda pattern, value: not isinstance(value, str) or compiled(pattern).search(value) is not None,
    "minLength": _sized(str, lambda length, limit: length >= limit),
    "maxLength": _sized(str, lambda length, limit: length <= limit),
    "minItems": _sized(list, lambda length, limit: length >= limit),
    "maxItems": _sized(list, lambda length, limit: length <= limit),
    "minProperties": _sized(dict, lambda length, limit: length >= limit),
    "maxProperties": _sized(dict, lambda length, limit: length <= limit),
    "minimum": _number(lambda value, limit: value >= limit),
    "maximum": _number(lambda value, limit: value <= limit),
    "exclusiveMinimum": _number(lambda value, limit: value > limit),
    "exclusiveMaximum": _number(lambda value, limit: value < limit),
    "multipleOf": _number(lambda value, limit: Fraction(value) % Fraction(limit) == 0),
    "uniqueItems": _unique,
}


def _step(pointer: str, name: str) -> str:
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
