"""Builds frozen dataclasses from TOML tables and collects every finding: unknown keys, wrong types, missing values.

The dataclass is the format: its fields are the keys, its annotations the types. Supported are `str` and its parsing
subclasses (`Name`, `LeikaId`), `int`, `bool`, `Path`, `Literal` of texts, other such dataclasses, `Mapping[str, str]`,
`Mapping[str, object]` (kept as it is, frozen), `tuple[X, ...]` of any of these, and `X | None`. Field metadata: `help`
(one sentence for the reference), `key` (the TOML key if it is not the field's name), `minimum` (of a number).

A field whose name ends in a unit of time is a duration: a whole number from 1 to ten years.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from intermediary.core.values import Befund

T = TypeVar("T")

UNKNOWN = "config.key.unknown"
MISSING = "config.key.missing"
WRONG_TYPE = "config.type.wrong"
INVALID = "config.value.invalid"

_SECONDS = {"_seconds": 1, "_minutes": 60, "_hours": 3600, "_days": 86400}
_TEN_YEARS = 10 * 366 * 86400
_BAD: Any = object()


def build(kind: type[T], table: Mapping[str, object], *, base: Path, where: str = "") -> tuple[T | None, list[Befund]]:
    """The value that `table` describes, or None, and all findings; with findings there is no value.

    `base` is the folder that relative paths refer to, `where` the dotted path of the table in its file. A `kind` that
    is not built from the supported types is a defect and raises TypeError.
    """
    builder = _Builder(base)
    value = builder.table(kind, table, where)
    return (None if builder.findings else value), builder.findings


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for a name nobody knows: the nearest known one, otherwise the list of what is known."""
    names = sorted(known)
    folded = {known_name.casefold(): known_name for known_name in names}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    if near:
        return f'did you mean "{folded[near[0]]}"?'
    return f"known here: {', '.join(names)}" if names else "nothing is known here"


def freeze(value: object) -> object:
    """The same TOML value, unchangeable: tables become read-only mappings, lists tuples."""
    match value:
        case Mapping():
            return types.MappingProxyType({key: freeze(item) for key, item in value.items()})
        case list() | tuple():
            return tuple(freeze(item) for item in value)
        case _:
            return value


@cache
def fields_of(kind: type) -> dict[str, tuple[dataclasses.Field[Any], Any]]:
    """The TOML keys of a dataclass, each with its field and its resolved type."""
    if not dataclasses.is_dataclass(kind):
        raise TypeError(f"{kind.__qualname__} is no dataclass")
    hints = get_type_hints(kind)
    fields = (field for field in dataclasses.fields(kind) if field.init)
    return {str(field.metadata.get("key", field.name)): (field, hints[field.name]) for field in fields}


def without_none(kind: Any) -> Any:
    """The X of `X | None`, otherwise the type itself."""
    if get_origin(kind) in (Union, types.UnionType):
        inner = [part for part in get_args(kind) if part is not types.NoneType]
        if len(inner) == 1:
            return inner[0]
    return kind


class _Builder:
    def __init__(self, base: Path) -> None:
        self._base = base
        self.findings: list[Befund] = []

    def table(self, kind: Any, table: Mapping[str, object], where: str) -> Any:
        """The dataclass for one table; `_BAD` when a finding stands in the way."""
        before = len(self.findings)
        known = fields_of(kind)
        for key in table:
            if key not in known:
                self._find(UNKNOWN, _join(where, key), did_you_mean(key, known))
        values: dict[str, Any] = {}
        for key, (field, hint) in known.items():
            if key in table:
                values[field.name] = self._value(without_none(hint), table[key], _join(where, key), field)
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                self._find(MISSING, _join(where, key), str(field.metadata.get("help", "")))
        if len(self.findings) > before:
            return _BAD
        try:
            return kind(**values)
        except ValueError as refusal:
            return self._find(INVALID, where, str(refusal))

    def _value(self, kind: Any, raw: object, path: str, field: dataclasses.Field[Any]) -> Any:
        origin = get_origin(kind)
        if origin is Literal:
            return self._choice(get_args(kind), raw, path)
        if origin is tuple:
            return self._list(get_args(kind)[0], raw, path, field)
        if origin is not None and issubclass(origin, Mapping):
            return self._mapping(get_args(kind)[1], raw, path)
        if kind is int:
            return self._number(raw, path, field)
        if kind is bool:
            return raw if isinstance(raw, bool) else self._find(WRONG_TYPE, path, "expected true or false")
        if kind is Path:
            return self._path(raw, path)
        if isinstance(kind, type) and issubclass(kind, str):
            return self._text(kind, raw, path)
        if dataclasses.is_dataclass(kind):
            return self.table(kind, raw, path) if isinstance(raw, Mapping) else self._no_table(path)
        raise TypeError(f"a setting cannot have the type {kind!r}")

    def _text(self, kind: type[str], raw: object, path: str) -> Any:
        if not isinstance(raw, str):
            return self._find(WRONG_TYPE, path, "expected text in quotes")
        try:
            return kind(raw)
        except ValueError as refusal:
            return self._find(INVALID, path, str(refusal))

    def _choice(self, choices: tuple[str, ...], raw: object, path: str) -> Any:
        if not isinstance(raw, str):
            return self._find(WRONG_TYPE, path, "expected text in quotes")
        return raw if raw in choices else self._find(INVALID, path, did_you_mean(raw, choices))

    def _number(self, raw: object, path: str, field: dataclasses.Field[Any]) -> Any:
        if not isinstance(raw, int) or isinstance(raw, bool):
            return self._find(WRONG_TYPE, path, "expected a whole number")
        unit = next((seconds for suffix, seconds in _SECONDS.items() if field.name.endswith(suffix)), None)
        least = field.metadata.get("minimum", 1 if unit else None)
        if least is not None and raw < least:
            return self._find(INVALID, path, f"at least {least}")
        if unit and raw > _TEN_YEARS // unit:
            return self._find(INVALID, path, f"at most {_TEN_YEARS // unit}")
        return raw

    def _path(self, raw: object, path: str) -> Any:
        if not isinstance(raw, str):
            return self._find(WRONG_TYPE, path, "expected a path in quotes")
        if not raw or "\0" in raw:
            return self._find(INVALID, path, "expected a path in quotes")
        return self._base / raw

    def _list(self, kind: Any, raw: object, path: str, field: dataclasses.Field[Any]) -> Any:
        if not isinstance(raw, list | tuple):
            return self._find(WRONG_TYPE, path, "expected a list")
        return tuple(
            self._value(kind, item, f"{path}[{_label(item, number)}]", field) for number, item in enumerate(raw, 1)
        )

    def _mapping(self, kind: Any, raw: object, path: str) -> Any:
        if not isinstance(raw, Mapping):
            return self._no_table(path)
        if kind is str:
            for key, value in raw.items():
                if not isinstance(value, str):
                    self._find(WRONG_TYPE, _join(path, key), "expected text in quotes")
        return freeze(raw)

    def _no_table(self, path: str) -> Any:
        return self._find(WRONG_TYPE, path, "expected a table")

    def _find(self, code: str, path: str, hint: str) -> Any:
        self.findings.append(Befund(code=code, path=path, hint=hint))
        return _BAD


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _label(item: object, number: int) -> str:
    """What people call a list's item: its name if it has one, otherwise its number from 1."""
    name = item.get("name") if isinstance(item, Mapping) else None
    return name if isinstance(name, str) and name else str(number)
