"""Tables become values or findings: types, missing and unknown keys, nearest names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from intermediary.core.ids import Name
from intermediary.core.tables import INVALID, MISSING, UNKNOWN, WRONG_TYPE, build, did_you_mean, freeze

BASE = Path("/base")


@dataclass(frozen=True, slots=True)
class Inner:
    folder: Path
    wait_hours: int = 72


@dataclass(frozen=True, slots=True)
class Outer:
    title: str
    name: Name = field(default=Name("x"))
    count: int = field(default=1, metadata={"minimum": 1})
    is_on: bool = False
    kind: Literal["red", "green"] = "red"
    inner: Inner | None = None
    items: tuple[Inner, ...] = field(default=(), metadata={"key": "item"})
    words: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.count == 13:
            raise ValueError("thirteen is not allowed")


def test_complete_table_becomes_the_value() -> None:
    """Every supported type is read; relative paths refer to the base, absolute ones stay."""
    table = {
        "title": "t",
        "name": "n",
        "count": 2,
        "is_on": True,
        "kind": "green",
        "inner": {"folder": "a/b", "wait_hours": 1},
        "item": [{"folder": "/abs"}],
        "words": ["a", "b"],
        "texts": {"k": "v"},
        "raw": {"list": [1, {"deep": True}]},
    }
    value, findings = build(Outer, table, base=BASE)

    assert [] == findings
    assert value is not None
    assert Inner(Path("/base/a/b"), 1) == value.inner
    assert (Inner(Path("/abs")),) == value.items
    assert ("n", 2, True, "green", ("a", "b"), {"k": "v"}) == (
        value.name,
        value.count,
        value.is_on,
        value.kind,
        value.words,
        value.texts,
    )
    assert {"list": (1, {"deep": True})} == value.raw


@pytest.mark.parametrize(
    ("change", "code", "path", "hint"),
    [
        ({"tilte": "x"}, UNKNOWN, "o.tilte", 'did you mean "title"?'),
        ({"Kind": "red"}, UNKNOWN, "o.Kind", 'did you mean "kind"?'),
        ({"title": 1}, WRONG_TYPE, "o.title", "expected text in quotes"),
        ({"name": "Not A Name"}, INVALID, "o.name", None),
        ({"count": True}, WRONG_TYPE, "o.count", "expected a whole number"),
        ({"count": 1.5}, WRONG_TYPE, "o.count", "expected a whole number"),
        ({"count": "1"}, WRONG_TYPE, "o.count", "expected a whole number"),
        ({"count": 0}, INVALID, "o.count", "at least 1"),
        ({"count": 13}, INVALID, "o", "thirteen is not allowed"),
        ({"is_on": 1}, WRONG_TYPE, "o.is_on", "expected true or false"),
        ({"kind": "gren"}, INVALID, "o.kind", 'did you mean "green"?'),
        ({"kind": 1}, WRONG_TYPE, "o.kind", "expected text in quotes"),
        ({"inner": "x"}, WRONG_TYPE, "o.inner", "expected a table"),
        ({"inner": {}}, MISSING, "o.inner.folder", ""),
        ({"inner": {"folder": ""}}, INVALID, "o.inner.folder", "expected a path in quotes"),
        ({"inner": {"folder": 1}}, WRONG_TYPE, "o.inner.folder", "expected a path in quotes"),
        ({"inner": {"folder": "a", "wait_hours": 0}}, INVALID, "o.inner.wait_hours", "at least 1"),
        ({"inner": {"folder": "a", "wait_hours": 10**9}}, INVALID, "o.inner.wait_hours", "at most 87840"),
        ({"item": {}}, WRONG_TYPE, "o.item", "expected a list"),
        ({"item": [{"folder": "a"}, {"folde": "a", "folder": "b"}]}, UNKNOWN, "o.item[2].folde", None),
        ({"item": [{"name": "eakte", "folder": "a"}]}, UNKNOWN, "o.item[eakte].name", None),
        ({"words": ["a", 1]}, WRONG_TYPE, "o.words[2]", "expected text in quotes"),
        ({"texts": {"k": 1}}, WRONG_TYPE, "o.texts.k", "expected text in quotes"),
        ({"raw": []}, WRONG_TYPE, "o.raw", "expected a table"),
    ],
)
def test_each_mistake_is_one_finding(change: dict[str, Any], code: str, path: str, hint: str | None) -> None:
    """A mistake is found at its dotted path, with a hint that says what to write."""
    value, findings = build(Outer, {"title": "t", **change}, base=BASE, where="o")

    assert value is None
    assert [(code, path)] == [(finding.code, finding.path) for finding in findings]
    assert hint in (None, findings[0].hint)


def test_all_mistakes_are_collected() -> None:
    """The operator sees every mistake at once, not the first."""
    _, findings = build(Outer, {"tilte": "x", "count": "1", "inner": {"foldre": "a"}}, base=BASE)

    assert {"tilte", "title", "count", "inner.foldre", "inner.folder"} == {finding.path for finding in findings}


def test_findings_never_repeat_a_value() -> None:
    """A secret written into the wrong place is not printed by lint."""
    _, findings = build(Outer, {"title": "t", "kind": "hunter2", "name": "HUNTER2", "count": "hunter2"}, base=BASE)

    assert 3 == len(findings)
    assert "hunter2" not in repr(findings).lower()


@dataclass(frozen=True)
class Impossible:
    ratio: float = 1.0


def test_unsupported_types_are_a_defect() -> None:
    """A settings class with a type that no table can hold is the developer's mistake, not the operator's."""
    with pytest.raises(TypeError):
        build(Impossible, {"ratio": 1.0}, base=BASE)
    with pytest.raises(TypeError):
        build(str, {}, base=BASE)


def test_nothing_near_lists_what_is_known() -> None:
    """Where no name is near the hint lists them all."""
    assert "known here: drop, state" == did_you_mean("xyzzy", ["state", "drop"])
    assert "nothing is known here" == did_you_mean("x", [])


def test_frozen_tables_cannot_be_changed() -> None:
    """Settings that are kept as they are cannot be changed by whoever gets them."""
    frozen: Any = freeze({"a": [1, {"b": 2}]})
    with pytest.raises(TypeError):
        frozen["a"] = 1
    with pytest.raises(TypeError):
        frozen["a"][1]["b"] = 3
