"""The mapping bauantrag: generated applications, its tables and lists, its package, and where every field goes."""

from __future__ import annotations

import hashlib
import random
import re
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import xmlschema

from connectors.ordner.connector import CONNECTOR, OrdnerSettings
from intermediary.cli.mapping import shape_text
from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.ports import Delivered, Kontext
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Ausgabe, MemoryContent, Part, Zustellauftrag
from intermediary.mapping.codes import code_table
from intermediary.mapping.schema_labels import labels_of_schema
from intermediary.testing.generate import Generator
from intermediary.testing.golden import antrag_of, load_case, run, without_origin
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import parse
from mappings.bauantrag import codelisten
from mappings.bauantrag.mapping import HERE, MAPPING

SEED = 20261121
TAME, WILD = 150, 50
XBAU = "{http://www.xleitstelle.de/xbau/schema/2/1/}"
XSD = "{http://www.w3.org/2001/XMLSchema}"
KEY = "c0000001-0000-4000-8000-000000000000"
README = (HERE / "README.md").read_text(encoding="utf-8")
SCHEMA = HERE / "schema/bauantrag.xsd"
SETTINGS = {"behoerdenkennung": "bab:05315000", "behoerdenname": "Bauaufsichtsamt", "schluesselversion": "1"}
MEDIA_TYPES = (
    "application/pdf",
    "image/jpeg",
    "application/x-unheard-of",
    "",
    "Text/Plain; charset=utf-8",
    "no type\n",
)

NAMES = ("Müller", "Đorđević", "M̂ustafa", "O’Brien", "Ñandú-Öz", "de la Fuente", "Mu\u0308ller", "A" * 80)
WORDS = ("Musterweg", "Straße des 17. Juni", "Haus „Nord“ – 2. OG", "]]> <b>&amp;</b>", "Zeile 1\nZeile 2", "x\u00a0y…")
LIKELY = {
    "antragskennung": (KEY, KEY.upper()),
    "gemeindeschluessel": ("05315000", "16051000", "01001000") * 20 + ("99000000",),
    "verfahren": ("01", "02") * 20 + ("03",),
    "nutzung": tuple(codelisten.NUTZUNG.rows) + ("0000",) * 10,
    "gebaeudeklasse": ("1", "2", "3", "4", "5"),
    "massnahme": ("2", "3", "4", "5") * 2 + ("1",),
    "postleitzahl": ("12345", "01067"),
    "stand": ("2026-01-01", "1900-01-01", "2199-12-31"),
    "datei": ("Lageplan.pdf", "Ansicht\u00a0Nord.pdf", "Mu\u0308ller.dwg", "a/b/../c.pdf"),
}
# What a form sends that XBau 2.1 has no place for; the README says so, and the summary shows it.
NUR_ZUSAMMENFASSUNG = {
    *("antragsnummer", "antragsdatum", "verfahren", "bezugVorbescheid", "rechtsform", "register", "kammername"),
    *("grundstuecksflaeche", "beschreibung", "grundflaechenzahl", "geschossflaechenzahl", "herstellungskosten"),
    *("rohbaukosten", "baubeginn", "datenschutz", "richtigkeit", "elektronischerBescheid", "eigentuemerStimmenZu"),
    *("nachbarnBeteiligt", "bemerkung", "datei"),
}


@pytest.fixture(scope="module")
def payloads(inputs: Catalogue) -> list[bytes]:
    """Applications as people might send them, and others with letters that no building authority can read."""
    schema = xmlschema.XMLSchema(str(SCHEMA))
    texts = [
        str(one.get("name"))
        for one in parse(SCHEMA.read_bytes()).iter(f"{XSD}element")
        if one.get("type") in ("Kurztext", "Zeile", "Langtext")
    ]
    tame = dict.fromkeys(texts, (*NAMES, *WORDS)) | LIKELY

    def generator(seed: int, share: float) -> Generator:
        return Generator(
            schema,
            "bauantrag",
            random.Random(seed),
            accepts=lambda document: inputs.validate(parse(document)).is_valid,
            likely=tame,
            share=share,
        )

    calm, wild = generator(SEED, 1.0), generator(SEED + 1, 0.8)
    return [calm.document() for _ in range(TAME)] + [wild.document() for _ in range(WILD)]


@pytest.mark.soak
def test_generated_inputs_differ(payloads: list[bytes]) -> None:
    """No two applications are equal, and together they use every element the form knows."""
    used = {_local(element) for payload in payloads for element in parse(payload).iter()}

    assert TAME + WILD == len(set(payloads))
    assert _declared() == used


@pytest.mark.soak
def test_generated_inputs_give_valid_output_or_documented_refusals(
    payloads: list[bytes], shared: Path, official: Catalogue
) -> None:
    """Every output is officially valid, has all origins and repeats; every refusal names rules of the README."""
    draw = random.Random(SEED)
    seen: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    unread = NUR_ZUSAMMENFASSUNG | {"berufsbezeichnung", "erreichbar", "kennzahlen"}  # last two: groups sent empty
    for number, payload in enumerate(payloads):
        attachments = _attachments(payload, draw)
        outcome, again = (_map(payload, attachments, number) for _ in range(2))
        seen[type(outcome).__name__] += 1
        if isinstance(outcome, Rejected):
            assert isinstance(again, Rejected)
            assert outcome.findings == again.findings
            assert outcome.code in CATALOGUE
            rules.update({one.rule for one in outcome.findings})
            continue
        assert isinstance(again, Ausgabe)
        assert outcome.package.content.read() == again.package.content.read()
        assert outcome.herkunft == again.herkunft
        assert () == official.validate(parse(outcome.nachricht)).findings
        assert [] == without_origin(outcome)
        assert payload == outcome.dokumente[1].content.read()
        assert {_last(path) for path in outcome.unread} <= unread
        assert _named(outcome) <= {one.file_name for one in outcome.dokumente[2:]}

    assert TAME + WILD == sum(seen.values())
    assert min(seen["Ausgabe"], seen["Rejected"]) >= 50
    assert set(rules) == _refusals() - {"required", "type"}


def test_every_field_is_in_the_message_or_named_as_left_out() -> None:
    """What the form asks is carried into XBau or listed as only in the summary; nothing is forgotten."""
    carried = {
        _last(path)
        for name in ("02-alle-angaben", "04-sonstige-anlage", "06-eine-datei-zwei-unterlagen")
        for origin in _accepted(name).herkunft
        for path in re.findall(r"/bauantrag/[^,()]*", origin.source)
    }
    fields = _declared() - set(MAPPING._labels.groups or ())

    assert fields - carried == NUR_ZUSAMMENFASSUNG
    assert set() == carried & NUR_ZUSAMMENFASSUNG


def test_the_readme_knows_every_rule() -> None:
    """Rules that refuse are the table's, and every rule a Herkunft names is explained."""
    code = (HERE / "regeln.py").read_text(encoding="utf-8")
    named = {
        rule
        for case in sorted((HERE / "golden").glob("*/expected/herkunft.json"))
        for rule in re.findall(r"(?:rule |\()([A-Z]{2}[A-Z-]+)", case.read_text(encoding="utf-8"))
    }

    assert set(re.findall(r'rule="([A-Z-]+)"', code)) == _refusals() - {"required", "type"}
    assert len(named) >= 10
    assert [] == [rule for rule in sorted(named) if f"`{rule}`" not in README]


def test_tables_are_regenerated(shared: Path) -> None:
    """Each table is a function of the list it names; the labels are one of the schema of the form."""
    lists = shared / "schemas"
    for name, path, key, value, table in (
        (
            "bauwerkszuordnung",
            "xbau/2.1/codelisten/Bauwerkszuordnungskatalog.xml",
            "SCHLUESSEL",
            "Bezeichnung",
            "nutzung",
        ),
        ("bundesland", "xwasser/1.0.0/codelisten/Bundesland_2010-04-01.xml", "SCHLUESSEL", "Bezeichnung", "bundesland"),
        ("dvdv-praefix", "xwasser/1.0.0/codelisten/DVDV.Praefixe_51.xml", "praefix", "behoerdenkategorie", "praefix"),
    ):
        made = code_table(name, parse((lists / path).read_bytes()), key_column=key, value_column=value)
        assert (HERE / f"{table}.toml").read_text(encoding="utf-8") == made, table
    schema = SCHEMA.read_bytes()
    labels = labels_of_schema(parse(schema), sha256=hashlib.sha256(schema).hexdigest())

    assert (HERE / "labels.toml").read_text(encoding="utf-8") == labels


def test_shape_is_regenerated(schemas_folder: Path, shared: Path) -> None:
    """shape.toml is a function of the installed packages and the golden messages, and holds nothing else."""
    assert (HERE / "shape.toml").read_text(encoding="utf-8") == shape_text(MAPPING.standard, HERE, schemas_folder)


def test_codes_of_the_form_are_those_of_the_lists() -> None:
    """A code list of the form has exactly the codes that the message takes, so a code may pass as it was sent."""
    own = xmlschema.XMLSchema(str(SCHEMA)).types
    for name, official in (
        ("ArtDerMassnahme", "Baumassnahme"),
        ("Gebaeudeklasse", "MboGebaeudeklasse"),
        ("Sonderbau", "Sonderbauten"),
        ("Garage", "Garagentyp"),
        ("Bauweise", "Bauweise"),
        ("Berufsbezeichnung", "BauvorlageberechtigungSachverhalt"),
        ("ArtDerAbweichung", "AbweichungArt"),
        ("Bauvorlage", "VorlagenBauantragBauvorhaben"),
        ("Nachweis", "VorlagenBauantragBearbeitung"),
    ):
        expected = set(MAPPING._shape.simple_types[f"Codelist.{official}"].enumeration)
        assert expected == set(own[name].enumeration), name


def test_a_new_revision_is_another_message_of_the_same_application() -> None:
    """nachrichtenUUID and file name follow the revision; the reference of the Antrag and the attachments do not."""
    case = load_case(HERE / "golden/01-einfamilienhaus")
    payload = case.antrag.payload.content.read()
    first, again, second = (_mapped(payload, case.antrag.attachments, 1, revision=revision) for revision in (0, 0, 1))

    assert first.nachricht == again.nachricht
    assert _uuid(first) != _uuid(second)
    assert [f"{_uuid(one)}_baugenehmigung.antrag.0200.zip" for one in (first, second)] == [
        first.package.file_name,
        second.package.file_name,
    ]
    assert _reference(first) == _reference(second)
    assert [one.file_name for one in first.dokumente] == [one.file_name for one in second.dokumente]


def test_all_ids_are_derived() -> None:
    """Every UUID of the message that the sender did not give is a version 5 of the Nachricht's key and a place."""
    ausgabe = _accepted("01-einfamilienhaus")
    ids = re.findall(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", ausgabe.nachricht)

    assert len(ids) >= 4
    assert {5} == {uuid.UUID(one.decode()).version for one in ids}


@pytest.mark.parametrize(
    ("attribute", "is_test"), [("", False), ("", True), (' test=""', False), (' test="false"', False)]
)
def test_a_test_stays_a_test(attribute: str, is_test: bool) -> None:
    """Any test attribute of the form, and any test route, marks the message; nothing else does."""
    case = load_case(HERE / "golden/01-einfamilienhaus")
    payload = case.antrag.payload.content.read().replace(b':1">', f':1"{attribute}>'.encode(), 1)
    ausgabe = _mapped(payload, case.antrag.attachments, 1, is_test=is_test)

    expected = "Testnachricht" if attribute or is_test else None
    assert expected == parse(ausgabe.nachricht).get("test")


@pytest.mark.parametrize(
    "change",
    [
        {"behoerdenkennung": ""},
        {"behoerdenkennung": "05315000"},
        {"behoerdenkennung": "bab:"},
        {"behoerdenkennung": "bab:0531 5000"},
        {"behoerdenkennung": "BAB:05315000"},
        {"behoerdenkennung": "bab:0531\U0001f697"},
        {"behoerdenname": "  "},
        {"behoerdenname": "\x01"},
        {"schluesselversion": ""},
        {"schluesselversion": "1\n"},
        {"verantwortlich": "Δήμος"},
        {"unbekannt": "x"},
    ],
    ids=str,
)
def test_settings_that_no_message_can_hold_wait_for_the_operator(change: dict[str, str]) -> None:
    """A setting XBau cannot carry is the operator's to heal, before anything is said about the Antrag."""
    case = load_case(HERE / "golden/09-alle-befunde")
    kontext = Kontext(KEY, "musterstadt", case.kontext.received_at, settings=SETTINGS | change)
    with pytest.raises(Misconfigured) as caught:
        MAPPING.map(case.antrag, kontext)

    assert "mapping.setting.invalid" == caught.value.code


def test_the_connector_ordner_hands_over_one_file(tmp_path: Path) -> None:
    """The package appears in the drop under its own name, with its bytes."""
    folders = {name: tmp_path / name for name in ("drop", "state")}
    for folder in folders.values():
        folder.mkdir()
    ausgabe = _accepted("02-alle-angaben")
    auftrag = Zustellauftrag("n", "bauaufsicht", KEY, 1, "musterstadt", ausgabe.package, ausgabe.dokumente)
    delivered = CONNECTOR.build(OrdnerSettings(**folders), tmp_path).deliver(
        auftrag, Checkpoints(), datetime(2026, 1, 1, tzinfo=UTC)
    )

    assert isinstance(delivered, Delivered)
    assert {ausgabe.package.file_name: ausgabe.package.content.read()} == {
        path.name: path.read_bytes() for path in folders["drop"].iterdir()
    }


def _accepted(name: str) -> Ausgabe:
    ausgabe = run(MAPPING, load_case(HERE / "golden" / name)).ausgabe
    assert ausgabe is not None
    return ausgabe


def _mapped(
    payload: bytes, attachments: tuple[Part, ...], number: int, *, revision: int = 0, is_test: bool = False
) -> Ausgabe:
    outcome = _map(payload, attachments, number, revision=revision, is_test=is_test)
    assert isinstance(outcome, Ausgabe)
    return outcome


def _map(
    payload: bytes, attachments: tuple[Part, ...], number: int, *, revision: int = 0, is_test: bool = False
) -> Ausgabe | Rejected:
    kontext = Kontext(
        key=f"c{number:07x}-0000-4000-8000-000000000000",
        mandant="musterstadt",
        received_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=47 * number, milliseconds=number),
        revision=revision,
        settings=SETTINGS,
        is_test=is_test,
    )
    try:
        return MAPPING.map(antrag_of(payload, attachments), kontext)
    except Rejected as refusal:
        return refusal


def _attachments(payload: bytes, draw: random.Random) -> tuple[Part, ...]:
    """The files the form names, now and then not all of them, or two of one name, and others beside them."""
    names = sorted({str(one.text) for one in parse(payload).iter() if _local(one) == "datei"})
    kept = [name for name in names if draw.random() < 0.97]
    twice = [name for name in names if draw.random() < 0.02]
    others = ["", "..\\..\\x", "ü" * 400][: draw.choice((0, 0, 0, 1, 2, 3))]
    return tuple(
        Part(name, draw.choice(MEDIA_TYPES), "attachment", MemoryContent(draw.randbytes(draw.randint(0, 99))))
        for name in (*kept, *twice, *others)
    )


def _named(ausgabe: Ausgabe) -> set[str | None]:
    return {one.text for one in parse(ausgabe.nachricht).iter(f"{XBAU}dateinameAnhang")}


def _uuid(ausgabe: Ausgabe) -> str:
    path = "nachrichtenkopf.privat2G/identifikation.nachricht/nachrichtenUUID"
    return str(parse(ausgabe.nachricht).findtext(path))


def _reference(ausgabe: Ausgabe) -> str:
    return str(parse(ausgabe.nachricht).findtext(f"{XBAU}referenzAntragsteller/{XBAU}referenzAntragsteller"))


def _refusals() -> set[str]:
    """The rules in the first column of the README's table of refusals."""
    table = README.partition("## Ablehnungen")[2].partition("\n## ")[0]
    return {rule for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for rule in re.findall(r"`([^`]+)`", row)}


def _declared() -> set[str]:
    return {str(one.get("name")) for one in parse(SCHEMA.read_bytes()).iter(f"{XSD}element")}


def _last(path: str) -> str:
    return path.rpartition("/")[2].partition("[")[0]


def _local(element: object) -> str:
    return str(getattr(element, "tag", "")).rpartition("}")[2]
