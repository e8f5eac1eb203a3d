"""Whether a JSON Schema is understood whole: every keyword, type, pattern and reference, before it judges anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any

_DEEPEST = 300
_LONGEST_PLACE = 300
_ANNOTATIONS = (
    *("$schema", "$id", "$comment", "$anchor", "title", "description", "default", "examples", "version", "format"),
    *("deprecated", "readOnly", "writeOnly"),
)
_LIMITS = (
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "multipleOf"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
)
_TYPES = frozenset(("object", "array", "string", "boolean", "null", "number", "integer"))


class JsonSchemaError(Exception):
    """The schema is none, or asks for something that is not understood; the text says where and what, for its operator."""


def review(root: Any) -> None:
    """Raises `JsonSchemaError` for the first thing in a schema that is not understood."""
    _Review(root).schema(root, "#", 0)


def resolved(root: Any, reference: Any, place: str) -> Any:
    """What a reference inside the schema leads to (`#`, `#/a/b`). Raises `JsonSchemaError` where it leads out."""
    if not isinstance(reference, str) or not re.fullmatch(r"#(/.*)?", reference):
        raise JsonSchemaError(f"{place}: leads out of the schema")
    found = root
    for step in reference.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or name not in found:
            raise JsonSchemaError(f"{place}: leads nowhere")
        found = found[name]
    return found


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as the standard means it (ECMA 262): `$` is the very end, classes are ASCII. Raises `re.error`."""
    return re.compile(_DOLLAR.sub(lambda found: found[0] if len(found[0]) > 1 else r"\Z", pattern), re.ASCII)


_DOLLAR = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


class _Review:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._referred: set[int] = set()

    def schema(self, schema: Any, place: str, depth: int) -> None:
        """One subschema with everything below it."""
        if isinstance(schema, bool):
            return
        if not isinstance(schema, dict) or depth > _DEEPEST:
            raise JsonSchemaError(f"{place}: no schema")
        if "$id" in schema and place != "#" and _refers(schema):
            raise JsonSchemaError(f"{place}/$id: would change what references below it mean")
        for keyword, value in schema.items():
            look = _LOOKS.get(keyword)
            if look is None:
                raise JsonSchemaError(f"{place}/{keyword}: not understood")
            look(self, value, f"{place}/{keyword}", depth + 1)

    def anything(self, value: Any, place: str, depth: int) -> None:
        """What judges nothing, or judges by any value."""

    def by_name(self, value: Any, place: str, depth: int) -> None:
        """Schemas by name."""
        for name, inner in _demanded(value, dict, place).items():
            self.schema(inner, f"{place}/{name}", depth)

    def by_pattern(self, value: Any, place: str, depth: int) -> None:
        """Schemas by a pattern for names."""
        for name in _demanded(value, dict, place):
            self.pattern(name, place, depth)
        self.by_name(value, place, depth)

    def several(self, value: Any, place: str, depth: int) -> None:
        """A list of schemas."""
        for number, inner in enumerate(_demanded(value, list, place)):
            self.schema(inner, f"{place}/{number}", depth)

    def items(self, value: Any, place: str, depth: int) -> None:
        """One schema for all, or one for each place."""
        (self.several if isinstance(value, list) else self.schema)(value, place, depth)

    def reference(self, value: Any, place: str, depth: int) -> None:
        """A place in this schema."""
        target = resolved(self._root, value, place)
        if id(target) not in self._referred:
            self._referred.add(id(target))
            self.schema(target, f"{place} -> {value}"[:_LONGEST_PLACE], depth)

    def pattern(self, value: Any, place: str, depth: int) -> None:
        """A regular expression."""
        try:
            compiled(_demanded(value, str, place))
        except re.error:
            raise JsonSchemaError(f"{place}: a pattern that is not understood") from None

    def type(self, value: Any, place: str, depth: int) -> None:
        """One type or several."""
        if not _TYPES.issuperset(value if isinstance(value, list) else [value]):
            raise JsonSchemaError(f"{place}: unknown type")

    def limit(self, value: Any, place: str, depth: int) -> None:
        """A number; nothing is a multiple of none."""
        if (
            isinstance(value, bool)
            or not isinstance(value, int | Decimal)
            or (place.endswith("multipleOf") and value <= 0)
        ):
            raise JsonSchemaError(f"{place}: no number that limits")

    def listed(self, value: Any, place: str, depth: int) -> None:
        """A list of values or names."""
        _demanded(value, list, place)


_LOOKS: Mapping[str, Callable[[_Review, Any, str, int], None]] = MappingProxyType(
    {
        **dict.fromkeys((*_ANNOTATIONS, "const", "uniqueItems"), _Review.anything),
        **dict.fromkeys(("properties", "$defs", "definitions"), _Review.by_name),
        **dict.fromkeys(("allOf", "anyOf", "oneOf"), _Review.several),
        **dict.fromkeys(("additionalProperties", "propertyNames", "not", "contains"), _Review.schema),
        **dict.fromkeys(("enum", "required"), _Review.listed),
        **dict.fromkeys(_LIMITS, _Review.limit),
        "patternProperties": _Review.by_pattern,
        "items": _Review.items,
        "$ref": _Review.reference,
        "pattern": _Review.pattern,
        "type": _Review.type,
    }
)


def _refers(value: Any) -> bool:
    if isinstance(value, dict):
        return "$ref" in value or any(map(_refers, value.values()))
    return isinstance(value, list) and any(map(_refers, value))


def _demanded(value: Any, kind: type, place: str) -> Any:
    if not isinstance(value, kind):
        raise JsonSchemaError(f"{place}: no {kind.__name__}")
    return value
