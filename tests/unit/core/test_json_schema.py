"""JSON Schema: each keyword, schemas that are not understood, the shared submissions, and an oracle's verdict on them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intermediary.core.json_schema import JsonSchemaError, read_json_schema
from intermediary.core.json_text import read_json


def _problems(schema: object, document: object) -> list[tuple[str, str]]:
    checked = read_json_schema(json.dumps(schema).encode()).problems(read_json(json.dumps([document]).encode())[0])
    return [(one.pointer, one.keyword) for one in checked]


@pytest.mark.parametrize(
    ("schema", "good", "bad", "problem"),
    [
        ({"type": "object"}, {}, [], ("", "type")),
        ({"type": ["string", "null"]}, None, 1, ("", "type")),
        ({"type": "integer"}, 1.0, 1.5, ("", "type")),
        ({"type": "number"}, 1.5, True, ("", "type")),
        ({"type": "integer"}, 0, False, ("", "type")),
        ({"properties": {"a/b": {"type": "string"}}}, {"a/b": "x"}, {"a/b": 1}, ("/a~1b", "type")),
        ({"required": ["a"]}, {"a": None}, {"b": 1}, ("/a", "required")),
        ({"additionalProperties": False, "properties": {"a": True}}, {"a": 1}, {"b~": 1}, ("/b~0", "additionalProperties")),
        ({"additionalProperties": {"type": "string"}}, {"a": "x"}, {"a": 1}, ("/a", "type")),
        ({"patternProperties": {"^x": False}}, {"a": 1}, {"xa": 1}, ("/xa", "false")),
        ({"propertyNames": {"maxLength": 1}}, {"a": 1}, {"ab": 1}, ("/ab", "propertyNames")),
        ({"items": {"type": "string"}}, ["a"], ["a", 1], ("/1", "type")),
        ({"items": [{"type": "string"}, {"type": "number"}]}, ["a", 1, None], ["a", "b"], ("/1", "type")),
        ({"contains": {"const": 1}}, [0, 1], [0], ("", "contains")),
        ({"enum": [1, "a"]}, "a", True, ("", "enum")),
        ({"const": {"a": [1]}}, {"a": [1.0]}, {"a": [True]}, ("", "const")),
        ({"pattern": "^[0-9]{5}$"}, "12345", "1234", ("", "pattern")),
        ({"pattern": "b"}, "abc", "x", ("", "pattern")),
        ({"minLength": 2}, "äö", "ä", ("", "minLength")),
        ({"maxLength": 2}, "äö", "äöü", ("", "maxLength")),
        ({"minItems": 1, "maxItems": 1}, [1], [], ("", "minItems")),
        ({"uniqueItems": True}, [1, True, "1"], [1, 1.0], ("", "uniqueItems")),
        ({"minimum": 1}, 1, 0.5, ("", "minimum")),
        ({"exclusiveMaximum": 1}, 0.9, 1, ("", "exclusiveMaximum")),
        ({"multipleOf": 0.01}, 19.99, 19.999, ("", "multipleOf")),
        ({"format": "date"}, "2024-02-29", "2026-02-29", ("", "format")),
        ({"format": "date"}, "2024-02-29", "20240229", ("", "format")),
        ({"format": "email"}, "no address", None, None),
        ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, 1, 3, ("", "maximum")),
        ({"anyOf": [{"type": "string"}, {"minimum": 5}]}, 6, 4, ("", "anyOf")),
        ({"oneOf": [{"minimum": 1}, {"maximum": 2}]}, 3, 2, ("", "oneOf")),
        ({"not": {"type": "string"}}, 1, "x", ("", "not")),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "string"}}}, "x", 1, ("", "type")),
        ({"properties": {"a": {"$ref": "#"}}, "maxProperties": 1}, {}, {"a": {"b": 1, "c": 1}}, ("/a", "maxProperties")),
        ({"minimum": 5}, "text is not measured", None, None),
    ],
)  # fmt: skip
def test_keywords(schema: object, good: object, bad: object, problem: tuple[str, str] | None) -> None:
    """What is allowed passes, what is not is told once, with the place and the keyword."""
    assert [] == _problems(schema, good)
    if problem is not None:
        assert [problem] == _problems(schema, bad)


@pytest.mark.parametrize(
    "schema",
    [
        b"", b"[]", b'{"type": "date"}', b'{"requierd": ["a"]}', b'{"if": true}', b'{"unevaluatedProperties": false}',
        b'{"$ref": "https://schema.example/x.json"}', b'{"$ref": "#/nirgends"}', b'{"$ref": "x.json#/a"}',
        b'{"pattern": "("}', b'{"patternProperties": {"(": true}}', b'{"pattern": 1}', b'{"minimum": "1"}',
        b'{"minimum": true}', b'{"multipleOf": 0}', b'{"properties": []}', b'{"items": 1}', b'{"required": "a"}',
        b'{"enum": 1}', b'{"$dynamicRef": "#a"}', b'{"type": 1}', b'{"not": {"not": {"x": 1}}}',
        b'{"examples": [{"x": 1}], "$ref": "#/examples"}', b'{"default": {"requierd": []}, "$ref": "#/default"}',
        b'{"properties": {"a": {"$id": "other", "$ref": "#/a"}}, "a": true}', b'{"minimum": 1e400}',
    ],
)  # fmt: skip
def test_a_schema_that_is_not_understood_is_refused(schema: bytes) -> None:
    """Nothing is passed over and nothing fetched: a check that would not run to its end does not begin."""
    with pytest.raises(JsonSchemaError):
        read_json_schema(schema)


def test_a_schema_that_goes_round_ends() -> None:
    """A reference to itself, and a document of many levels, give a problem instead of an endless walk."""
    assert ("", "depth") in _problems({"$ref": "#"}, 1)
    deep: object = 1
    for _ in range(150):
        deep = [deep]

    assert [] == _problems({"items": {"$ref": "#"}}, deep)
    with pytest.raises(ValueError, match="depth"):
        read_json(b"[" * 100_000)


def test_many_problems_end_at_a_hundred() -> None:
    """A document that is wrong everywhere is told a hundred times."""
    assert 100 == len(_problems({"items": {"type": "string"}}, list(range(1000))))


def test_submissions_are_judged_as_they_are_marked(shared: Path) -> None:
    """Every example of metadata that must be valid is, every other is not, by the schemas that come with them."""
    folder = shared / "schemas/fit-connect"
    cases = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "examples/metadata").glob("*.json"))
    ]
    judged = [
        (case["id"], case["valid"], not read_json_schema(_named(folder, case["schema"])).problems(
            read_json(json.dumps([case["instance"]]).encode())[0]
        ))
        for case in cases
    ]  # fmt: skip

    assert len(judged) >= 20
    assert [] == [one for one in judged if one[1] != one[2]]


def test_all_shared_schemas_are_understood(shared: Path) -> None:
    """Metadata, SET payloads, proofs of identity, a form: none has a keyword that is missing here."""
    paths = sorted((shared / "schemas/fit-connect").glob("*/*.schema.json"))

    assert len(paths) >= 7
    for path in paths:
        read_json_schema(path.read_bytes())


def _named(folder: Path, name: str) -> bytes:
    return (folder / "derived" / f"{name.replace(' ', '-')}.derived.schema.json").read_bytes()


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^[0-9]{5}$", "12345", "12345\n"),
        (r"^\d+$", "12", "\u0661\u0662"),
        (r"^[$]\$$", "$$", "$"),
        ("^(a|b$)", "b", "b\n"),
    ],
)
def test_patterns_mean_what_the_standard_says(pattern: str, good: str, bad: str) -> None:
    """`$` is the very end and digits are ASCII: what Python reads into a pattern lets nothing past."""
    assert [] == _problems({"pattern": pattern}, good)
    assert [("", "pattern")] == _problems({"pattern": pattern}, bad)


def test_what_a_document_makes_the_check_do_is_bounded() -> None:
    """A schema that refers to itself twice, many different items, huge numbers: an answer, never a pass by giving up."""
    twice = {"$defs": {"n": {"allOf": [{"$ref": "#/$defs/n"}, {"$ref": "#/$defs/n"}]}}, "$ref": "#/$defs/n"}

    assert [("", "effort")] == _problems(twice, {})
    assert [] == _problems({"uniqueItems": True}, [{"a": [number]} for number in range(30_000)])
    assert [("", "uniqueItems")] == _problems({"uniqueItems": True}, [*range(30_000), 7.0])
    assert [] == _problems({"type": "integer", "multipleOf": 0.01}, 10**90)
    assert 100 == len(_problems({"items": {"type": "string"}}, [1] * 5000))
