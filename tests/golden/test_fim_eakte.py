"""fim_eakte beyond its golden cases: the official FIM forms, twenty generated ones with a hundred applications."""

from __future__ import annotations

import dataclasses
import random
import re
import tomllib
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
import xmlschema

from intermediary.core.faults import Misconfigured
from intermediary.core.ports import Antrag, Kontext
from intermediary.core.values import Ausgabe, MemoryContent, Part
from intermediary.mapping.entries import Entry, entries_of_json, entries_of_xml
from intermediary.mapping.form import Form
from intermediary.mapping.form_schema import schema_of
from intermediary.mapping.pdf import pdf_missing
from intermediary.mapping.shape import paths_of, shape_of
from intermediary.mapping.xdatenfelder import read_form
from intermediary.route.table import Route, parse_routes
from intermediary.testing import generated_forms
from intermediary.testing.forms import genericode, xdatenfelder
from intermediary.testing.golden import antrag_of, cases_in, load_case, run, without_origin
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.lock import read_lock
from intermediary.xml.parser import parse
from intermediary.xml.schema import compile_schema, problems
from mappings.fim_eakte.mapping import HERE, MAPPING

SEED = 20261122
FORMS = 20
INPUTS_PER_FORM = 5
SERVICES = sorted((HERE.parents[1] / "config/dienste").glob("*/route.toml"))
FIM = {
    "bewohnerparken": (
        "3.0.0/beispiele/bewohnerparken_S05000058_xdf3.xml",
        "2.0/beispiele/bewohnerparken/S05000058V1.0_xdf2.xml",
    ),
    "blauekarte": ("3.0.0/beispiele/blauekarte_S00000121_xdf3.xml", "2.0/beispiele/blauekarte/BlaueKarte.xml"),
    "gewerbeanmeldung": (
        "3.0.0/beispiele/gewerbeanmeldung_S00000009_xdf3.xml",
        "2.0/beispiele/gewerbeanmeldung/S00000009_xdatenfelder.xml",
    ),
}
SETTINGS = {
    "aktenplan": "11.22",
    "aktenzeichen": "11.22-{jahr}/{vorgang}",
    "betreff": "{formular} – {F00000000013}",
    "suchbegriffe": "Familienname=F00000000013; Ort=F00000000035",
    "frist_tage": "90",
    "hilfetexte": "true",
}


def _files(form: Form, *, inline: bool) -> dict[str, bytes]:
    lists = generated_forms.codelists(form)
    files = {"formular": xdatenfelder(form, standard="3.0.0" if inline else "2.0")}
    for number, (name, rows) in enumerate(lists.items()):
        uri, _, version = name.rpartition("_")
        files[f"codelisten/{number:03}.xml"] = genericode(uri, version, rows, qualified=number % 2 == 1)
    return files


def _kontext(number: int, files: dict[str, bytes], **settings: str) -> Kontext:
    return Kontext(
        key=f"c{number:07x}-0000-4000-8000-000000000000",
        mandant="musterstadt",
        received_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=47 * number),
        settings=SETTINGS | settings,
        files=files,
    )


def _page(ausgabe: Ausgabe) -> str:
    (page,) = (one for one in ausgabe.dokumente if one.media_type == "text/html")
    return page.content.read().decode()


def _is_plain(text: str) -> bool:
    """Whether a text must stand in the page as it is: no number, date or truth value that is written in German."""
    return text.isalpha() and text not in ("true", "false")


def _demand_sound(antrag: Antrag, kontext: Kontext, official: Catalogue, payload: Entry) -> Ausgabe:
    """Officially valid, every leaf with its origin, every entry shown, the same bytes again."""
    ausgabe = MAPPING.map(antrag, kontext)
    verdict = official.validate(parse(ausgabe.nachricht))
    page = unescape(_page(ausgabe))

    assert verdict.ran
    assert () == verdict.findings
    assert [] == without_origin(ausgabe)
    assert () == ausgabe.unread
    assert ausgabe.package.content.read() == MAPPING.map(antrag, kontext).package.content.read()
    assert [] == [leaf.path for leaf in payload.leaves() if _is_plain(leaf.text) and leaf.text not in page]
    return ausgabe


@pytest.mark.parametrize("dienst", sorted(FIM))
@pytest.mark.parametrize("fassung", [0, 1], ids=["xdatenfelder-3", "xdatenfelder-2"])
def test_official_forms_and_samples(dienst: str, fassung: int, shared: Path, official: Catalogue) -> None:
    """The three FIM forms in both versions of XDatenfelder: every published sample, nothing left undescribed."""
    schemas = shared / "schemas"
    files = {"formular": (schemas / "xdatenfelder" / FIM[dienst][fassung]).read_bytes()}
    for path in sorted((schemas / "xdatenfelder/2.0/beispiele" / dienst).glob("C*_genericode.xml")):
        files[f"codelisten/{path.name}"] = path.read_bytes()
    samples = sorted((schemas / "fim-xfall/xdf3-1.01/beispiele" / dienst).glob("*.xml"))
    assert samples
    for number, sample in enumerate(samples):
        antrag = antrag_of(sample.read_bytes())
        kontext = _kontext(number, files, xdomea=("3.1.0", "3.0.0")[number % 2])
        ausgabe = _demand_sound(antrag, kontext, official, entries_of_xml(antrag.tree))
        assert "Nicht im Formular beschrieben" not in _page(ausgabe)


def test_a_form_of_the_first_standard_is_read(shared: Path) -> None:
    """XDatenfelder 1.0 knows ids without versions and lists inside the field."""
    form = read_form(parse((shared / "schemas/xdatenfelder/1.0/beispiele/WaBeKa.xml").read_bytes()))

    assert "Waffenbesitzkarte nach § 10 Absatz 1 WaffG" == form.title
    assert 64 == len(list(form.members()))
    assert "Anrede" in form.missing


@pytest.mark.parametrize("number", range(FORMS))
def test_generated_forms_and_applications(number: int, shared: Path, official: Catalogue) -> None:
    """Twenty generated forms, five applications each, in both XFall shapes and JSON, to both versions of xdomea."""
    draw = random.Random(SEED + number)
    inline = number % 3 != 2
    kinds = generated_forms.KINDS if inline else generated_forms.OLD_KINDS
    form = generated_forms.form(draw, number + 1, kinds=kinds, inline=inline)
    files = _files(form, inline=inline)
    schema = compile_schema({"form.xsd": schema_of(read_form(parse(files["formular"])))}, "form.xsd", where="form")
    for attempt in range(INPUTS_PER_FORM):
        kontext = _kontext(
            INPUTS_PER_FORM * number + attempt,
            files,
            xdomea=draw.choice(("3.1.0", "3.0.0")),
            suchbegriffe=";".join(f"Begriff {n}=F99{n:09d}" for n in range(1, 6)),
            betreff="{formular}: {F99000000001}, {F99000000002}",
        )
        if attempt % 5 == 4:
            data = generated_forms.as_json(form, draw)
            part = Part("daten.json", "application/json", "data", MemoryContent(data))
            antrag = Antrag(antrag_of(b"<x/>").opened, part, None, ())
            payload = entries_of_json(data)
        else:
            data = generated_forms.xfall(form, draw, portal=attempt % 5 == 3)
            antrag = antrag_of(data)
            payload = entries_of_xml(antrag.tree)
            assert attempt % 5 == 3 or [] == list(problems(antrag.tree, schema))
        ausgabe = _demand_sound(antrag, kontext, official, payload)

        assert "Nicht im Formular beschrieben" not in _page(ausgabe)
        assert "Werteliste nicht hinterlegt" not in _page(ausgabe)
        assert data == ausgabe.dokumente[1].content.read()


def test_generated_forms_are_official_ones(shared: Path) -> None:
    """What is generated is XDatenfelder as its publisher's schema has it, or the test above would prove little."""
    for number in range(FORMS):
        draw = random.Random(SEED + number)
        inline = number % 3 != 2
        kinds = generated_forms.KINDS if inline else generated_forms.OLD_KINDS
        form = generated_forms.form(draw, number + 1, kinds=kinds, inline=inline)
        _demand_xdatenfelder(
            xdatenfelder(form, standard="3.0.0" if inline else "2.0"), "3.0.0" if inline else "2.0", shared
        )


@pytest.mark.parametrize("route", SERVICES, ids=lambda path: path.parent.name)
def test_example_services_are_sound(route: Path, shared: Path) -> None:
    """Each example configuration has no finding, a form as the standard has it, and the input schema of the mapping."""
    table = parse_routes(route.read_text(encoding="utf-8"))
    (one,) = table.routes
    files = _configured(one, route.parent, shared)
    form = read_form(parse(files["formular"]), [parse(files[name]) for name in files if name != "formular"])

    assert [] == MAPPING.examine(one.settings, files)
    assert one.when.root == f"{{urn:fim-de:xfall:datenschema:xdf3}}{form.name}"
    if not one.files["formular"].startswith("amtlich"):
        standard = "2.0" if b"xdatenfelder_2" in files["formular"] else "3.0.0"
        _demand_xdatenfelder(files["formular"], standard, shared)
        assert () == form.missing
        assert schema_of(form) == (HERE / "schema" / f"{form.name}.xsd").read_bytes()


def test_blaue_karte_by_configuration_alone(shared: Path, official: Catalogue, request: pytest.FixtureRequest) -> None:
    """FIM S00000121 with its official form, found beside the project: message and provenance are the reviewed ones."""
    route = HERE.parents[1] / "config/dienste/blauekarte/route.toml"
    (one,) = parse_routes(route.read_text(encoding="utf-8")).routes
    files = _configured(one, route.parent, shared)
    for case in cases_in(HERE / "amtlich/blauekarte"):
        kontext = Kontext(case.kontext.key, "musterstadt", case.kontext.received_at, settings=one.settings, files=files)
        ausgabe = _demand_sound(case.antrag, kontext, official, entries_of_xml(case.antrag.tree))
        published = shared / "schemas/fim-xfall/xdf3-1.01/xsd/blauekarte_S00000121_xfall.xsd"
        compiled = compile_schema({published.name: published.read_bytes()}, published.name, where=published.name)
        herkunft = [f"{o.target} <- {o.kind} {o.source}".rstrip() for o in ausgabe.herkunft]

        assert [] == list(problems(case.antrag.tree, compiled))
        assert (case.folder / "expected/nachricht.xml").read_bytes() == ausgabe.nachricht
        assert (case.folder / "expected/herkunft.txt").read_text(encoding="utf-8").splitlines() == herkunft


@pytest.mark.parametrize("version", ["3.1.0", "3.0.0"])
def test_shapes_are_regenerated(version: str, schemas_folder: Path, shared: Path) -> None:
    """Both shapes are a function of the installed package and the golden messages, and hold nothing else."""
    messages = sorted(HERE.glob("golden/*/expected/nachricht.xml"))
    emitted = {path for message in messages for path in paths_of(parse(message.read_bytes()))}
    package = f"xdomea@{version}"
    schema = xmlschema.XMLSchema(str(schemas_folder / package / "files/xsd/xdomea.xsd"))
    sha256 = read_lock(schemas_folder)[package].sha256
    made = shape_of(schema, emitted, standard=f"xdomea {version}", package=package, sha256=sha256)
    name = "shape.toml" if version == "3.1.0" else f"shape-{version}.toml"

    assert (HERE / name).read_text(encoding="utf-8") == made


def test_the_readme_lists_every_rule_and_setting() -> None:
    """Rules named in capitals in the code, and all settings, are explained in the README."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    rules = {
        rule for path in HERE.glob("*.py") for rule in re.findall(r'rule\(\s*"([A-Z-]{4,})"', path.read_text("utf-8"))
    }
    settings = set(MAPPING.settings_type.__dataclass_fields__)

    assert len(rules) >= 3
    assert [] == sorted(one for one in rules | settings if f"`{one}`" not in readme)


def test_goldens_cover_every_service() -> None:
    """Every example service that needs nothing official has a golden case of its own."""
    cases = [tomllib.loads(path.read_text(encoding="utf-8")) for path in HERE.glob("golden/*/case.toml")]
    tested = {Path(case["route"]).parent.name for case in cases if "route" in case}

    assert {path.parent.name for path in SERVICES} - {"blauekarte"} == tested


def test_an_undescribed_field_is_shown_and_found(shared: Path) -> None:
    """One field more than the form knows: shown with its place, and the rest as before."""
    case = next(one for one in cases_in(HERE / "golden") if one.name == "01-hundeanmeldung")
    data = case.antrag.payload.content.read().replace(
        b"</S990", b"<F99000009999V1.0.0>Zusatz</F99000009999V1.0.0></S990", 1
    )
    ausgabe = MAPPING.map(antrag_of(data), case.kontext)
    before = run(MAPPING, case).ausgabe
    assert before is not None

    assert "Nicht im Formular beschrieben" in _page(ausgabe)
    assert "/S99000000101V1.0.0/F99000009999V1.0.0" in _page(ausgabe)
    assert "Nicht im Formular beschrieben" not in _page(before)


@pytest.mark.parametrize(
    ("muster", "expected"),
    [
        ("Hund {F99000000101} ({F99000000105})", "Hund Waldi, Bella (276098102345678)"),
        ("Hund {F99000000104} – {F99000000110}", "Hund 02.03.2024 – Muster Versicherung AG"),
        ("{F99000000777} – Hund ({F99000000777}) – {F99000000777}", "Hund"),
        ("Hund – {F99000000777} – {F99000000103}", "Hund – Rüde, Hündin"),
        ("{F99000000777}", "Anmeldung eines Hundes zur Hundesteuer"),
        ("{jahr}-{monat}-{tag} {vorgang} {formular}", "2026-05-01 f1a00001 Anmeldung eines Hundes zur Hundesteuer"),
        ("x" * 300, "x" * 249 + "…"),
    ],
)
def test_a_betreff_has_no_gaps(muster: str, expected: str) -> None:
    """Empty fields leave no dash, blank or bracket; several values stand side by side; long ones end visibly."""
    case = load_case(HERE / "golden/01-hundeanmeldung")
    settings = dict(case.kontext.settings) | {"betreff": muster}
    ausgabe = MAPPING.map(case.antrag, dataclasses.replace(case.kontext, settings=settings))

    assert f"<xdomea:Betreff>{expected}</xdomea:Betreff>" in ausgabe.nachricht.decode()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *((name, " ") for name in ("aktenplan", "aktenzeichen", "betreff", "dokumenttyp", "frist_text")),
        *((name, "a\nb") for name in ("aktenplan", "vorgangstyp", "absender", "empfaenger")),
        *(("frist_tage", value) for value in ("0", "3661", "-1", "1.5", "bald", "９", "9" * 5000)),
        *(("aufbewahrung_jahre", value) for value in ("0", "1000", "ewig")),
        *(("aktenzeichen", value) for value in ("{formular}", "{F99000000101}", "{}")),
        *(("betreff", value) for value in ("{}", "{F1 F2}", "{/F1}")),
        *(("suchbegriffe", value) for value in ("F99000000101", "=F99000000101", "Name=", "a=b c", "a\tb=F1")),
        *(("xdomea", value) for value in ("3.2.0", "")),
        ("darstellung", "docx"),
        ("hilfetexte", "ja"),
        ("unbekannt", "x"),
    ],
)
def test_settings_that_nobody_can_use_wait_for_the_operator(setting: str, value: str) -> None:
    """Each is told before anything is made, by lint and by the Nachricht that waits."""
    case = load_case(HERE / "golden/01-hundeanmeldung")
    settings = dict(case.kontext.settings) | {setting: value}

    with pytest.raises(Misconfigured) as caught:
        MAPPING.map(case.antrag, dataclasses.replace(case.kontext, settings=settings))

    assert "mapping.setting.invalid" == caught.value.code
    assert caught.value.findings


# WeasyPrint leaves its colour profile to the garbage collector, which closes it.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_document_in_two_formats(shared: Path, official: Catalogue) -> None:
    """With `beide` the readable Dokument has PDF/A first and HTML behind it; the same bytes again."""
    if pdf_missing():
        pytest.skip(pdf_missing())
    case = load_case(HERE / "golden/06-fuehrerschein")
    kontext = dataclasses.replace(case.kontext, settings=dict(case.kontext.settings) | {"darstellung": "beide"})
    ausgabe = _demand_sound(case.antrag, kontext, official, entries_of_xml(case.antrag.tree))
    first, second = ausgabe.dokumente[:2]
    codes = re.findall(r"dateiformat[^>]*>\s*<code>([0-9]+)</code>", ausgabe.nachricht.decode())

    assert ("application/pdf", "text/html") == (first.media_type, second.media_type)
    assert ["044", "008"] == codes[:2]
    assert first.content.read().startswith(b"%PDF-1.7")


def test_a_page_of_hundreds_of_sheets_stays_html() -> None:
    """What would take a worker minutes to set is filed as HTML, and the message says so."""
    case = load_case(HERE / "golden/02-baumfaellgenehmigung")
    data = case.antrag.payload.content.read().replace(b"Einfahrt", b"Einfahrt " * 30_000)
    kontext = dataclasses.replace(case.kontext, settings=dict(case.kontext.settings) | {"darstellung": "pdf"})
    ausgabe = MAPPING.map(antrag_of(data, case.antrag.attachments), kontext)

    assert "text/html" == ausgabe.dokumente[0].media_type
    assert "application/pdf" not in {one.media_type for one in ausgabe.dokumente}


def _configured(route: Route, folder: Path, shared: Path) -> dict[str, bytes]:
    """The files of an example route; what an operator downloads from FIM is taken from the shared material."""
    files: dict[str, bytes] = {}
    for name, named in route.files.items():
        path = folder / named
        if named.startswith("amtlich"):
            path = shared / "schemas/xdatenfelder" / FIM["blauekarte"][0]
        for inside in sorted(path.iterdir()) if path.is_dir() else [path]:
            files[f"{name}/{inside.name}" if path.is_dir() else name] = inside.read_bytes()
    return files


def _demand_xdatenfelder(form: bytes, standard: str, shared: Path) -> None:
    folder = shared / "schemas/xdatenfelder" / standard / "xsd"
    documents = {path.name: path.read_bytes() for path in folder.glob("*.xsd")}
    documents = {
        name: re.sub(rb'schemaLocation="[^"]*/', b'schemaLocation="', data) for name, data in documents.items()
    }
    compiled = compile_schema(documents, "xdatenfelder.xsd", where=standard)

    assert [] == [str(one) for one in problems(parse(form), compiled)]
