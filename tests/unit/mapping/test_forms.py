"""JSON payloads of a configured form: shown in the document by their pointers."""

from __future__ import annotations

import dataclasses
import json

from intermediary.core.ports import Antrag
from intermediary.core.values import MemoryContent, Part
from intermediary.testing.golden import load_case
from mappings.fim_eakte.mapping import HERE, MAPPING

CASE = load_case(HERE / "golden/01-hundeanmeldung")


def _antrag(document: object) -> Antrag:
    part = Part("daten.json", "application/json", "data", MemoryContent(json.dumps(document).encode()))
    return dataclasses.replace(CASE.antrag, payload=part, tree=None)


def test_valid_json_becomes_the_same_kind_of_package() -> None:
    """Search keys come from the values, their origins are JSON pointers, the JSON itself lies beside the document."""
    antrag = _antrag({"G99000101": [{"F99000101": "Waldi"}, {"F99000101": "Bella", "F99000777": 1}]})
    files = dict(CASE.kontext.files) | {"jsonschema": b"{}"}
    ausgabe = MAPPING.map(antrag, dataclasses.replace(CASE.kontext, files=files))
    origins = {one.source for one in ausgabe.herkunft if one.kind == "input"}
    page = ausgabe.dokumente[0].content.read().decode()

    assert {"/G99000101/0/F99000101", "/G99000101/1/F99000101"} <= origins
    assert "Waldi" in page
    assert "/G99000101/1/F99000777" in page
    assert antrag.payload.content.read() == ausgabe.dokumente[1].content.read()
