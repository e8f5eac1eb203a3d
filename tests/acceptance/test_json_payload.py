"""Sealed applications in JSON, from the door to the target: by configuration alone, and through a mapping in Python."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from intermediary.core.states import NachrichtState
from intermediary.operations.check import lint
from intermediary.osci.write.letter import Attachment, Letter
from intermediary.testing.documents import sample_pdf
from intermediary.validate.install import install
from intermediary.validate.lock import product_pins
from intermediary.wiring import Configuration
from intermediary.xml.parser import Element, parse
from tests.acceptance.rig import Rig
from tests.acceptance.test_fim_eakte import DIENST, PROJECT, TARGET, XDOMEA

N = NachrichtState
SCHEIN = Attachment("Versicherung.pdf", "application/pdf", sample_pdf("Versicherung"))
GEWERBE = PROJECT / "mappings/gewerbeanmeldung/golden/12-portal-alle-angaben/input.xml"
HUND = {"G99000101": [{"F99000101": "Waldi", "F99000105": "276098106123456"}, {"F99000101": "Bella"}]}
SCHEMA = {
    "type": "object",
    "required": ["G99000101"],
    "properties": {
        "$schema": True,
        "G99000101": {
            "type": "array",
            "items": {"required": ["F99000101"], "properties": {"F99000101": {"minLength": 2}}},
        },
    },
}


@pytest.fixture
def office(rig: Rig, shared: Path) -> Rig:
    """The rig with xdomea, a route for JSON to `fim_eakte`, and one by `$schema` to `gewerbeanmeldung`."""
    install(shared / "schemas/xdomea/3.1.0", rig.site.folder / "schemas", product_pins())
    shutil.copytree(DIENST, rig.site.folder / "hund")
    (rig.site.folder / "hund/schema.json").write_text(json.dumps(SCHEMA))
    (rig.site.folder / "gewerbe.json").write_text('{"type": "object", "required": ["G00000091"]}')
    route = (DIENST / "route.toml").read_text(encoding="utf-8").partition("[[route.target]]")[0]
    for name in ("formular.xml", "listen"):
        route = route.replace(f'= "{name}"', f'= "hund/{name}"')
    root = next(line for line in route.splitlines() if line.startswith("root = "))
    route = route.replace(root, 'root = "json"').replace(
        "[route.files]", '[route.files]\njsonschema = "hund/schema.json"'
    )
    coded = """
[[route]]
name = "gewerbe"
mandant = "musterstadt"
mapping = "gewerbeanmeldung@1"
[route.when]
root = "json:https://schema.example/gewerbe.json"
[route.files]
jsonschema = "gewerbe.json"
[route.settings]
aktenplan = "123-01"
aktenzeichen = "123-01/{jahr}/{vorgang}"
"""
    (rig.site.folder / "routes.toml").write_text(route + TARGET + coded + TARGET)
    return _renewed(rig)


def test_json_is_filed_by_configuration_alone(office: Rig) -> None:
    """Found beside its attachment, judged, mapped and delivered: a valid message, the document, the JSON byte by byte."""
    payload = json.dumps(HUND).encode()
    found = office.submit(_letter("j-1", payload), "j-1")
    office.work()
    record = office.get(found)

    assert N.COMPLETED is record.state
    assert {"schema jsonschema", "file jsonschema", "file formular"} <= set(record.pins)
    message, page, data, attachment = _package(office.site.drop)
    assert "Hundesteuer – Anmeldung – Waldi, Bella" == next(parse(message).iter(f"{XDOMEA}Betreff")).text
    assert b"Waldi" in page
    assert (payload, SCHEIN.data) == (data, attachment)
    assert ["accepted"] == [answer["status"] for answer in office.answers()]


def test_json_reaches_a_mapping_in_python_by_the_schema_it_names(office: Rig) -> None:
    """The accessor reads the same registration in JSON: the same Kontakt in the e-file, the form under its own names."""
    document = {"$schema": "https://schema.example/gewerbe.json"} | _as_json(parse(GEWERBE.read_bytes()))
    found = office.submit(_letter("j-2", json.dumps(document).encode()), "j-2")
    office.work()

    assert N.COMPLETED is office.get(found).state, office.get(found)
    message, page, *_ = _package(office.site.drop)
    assert b"Radhaus Musterstadt GmbH" in message
    assert b"Name der entgegennehmenden Gemeinde" in page
    assert b"als JSON-Datei" in page


@pytest.mark.parametrize(
    ("payload", "code", "rules"),
    [
        (b'{"G99000101": [{"F99000101": "W"}, {}]}', "validate.input.invalid", ["json.minLength", "json.required"]),
        (b'{"G99000101": [], "G99000101": []}', "json.malformed", ["json.twice"]),
        (b'{"G99000101":' * 500 + b"1" + b"}" * 500, "json.limit", ["json.depth"]),
    ],
    ids=["invalid", "twice", "deep"],
)
def test_wrong_json_goes_back_with_its_findings(office: Rig, payload: bytes, code: str, rules: list[str]) -> None:
    """Rejected with the place and the rule; nothing reaches the target."""
    found = office.submit(_letter("j-3", payload), "j-3")
    office.work()
    (answer,) = office.answers()

    assert (N.REJECTED, code) == (office.get(found).state, office.get(found).verdict_code)
    assert rules == [one["rule"] for one in answer["findings"]]
    assert [] == list(office.site.drop.iterdir())


def test_without_a_schema_nothing_is_taken_on_trust(office: Rig) -> None:
    """The Nachricht waits for its operator and goes on by itself once the route names a schema."""
    routes = office.site.folder / "routes.toml"
    complete = routes.read_text(encoding="utf-8")
    routes.write_text(complete.replace('jsonschema = "hund/schema.json"\n', ""), encoding="utf-8")
    _renewed(office)
    found = office.submit(_letter("j-4", json.dumps(HUND).encode()), "j-4")
    office.work()

    assert "validate.schema.missing" == office.get(found).wait_reason
    assert [] == list(office.site.drop.iterdir())

    routes.write_text(complete, encoding="utf-8")
    _renewed(office)
    office.clock.advance(office.get(found).due_at - office.clock())
    office.work()

    assert N.COMPLETED is office.get(found).state
    assert "schema jsonschema" in office.get(found).pins


def test_lint_tells_of_a_schema_that_is_not_understood_and_of_a_mapping_that_reads_no_json(office: Rig) -> None:
    """For every mapping, with the place in the routes file."""
    (office.site.folder / "gewerbe.json").write_text('{"if": true}')
    routes = office.site.folder / "routes.toml"
    text = routes.read_text(encoding="utf-8").replace('root = "json"', 'root = "json:x"')
    routes.write_text(text, encoding="utf-8")
    assert any("route[gewerbe].files.jsonschema" in str(one) for one in lint(office.site.config))

    routes.write_text(text.replace("gewerbeanmeldung@1", "bewohnerparken@1"), encoding="utf-8")
    assert any("route[gewerbe].when.root" in str(one) for one in lint(office.site.config))


def _letter(name: str, payload: bytes) -> Letter:
    return Letter(message_id=name, contents=(payload,), attachments=(SCHEIN,))


def _renewed(rig: Rig) -> Rig:
    rig.configuration = Configuration(rig.installation.settings)
    rig.worker = rig.new_worker()
    return rig


def _package(folder: Path) -> list[bytes]:
    (file,) = folder.iterdir()
    archive = zipfile.ZipFile(io.BytesIO(file.read_bytes()))
    return [archive.read(name) for name in archive.namelist()]


def _as_json(element: Element) -> dict[str, object]:
    """The fields of an XFall payload as an object; what is repeated becomes a list."""
    found: dict[str, list[object]] = {}
    for child in element:
        name = str(child.tag).rpartition("}")[2]
        found.setdefault(name, []).append(_as_json(child) if len(child) else child.text or "")
    return {name: values[0] if len(values) == 1 else list(values) for name, values in found.items()}
