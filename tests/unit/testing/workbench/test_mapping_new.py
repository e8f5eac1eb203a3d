"""`mapping new`: a package that can be imported and tested at once, for every form and target it is given."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from intermediary.cli.main import cli
from intermediary.mapping.form_schema import schema_of
from intermediary.mapping.structure import load
from intermediary.mapping.xdatenfelder import read_form
from intermediary.testing.workbench.asked import asked_form
from intermediary.testing.workbench.skeleton.payload_form import payload_form, payload_name
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install
from intermediary.validate.lock import product_pins
from intermediary.xml.parser import parse

PROJECT = Path(__file__).resolve().parents[4]
STANDARD = ("--output", "musterverfahren@1.0", "hundesteuer.anmeldung.0001")
SERVICES = sorted(path.parent for path in (PROJECT / "config/dienste").glob("*/formular.xml"))
FORMS = ("bewohnerparken", "blauekarte", "gewerbeanmeldung")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """What a test imports from a made package is forgotten."""
    before, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if name.partition(".")[0].startswith("probe"):
            del sys.modules[name]


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A schemas folder with the made-up standard."""
    folder = tmp_path_factory.mktemp("schemas")
    install(PROJECT / "tests/packaging/vendor/standard", folder, product_pins(), accept_new=True)
    return folder


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_our_forms_become_packages(service: Path, schemas: Path, tmp_path: Path) -> None:
    """Every field stands in felder.py and README, every demanded element in mapping.py; the sample is valid input."""
    name = f"probe-{service.name}"
    lists = [part for one in sorted(service.glob("listen/*.xml")) for part in ("--codelist", one)]
    done = _new(name, service / "formular.xml", *lists, *STANDARD, schemas=schemas, folder=tmp_path)
    assert 0 == done.exit_code, done.output

    form = read_form(parse((service / "formular.xml").read_bytes()))
    _is_complete(tmp_path / name, {payload_name(one.name) for one in form.members()})
    said = _tested(tmp_path / name).output
    assert "noch nicht zugeordnet: 7" in said
    assert "noch keine Ausgabe: 10 Pflichtangaben des Ziels, " in said
    assert "in keinem Testfall" not in said


@pytest.mark.parametrize("version", ["2.0", "3.0.0"])
@pytest.mark.parametrize("form", FORMS)
def test_official_forms_become_packages(form: str, version: str, schemas: Path, shared: Path, tmp_path: Path) -> None:
    """The published forms in both versions of XDatenfelder; both versions of one form ask the same fields."""
    name = f"probe-{form}{version.replace('.', '')}"
    folder = shared / f"schemas/xdatenfelder/{version}/beispiele"
    found = (folder / form).glob("*.xml") if version == "2.0" else folder.glob(f"{form}_*.xml")
    source = next(path for path in sorted(found) if "genericode" not in path.name)
    done = _new(name, source, *STANDARD, schemas=schemas, folder=tmp_path)
    assert 0 == done.exit_code, done.output

    _is_complete(tmp_path / name, {payload_name(one.name) for one in read_form(parse(source.read_bytes())).members()})
    assert 1 == _tested(tmp_path / name).exit_code


@pytest.mark.parametrize("form", FORMS)
def test_the_input_schema_takes_published_applications(form: str, shared: Path, tmp_path: Path) -> None:
    """Samples that the published schema of the form accepts pass the one that is generated."""
    folder = shared / "schemas"
    (source,) = (folder / "xdatenfelder/3.0.0/beispiele").glob(f"{form}_*.xml")
    form_of_payloads = payload_form(read_form(parse(source.read_bytes())))
    (tmp_path / "eingang.xsd").write_bytes(schema_of(form_of_payloads))
    (tmp_path / "package.toml").write_text('name = "x"\nversion = "1"\nentries = ["eingang.xsd"]\n', encoding="utf-8")
    catalogue = Catalogue.open(None, own=[tmp_path])
    samples = sorted((folder / f"fim-xfall/xdf3-1.01/beispiele/{form}").glob("*.xml"))

    assert len(samples) >= 5
    assert {} == {
        one.name: verdict for one in samples if not (verdict := catalogue.validate(parse(one.read_bytes()))).is_valid
    }


def test_an_xsd_becomes_a_package(schemas: Path, tmp_path: Path) -> None:
    """The XSD of a payload is taken as it is; a root element that it lacks is a usage error."""
    source = PROJECT / "tests/packaging/vendor/musterverfahren/hundesteuer/schema/hundesteuer.xsd"
    done = _new("probe-xsd", source, *STANDARD, schemas=schemas, folder=tmp_path)
    other = _new("probe-xsd2", source, "--root", "katze", *STANDARD, schemas=schemas, folder=tmp_path)

    assert 0 == done.exit_code, done.output
    assert source.read_bytes() == (tmp_path / "probe-xsd/probe_xsd/schema/hundesteuer.xsd").read_bytes()
    _is_complete(tmp_path / "probe-xsd", {"rufname", "rasse", "familienname", "vorname", "haltungsbeginn"})
    assert (2, True) == (other.exit_code, 'kein Wurzelelement "katze"' in other.output)


def test_official_targets_are_demanded_whole(shared: Path, tmp_path: Path) -> None:
    """A message of an official standard: all it demands, the alternative that was named, and fixed values filled in."""
    folder = tmp_path / "amtlich"
    folder.mkdir()
    for package in ("xdomea/3.1.0",):
        install(shared / "schemas" / package, folder, product_pins())
    target = ("--output", "xdomea@3.1.0", "Abgabe.Abgabe.0401", "--with", "Schriftgutobjekt/Vorgang/Kontakt/Name")
    done = _new("probe-akte", SERVICES[0] / "formular.xml", *target, schemas=folder, folder=tmp_path)
    assert 0 == done.exit_code, done.output

    code = (tmp_path / "probe-akte/probe_akte/mapping.py").read_text(encoding="utf-8")
    assert 'kopf.leaf("Importbestaetigung", constant(True))' in code
    assert 'codelist("urn:xoev-de:xdomea:codeliste:nachrichtentyp", "2.0", offen("Kopf/Nachrichtentyp"))' in code
    assert 'vorgang = schriftgutobjekt.element("Vorgang")' in code
    assert '.element("Akte")' not in code
    facts = json.loads(_tested(tmp_path / "probe-akte", "--json").output)
    assert facts["required"] == len(facts["not_filled"]) > 5
    shape = CliRunner().invoke(
        cli, ["mapping", "shape", str(tmp_path / "probe-akte"), "--schemas", str(folder), "--with", "Kopf/Hinweis"]
    )
    assert 'name = "Hinweis"' in shape.output


def test_the_package_is_an_ordinary_one(schemas: Path, tmp_path: Path) -> None:
    """An entry point, typed, formatted like any other code, and imported by a Python of its own."""
    done = _new("probe-paket", SERVICES[0] / "formular.xml", *STANDARD, schemas=schemas, folder=tmp_path)
    assert 0 == done.exit_code, done.output
    root = tmp_path / "probe-paket"
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    script = "import probe_paket.mapping as m; print(m.MAPPING.name, m.MAPPING.standard)"
    path = f"{root}:{PROJECT}"
    ran = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    lint = CliRunner().invoke(cli, ["mapping", "lint", "--no-runs", str(root)])

    assert {"probe-paket@1": "probe_paket.mapping:MAPPING"} == project["entry-points"]["intermediary.mappings"]
    assert "probe-paket musterverfahren 1.0\n" == ran.stdout
    assert 0 == lint.exit_code, lint.output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("Falscher Name", None, *STANDARD), "kleine Buchstaben"),
        (("probe-x", "README.md", *STANDARD), "kein lesbares XML"),
        (("probe-x", "tests/packaging/vendor/standard/package.toml", *STANDARD), "kein lesbares XML"),
        (("probe-x", None, "--output", "musterverfahren@9", "x"), "ist in"),
        (("probe-x", None, "--output", "musterverfahren@1.0", "hund"), "keine Nachricht hund"),
        (("probe-x", None, *STANDARD, "--with", "hund/katze"), "das Schema kennt hier nicht: hund/katze"),
    ],
)
def test_what_cannot_be_made_leaves_nothing(
    arguments: tuple[str | None, ...], expected: str, schemas: Path, tmp_path: Path
) -> None:
    """A wrong name, input, standard, message or path is a usage error that says so; no half package is left."""
    name, source, *rest = arguments
    given = SERVICES[0] / "formular.xml" if source is None else PROJECT / source
    done = _new(str(name), given, *map(str, rest), schemas=schemas, folder=tmp_path)

    assert 2 == done.exit_code
    assert expected in done.output
    assert [] == list(tmp_path.iterdir())


def _new(name: str, source: Path, *arguments: str | Path, schemas: Path, folder: Path) -> Result:
    rest = ["--schemas", str(schemas), "--folder", str(folder), *map(str, arguments)]
    return CliRunner().invoke(cli, ["mapping", "new", name, "--input", str(source), *rest])


def _tested(root: Path, *arguments: str) -> Result:
    done = CliRunner().invoke(cli, ["mapping", "test", str(root), *arguments])
    assert 1 == done.exit_code
    assert "the input never reaches" not in done.output
    return done


def _is_complete(root: Path, names: set[str]) -> None:
    """Every element name of the form, every demanded element of the target; and a valid golden input."""
    place = root / root.name.replace("-", "_")
    fields, readme = ((root / name).read_text(encoding="utf-8") for name in (place / "felder.py", root / "README.md"))
    code = (place / "mapping.py").read_text(encoding="utf-8")
    qname = next(line.split('"')[1] for line in fields.splitlines() if line.startswith("WURZEL"))
    asked = asked_form(place, qname).fields

    assert [] == [name for name in names if f'"{name}"' not in fields]
    assert [] == [one.path for one in asked if f"{one.name}`" not in readme]
    assert names >= {one.name for one in asked}
    assert [] == [c.name for t in load(place / "shape.toml").complex_types.values() for c in t.children
                  if f'"{c.name}"' not in code and c.name != "code"]  # fmt: skip
    document = (place / "golden/01-beispiel/input.xml").read_bytes()
    assert Catalogue.open(None, own=[place / "schema"]).validate(parse(document)).is_valid
