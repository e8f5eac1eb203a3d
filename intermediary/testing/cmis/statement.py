"""As much of the query language as clients ask with: SELECT … FROM type WHERE conditions (CMIS 1.1, 2.1.14.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from intermediary.testing.cmis.errors import CmisError
from intermediary.testing.cmis.types import TYPES, ObjectType

_SELECT = re.compile(
    r"\s*SELECT\s+(?P<columns>.+?)\s+FROM\s+(?P<table>[\w:]+)(?:\s+(?:AS\s+)?(?!WHERE|ORDER)\w+)?"
    r"(?:\s+WHERE\s+(?P<where>.+?))?(?:\s+ORDER\s+BY\s+.+)?\s*",
    re.IGNORECASE | re.DOTALL,
)
_TEXT = r"'(?P<text>(?:[^'\\]|\\.)*)'"
_CONDITION = re.compile(rf"\s*(?P<column>[\w:]+)\s*(?P<operator>=|<>|LIKE)\s*{_TEXT}\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `column` is the id of a property."""

    column: str
    operator: str
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A query that was understood; anything else is `invalidArgument`."""

    columns: tuple[str, ...]
    table: str
    conditions: tuple[Condition, ...]

    @classmethod
    def parse(cls, text: str) -> Statement:
        found = _SELECT.fullmatch(text)
        if found is None or found["table"] not in TYPES:
            raise CmisError("invalidArgument", "no statement of ours")
        columns = tuple(one.strip() for one in found["columns"].split(","))
        parts = re.split(r"\s+AND\s+", found["where"], flags=re.IGNORECASE) if found["where"] else []
        return cls(columns, found["table"], tuple(_condition(part, TYPES[found["table"]]) for part in parts))

    def holds(self, kind: ObjectType, properties: Mapping[str, Any]) -> bool:
        """Whether an object of this type is meant."""
        if self.table not in (kind.id, kind.parent, kind.base):
            return False
        return all(_holds(one, properties) for one in self.conditions)

    def selected(self, kind: ObjectType, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of one hit, by their query names."""
        wanted = kind.properties if self.columns == ("*",) else tuple(kind.by_query_name(one) for one in self.columns)
        return {one.query_name or one.id: properties.get(one.id) for one in wanted if one is not None}


def _condition(text: str, kind: ObjectType) -> Condition:
    found = _CONDITION.fullmatch(text)
    one = kind.by_query_name(found["column"]) if found is not None else None
    if found is None or one is None or not one.is_queryable:
        raise CmisError("invalidArgument", "no condition of ours")
    if one.query_name and found["column"] == one.id:
        raise CmisError("invalidArgument", "that is no query name")
    return Condition(one.id, found["operator"].upper(), re.sub(r"\\(.)", r"\1", found["text"]))


def _holds(condition: Condition, properties: Mapping[str, Any]) -> bool:
    value = properties.get(condition.column)
    if value is None:
        return False
    text = str(value)
    if condition.operator == "LIKE":
        pattern = "".join(".*" if one == "%" else "." if one == "_" else re.escape(one) for one in condition.text)
        return re.fullmatch(pattern, text, re.DOTALL) is not None
    return (text == condition.text) is (condition.operator == "=")
