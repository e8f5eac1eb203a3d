"""JSON applications: found among parts, named for routes, judged by the schema of the route; the hostile corpus."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.values import MemoryContent, Opened, Part
from intermediary.validate.json_payload import check_json, route_schema
from intermediary.validate.payload import Payload, find_payload, payload_at

SCHEMA = {
    "type": ["object", "array"],
    "required": ["name"],
    "properties": {"name": {"minLength": 2}, "list": {"items": {"type": "integer"}}},
    "additionalProperties": False,
}


def part(data: bytes, media_type: str = "application/json", name: str = "daten") -> Part:
    """One piece of a submission."""
    return Part(name, media_type, "data", MemoryContent(data))


def opened(contents: list[Part], attachments: list[Part] | None = None) -> Opened:
    """A submission of these parts."""
    return Opened("osci-1.2", "AcceptDelivery", "m", "s", tuple(contents), tuple(attachments or ()), (), (), "osci@1")


def found(*contents: Part, attachments: list[Part] | None = None, known: str = "json") -> Payload:
    """The payload, where one root is known."""
    return find_payload(opened(list(contents), attachments), lambda root: root == known)


def test_json_is_told_by_type_by_name_or_by_how_it_begins() -> None:
    """All three ways lead to the document; there is no tree, and the root is `json`."""
    payloads = [
        found(part(b'{"a": 1}', "application/json; charset=utf-8")),
        found(part(b'{"a": 1}', "", "daten.JSON")),
        found(part(b' \n{"a": 1}', "")),
        found(part(b"%PDF", "application/pdf"), attachments=[part(b'{"a": 1}', "application/vnd.form+json")]),
    ]

    assert [("json", {"a": 1}, None)] * 4 == [(one.root, one.document, one.tree) for one in payloads]
    assert not any(one.is_test for one in payloads)


def test_the_schema_a_document_names_is_its_root_under_a_prefix() -> None:
    """No sender can name an XML root, and what is no name counts as none."""
    assert (
        "json:https://schema.example/hund.json" == found(part(b'{"$schema": "https://schema.example/hund.json"}')).root
    )
    assert "json:{urn:x}antrag" == found(part(b'{"$schema": "{urn:x}antrag"}')).root
    for name in ("", "x" * 201, "a b", "a\u202eb", 7, None):
        assert "json" == found(part(json.dumps({"$schema": name}).encode())).root


def test_xml_of_a_known_root_wins_over_json_beside_it() -> None:
    """A side file in JSON does not take the place of the application, wherever it stands."""
    side, antrag = part(b'{"a": 1}'), part(b"<antrag/>", "application/xml")

    assert ("antrag", 1) == ((one := found(side, antrag, known="antrag")).root, one.position)
    assert "json" == found(side, part(b"<other/>", "text/xml")).root
    assert "json" == find_payload(opened([side], [antrag]), lambda _: True).root


def test_a_pinned_position_finds_the_same_json() -> None:
    """A later attempt reads the part that was judged."""
    whole = opened([part(b"<a/>", "text/xml"), part(b'{"a": 1}')])

    assert {"a": 1} == payload_at(whole, 1).document


def test_the_schema_of_the_route_gives_a_verdict_with_its_hash() -> None:
    """Every place by pointer with its keyword; names that the schema does not know are not repeated."""
    files = {"jsonschema": json.dumps(SCHEMA).encode()}
    verdict = check_json({"name": "x", "list": [1, "y"], "Erika Muster": 1}, files)

    assert [
        ("/name", "json.minLength"),
        ("/list/1", "json.type"),
        ("/*", "json.additionalProperties"),
    ] == [(one.path, one.rule) for one in verdict.findings]
    assert verdict.ran
    assert 64 == len(verdict.hashes["jsonschema"])
    assert check_json({"name": "xy"}, files).is_valid


def test_without_a_schema_or_with_one_that_is_not_understood_nothing_is_valid() -> None:
    """Not run is not valid; a broken schema waits for its operator, naming the file."""
    assert not check_json({}, {}).ran
    with pytest.raises(Misconfigured) as missing:
        check_json({}, {}).demand("json")
    with pytest.raises(Misconfigured) as broken:
        route_schema({"jsonschema": b'{"if": true}'})

    assert ("validate.schema.missing", "files.jsonschema") == (missing.value.code, broken.value.where)


def test_the_hostile_corpus_is_refused_and_its_controls_pass(shared: Path) -> None:
    """Each file through the same two steps as an application, against a schema of what the controls say."""
    corpus = shared / "vectors/hostile"
    values: dict[str, object] = {"a": {"type": ["integer", "string"]}, "b": {"type": "array"}}
    values |= {"betrag": {"type": ["string", "number"]}, "n": {"type": "integer"}}
    schema = {"anyOf": [{"type": "array"}, {"type": "object", "properties": values, "additionalProperties": False}]}
    files = {"jsonschema": json.dumps(schema).encode()}
    seen = 0
    for case in json.loads((corpus / "manifest.json").read_text("utf-8"))["cases"]:
        if "payload.json" not in case["entry"] or "file" not in case:
            continue
        seen += 1
        try:
            payload = found(part((corpus / case["file"]).read_bytes()))
            is_valid = check_json(payload.document, files).is_valid
        except Rejected as refused:
            is_valid = False
            assert refused.code in ("json.malformed", "json.limit"), case["id"]
            assert refused.findings[0].hint, case["id"]
        assert case["expect"] == "reject-or-accept" or is_valid is (case["expect"] == "accept"), case["id"]

    assert seen > 20
