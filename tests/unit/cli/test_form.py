"""`schemas form` names the fields as a route does, says which lists are missing, and makes an installable input schema."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from intermediary.cli.schemas import command
from intermediary.validate.install import install

DIENST = Path(__file__).resolve().parents[3] / "config/dienste/hundeanmeldung"
FORM, LIST = str(DIENST / "formular.xml"), str(DIENST / "listen/hunderasse_2026-01.xml")


def _run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, ["form", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_fields_are_named_as_a_route_names_them() -> None:
    """One line per field with the group it stands in, in JSON and for people."""
    code, out, _ = _run(FORM, LIST, "--json")
    fields = {one["field"]: one for one in map(json.loads, out.splitlines())}

    assert 0 == code
    assert {"field": "G99000000101/F99000000102", "label": "Rasse", "type": "Liste", "group": "Hund"} == fields[
        "G99000000101/F99000000102"
    ]
    assert "Anmeldung eines Hundes zur Hundesteuer (S99000000101, Fassung 1.0.0)" in _run(FORM, LIST)[1]


def test_missing_lists_are_told() -> None:
    """The list that nobody has fetched yet is a finding with what to do."""
    code, _, err = _run(FORM)

    assert 1 == code
    assert "urn:intermediary:beispiel:codeliste:hunderasse_2026-01" in err
    assert "XRepository" in err


def test_the_input_schema_can_be_installed(tmp_path: Path) -> None:
    """The folder that is written is a package; a folder that is there already is not touched."""
    code, out, _ = _run(FORM, LIST, "--out", str(tmp_path / "eingang"))
    package = install(tmp_path / "eingang", tmp_path / "schemas", {}, accept_new=True)

    assert 0 == code
    assert "{urn:fim-de:xfall:datenschema:xdf3}S99000000101V1.0.0" in out
    assert "xfall-s99000000101@1.0.0" == package.id
    assert 1 == package.roots
    assert 2 == _run(FORM, LIST, "--out", str(tmp_path / "eingang"))[0]


def test_another_file_is_refused(tmp_path: Path) -> None:
    """What is no XDatenfelder is told with the file, not with a traceback."""
    (tmp_path / "x.xml").write_text("<x/>")

    assert 2 == _run(str(tmp_path / "x.xml"))[0]
    assert "stammdatenschema" in _run(str(tmp_path / "x.xml"))[2]
    assert "x.xml" in _run(FORM, str(tmp_path / "x.xml"))[2]
