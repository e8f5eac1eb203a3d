"""JSON payloads of a configured form: held against the route's JSON schema, shown in the document by their pointers."""

from __future__ import annotations

import dataclasses
import json

import pytest

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.ports import Antrag, Kontext
from intermediary.core.values import MemoryContent, Part
from intermediary.testing.golden import load_case
from mappings.fim_eakte.mapping import HERE, MAPPING

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["G99000101"],
    "properties": {
        "G99000101": {
            "type": "array",
            "items": {"type": "object", "required": ["F99000101"], "properties": {"F99000101": {"minLength": 2}}},
        }
    },
}
CASE = load_case(HERE / "golden/01-hundeanmeldung")


def _antrag(document: object) -> Antrag:
    part = Part("daten.json", "application/json", "data", MemoryContent(json.dumps(document).encode()))
    return dataclasses.replace(CASE.antrag, payload=part, tree=None)


def _kontext(schema: bytes | None = json.dumps(SCHEMA).encode()) -> Kontext:
    files = dict(CASE.kontext.files) | ({"jsonschema": schema} if schema is not None else {})
    return dataclasses.replace(CASE.kontext, files=files)


def test_valid_json_becomes_the_same_kind_of_package() -> None:
    """Search keys come from the values, their origins are JSON pointers, the JSON itself lies beside the document."""
    antrag = _antrag({"G99000101": [{"F99000101": "Waldi"}, {"F99000101": "Bella", "F99000777": 1}]})
    ausgabe = MAPPING.map(antrag, _kontext())
    origins = {one.source for one in ausgabe.herkunft if one.kind == "input"}
    page = ausgabe.dokumente[0].content.read().decode()

    assert {"/G99000101/0/F99000101", "/G99000101/1/F99000101"} <= origins
    assert "Waldi" in page
    assert "/G99000101/1/F99000777" in page
    assert antrag.payload.content.read() == ausgabe.dokumente[1].content.read()


def test_json_that_its_schema_refuses_goes_back_with_every_place() -> None:
    """One Befund per place, by JSON pointer, with the keyword; without values."""
    with pytest.raises(Rejected) as refused:
        MAPPING.map(_antrag({"G99000101": [{"F99000101": "W"}, {}]}), _kontext())

    assert [
        ("/G99000101/0/F99000101", "json.minLength"),
        ("/G99000101/1/F99000101", "json.required"),
    ] == [(one.path, one.rule) for one in refused.value.findings]


def test_a_schema_that_is_not_understood_waits_and_is_told_by_lint() -> None:
    """Nobody gets past a check that would not run to its end, be the payload XML or JSON; lint says so before."""
    kontext = _kontext(b'{"$ref": "https://schema.example/a.json"}')
    with pytest.raises(Misconfigured) as waits:
        MAPPING.map(_antrag({}), kontext)
    (finding,) = MAPPING.examine(kontext.settings, kontext.files)

    assert "files.jsonschema" == waits.value.where == finding.path
    assert "leads out of the schema" in finding.hint
    assert [] == MAPPING.examine(kontext.settings, _kontext().files)


def test_xml_is_not_held_against_a_json_schema() -> None:
    """The same route may get both."""
    assert CASE.antrag.payload.content.read() == MAPPING.map(CASE.antrag, _kontext()).dokumente[1].content.read()
