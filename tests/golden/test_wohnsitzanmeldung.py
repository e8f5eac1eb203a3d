"""The mapping wohnsitzanmeldung: generated applications, its tables and lists, and what XInneres asks of a header."""

from __future__ import annotations

import random
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import xmlschema

from connectors.ordner.connector import CONNECTOR, OrdnerSettings
from intermediary.cli.mapping import shape_text
from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.ports import Delivered, Kontext
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Ausgabe, MemoryContent, Part, Zustellauftrag
from intermediary.mapping.codes import code_table, rows_of
from intermediary.testing.generate import Generator
from intermediary.testing.golden import antrag_of, load_case, run
from intermediary.testing.proof import prove
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.walkable import walkable
from intermediary.xml.parser import parse
from mappings.wohnsitzanmeldung.mapping import HERE, MAPPING

SEED = 20261121
TAME, WILD = 150, 50
XMELD = "{http://www.osci.de/xmeld2511a}"
SETTINGS = dict(load_case(HERE / "golden/02-familie").kontext.settings)
LISTS = "schemas/xwasser/1.0.0/codelisten"
CITIZENSHIPS = "DESTATIS Staatsangehörigkeit_2024-08-01.xml"
GENDERS = "XInneres Geschlecht_1.xml"

NAMES = ("Müller", "Đorđević", "M̂ustafa", "O'Brien", "Ñandú-Öz", "de la Fuente", "A" * 120, "Mu\u0308ller")
WORDS = ("Musterweg", "Straße des 17. Juni", "4. Etage links", "]]> <b>&amp;</b>", "Zeile 1\nZeile 2", "x" * 120)
DAYS = ("1985-08-12", "2000-02-29", "1980-05-00", "1980-00-00", "0000-00-00")
PATTERNED = {  # values that a walker does not find by drawing letters
    "geburtsdatum": (*DAYS, "1985-02-30", "1985-00-01", "2031-01-01"),
    "beginn": (*DAYS, "2020-13-00"),
    "gueltigBis": ("2031-02-28", "9999-12-31"),
    "ausgestelltAm": ("2021-03-01", "0001-01-01"),
    "einzugsdatum": ("2026-01-01", "2025-12-31", "2024-02-29"),
    "auszugsdatum": ("2026-01-01", "2025-12-31"),
    "identifikationsnummer": ("12345678901",),
    "staatsangehoerigkeit": ("000", "129", "997", "000", "000", "777"),
    "schluessel": ("05334002", "05334004", "000", "rk", "--"),
    "listenversion": ("2", "2024-08-01", "2026-04-30"),
    "postleitzahl": ("52062", "01067"),
    "hausnummer": ("1", "0012", "9999"),
    "hausnummerzusatz": ("a", "1/2", "b.", "zz 9"),
    "stockwerk": ("EG", "2.OG", "12"),
    "wohnungsgeberbestaetigung": ("b.pdf", "b.pdf", "fehlt.pdf"),
}
PEACE = PATTERNED | {
    "geburtsdatum": DAYS * 6 + ("1985-02-30",),
    "beginn": DAYS,
    "staatsangehoerigkeit": ("000", "129", "997"),
    "stand": ("VH",),
    "art": ("EG", "01", "09", "15"),
    "nurPartnerZugeordnet": ("false",) * 9 + ("true",),
    "wohnungsgeberbestaetigung": ("b.pdf", "ordner/b.pdf"),
    "bemerkung": (*WORDS, *NAMES),
}
TEXTS = (
    *("familienname", "vornamen", "rufname", "ehename", "lebenspartnerschaftsname", "geburtsname"),
    *("fruehererFamilienname", "doktorgrad", "ordensname", "kuenstlername", "geburtsort", "ort", "behoerde"),
    *("seriennummer", "strasse", "teilnummer", "fruehererGemeindename", "wohnungsinhaber", "zusatz", "zeile", "name"),
    "eigentuemer",
)


@pytest.fixture(scope="module")
def payloads(inputs: Catalogue) -> list[bytes]:
    """Applications as people might send them, and others with letters that no register holds."""
    schema = xmlschema.XMLSchema(str(HERE / "schema/wohnsitzanmeldung.xsd"))
    tame = dict.fromkeys(TEXTS, (*NAMES, *WORDS)) | PEACE

    def generator(likely: dict[str, tuple[str, ...]], seed: int, share: float) -> Generator:
        return Generator(
            schema,
            "wohnsitzanmeldung",
            random.Random(seed),
            accepts=lambda document: inputs.validate(parse(document)).is_valid,
            likely=likely,
            share=share,
            rare=("ausland",),
        )

    calm, wild = generator(tame, SEED, 1.0), generator(PATTERNED, SEED + 1, 1.0)
    return [calm.document() for _ in range(TAME)] + [wild.document() for _ in range(WILD)]


@pytest.mark.soak
def test_generated_inputs_differ(payloads: list[bytes]) -> None:
    """No two applications are equal, and together they use every element the form knows."""
    used = {str(element.tag).rpartition("}")[2] for payload in payloads for element in parse(payload).iter()}
    schema = parse((HERE / "schema/wohnsitzanmeldung.xsd").read_bytes())
    declared = {str(one.get("name")) for one in schema.iter("{http://www.w3.org/2001/XMLSchema}element")}

    assert TAME + WILD == len(set(payloads))
    assert declared == used


@pytest.mark.soak
def test_generated_inputs_give_valid_output_or_documented_refusals(
    payloads: list[bytes], shared: Path, official: Catalogue
) -> None:
    """Every output is officially valid, has all origins, reads all fields and repeats; every refusal is in the README."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    draw = random.Random(SEED)
    seen: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    for number, payload in enumerate(payloads):
        attachments = _attachments(draw)
        proof = prove(MAPPING, antrag_of(payload, attachments), _kontext(number), official)
        seen[type(proof.outcome).__name__] += 1
        rules.update(proof.rules)

        assert () == proof.flaws
        assert not isinstance(proof.outcome, Ausgabe) or () == proof.outcome.unread

    assert [] == [rule for rule in rules if f"`{rule}`" not in readme]
    assert TAME + WILD == sum(seen.values())
    assert min(seen["Ausgabe"], seen["Rejected"]) >= 50
    assert len(rules) >= 8


def test_the_readme_lists_the_rules_that_refuse() -> None:
    """The rules that refuse, as the code has them, are those the README's table of refusals lists."""
    code = (HERE / "regeln.py").read_text(encoding="utf-8")
    readme = (HERE / "README.md").read_text(encoding="utf-8").partition("## Ablehnungen")[2].partition("\n## ")[0]

    assert set(re.findall(r'rule="([A-Z0-9-]+)"', code)) == set(re.findall(r"^\| `([A-Z0-9-]+)`", readme, re.MULTILINE))


def test_shape_is_regenerated(schemas_folder: Path, shared: Path) -> None:
    """shape.toml is a function of the installed packages and the golden messages, and holds nothing else."""
    assert (HERE / "shape.toml").read_text(encoding="utf-8") == shape_text(MAPPING.standard, HERE, schemas_folder)


def test_citizenships_are_regenerated(shared: Path) -> None:
    """staatsangehoerigkeit.toml is a function of the code list it names."""
    codelist = parse((shared / LISTS / CITIZENSHIPS).read_bytes())
    column = "DESTATIS-Schluessel-Staatsangehoerigkeit"
    made = code_table("staatsangehoerigkeit", codelist, key_column=column, value_column="Suchbegriff")

    assert (HERE / "staatsangehoerigkeit.toml").read_text(encoding="utf-8") == made


def test_closed_lists_of_the_form_are_the_official_ones(schemas_folder: Path, shared: Path) -> None:
    """Each enumeration of the input schema has the codes of the list it names, in the version the message names."""
    packages = Catalogue.open(schemas_folder).packages
    xmeld = walkable(packages, packages["xmeld@25.11a"], "xinneres.xmeld.xsd")
    own = xmlschema.XMLSchema(str(HERE / "schema/wohnsitzanmeldung.xsd")).types
    genders = {row["code"] for row in rows_of(parse((shared / LISTS / GENDERS).read_bytes()))}

    assert genders == set(own["Geschlecht"].enumeration)
    for name, official in (
        ("Stand", "Code.Familienstand"),
        ("Partnerschaft", "Code.Ehegatte.oder.Lebenspartner"),
        ("Ausweisart", "Code.Pass.und.Ausweisdokumente"),
        ("Wohnungsstatus", "Code.Wohnungsstatus"),
    ):
        assert _codes_of(xmeld.types[official]) == set(own[name].enumeration), name
    assert {"2", "5", "7", "10", "13"} == set(own["Uebermittlungssperre"].enumeration)
    assert _codes_of(xmeld.types["Code.Auskunftssperre"]) > {"2", "5", "7", "10", "13"}


def test_header_follows_xinneres() -> None:
    """Milliseconds and zone in the moment, an author with channel and address, children without namespace."""
    tree = _tree("02-familie")
    head = tree.find("nachrichtenkopf.g2g")
    moment = head.findtext("identifikation.nachricht/erstellungszeitpunkt")

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", moment)
    assert head.findtext("autor/erreichbarkeit/kennung")
    assert tree.findtext("anschrift.autor/gebaeude/strasse")
    assert [f"{XMELD}identifikation", f"{XMELD}berechtigtePerson"] == [child.tag for child in tree[2:4]]
    assert "1704" == head.findtext("identifikation.nachricht/nachrichtentyp/code")


def test_a_new_revision_is_another_message() -> None:
    """A corrected output has another nachrichtenUUID and file name; a repeated one has the same."""
    case = load_case(HERE / "golden/01-alleinstehend")
    payload = case.antrag.payload.content.read()
    first, again, second = (_map(payload, (), 1, revision=revision) for revision in (0, 0, 1))
    assert isinstance(first, Ausgabe)
    assert isinstance(again, Ausgabe)
    assert isinstance(second, Ausgabe)

    assert first.nachricht == again.nachricht
    assert _uuid(first) != _uuid(second)
    assert first.package.file_name.startswith(_uuid(first))
    assert first.package.file_name != second.package.file_name


@pytest.mark.parametrize(
    ("attribute", "is_test", "expected"),
    [
        ("", False, None),
        ("", True, "Testnachricht"),
        (' test=""', False, "Testnachricht"),
        (' test="false"', False, "false"),
        (' test="Mu&#x308;ller"', False, "Müller"),
        (' test="&#x1f697;"', False, "Testnachricht"),
        (' test="Abnahme"', True, "Abnahme"),
    ],
)
def test_a_test_stays_a_test(attribute: str, is_test: bool, expected: str | None) -> None:
    """Any test attribute of the form, and any test route, marks the message; nothing else does."""
    plain = load_case(HERE / "golden/01-alleinstehend").antrag.payload.content.read()
    payload = plain.replace(b':1">', f':1"{attribute}>'.encode(), 1)
    outcome = _map(payload, (), 1, is_test=is_test)
    assert isinstance(outcome, Ausgabe)

    assert expected == parse(outcome.nachricht).get("test")


def test_the_connector_ordner_hands_over_one_file(tmp_path: Path) -> None:
    """Bare message and ZIP each appear in the drop under the name of the package, with its bytes."""
    for name in ("01-alleinstehend", "07-zip"):
        folders = {folder: tmp_path / name / folder for folder in ("drop", "state")}
        for folder in folders.values():
            folder.mkdir(parents=True)
        ausgabe = run(MAPPING, load_case(HERE / "golden" / name)).ausgabe
        assert ausgabe is not None
        auftrag = Zustellauftrag(
            "n", "melde", "d0000000-0000-4000-8000-000000000000", 1, "musterstadt", ausgabe.package, ausgabe.dokumente
        )
        delivered = CONNECTOR.build(OrdnerSettings(**folders), tmp_path).deliver(
            auftrag, Checkpoints(), datetime(2026, 1, 1, tzinfo=UTC)
        )

        assert isinstance(delivered, Delivered)
        assert {ausgabe.package.file_name: ausgabe.package.content.read()} == {
            path.name: path.read_bytes() for path in folders["drop"].iterdir()
        }


def test_a_confirmation_over_the_limit_is_refused() -> None:
    """A PDF that would not fit into a message is refused by its length alone; it is not read."""
    case = load_case(HERE / "golden/07-zip")

    class Huge(MemoryContent):
        length = 10 * 1024 * 1024 + 1

        def open(self) -> Any:
            raise AssertionError

        def read(self) -> Any:
            raise AssertionError

    outcome = _map(case.antrag.payload.content.read(), (Part("b.pdf", "", "attachment", Huge(b"")),), 1)
    assert isinstance(outcome, Rejected)

    assert ["BESTAETIGUNG-ZU-GROSS"] == [one.rule for one in outcome.findings]


def test_settings_that_no_message_can_hold_are_refused() -> None:
    """Characters that DIN 91379 lacks, and what is no key or number, are the operator's to heal."""
    for name, value in (
        *(("leser_kennung", value) for value in ("", "05334002", "ags:", "AGS:1")),
        *(("autor_name", value) for value in ("", " ", "\U0001f697")),
        *(("autor_postleitzahl", value) for value in ("1", "5206a", "５２０６２")),
        *(("gemeinden", value) for value in ("1", "05334002;05334004", "05334002,")),
        ("autor_hausnummer", "3a"),
        ("leser_name", "\x01"),
        ("paket", "tar"),
    ):
        assert "mapping.setting.invalid" == _fault_of(SETTINGS | {name: value}), name


def _fault_of(settings: dict[str, str]) -> str:
    case = load_case(HERE / "golden/01-alleinstehend")
    kontext = Kontext(case.kontext.key, "musterstadt", case.kontext.received_at, settings=settings)
    with pytest.raises(Misconfigured) as caught:
        MAPPING.map(case.antrag, kontext)
    return caught.value.code


def _tree(name: str) -> Any:
    return parse((HERE / "golden" / name / "expected/nachricht.xml").read_bytes())


def _uuid(ausgabe: Ausgabe) -> str:
    return str(parse(ausgabe.nachricht).findtext("nachrichtenkopf.g2g/identifikation.nachricht/nachrichtenUUID"))


def _codes_of(kind: Any) -> set[str]:
    (code,) = (element for element in kind.content.iter_elements() if element.local_name == "code")
    return set(code.type.enumeration)


def _map(
    payload: bytes, attachments: tuple[Part, ...], number: int, *, revision: int = 0, is_test: bool = False
) -> Ausgabe | Rejected:
    try:
        return MAPPING.map(antrag_of(payload, attachments), _kontext(number, revision=revision, is_test=is_test))
    except Rejected as refusal:
        return refusal


def _kontext(number: int, *, revision: int = 0, is_test: bool = False) -> Kontext:
    return Kontext(
        key=f"c{number:07x}-0000-4000-8000-000000000000",
        mandant="musterstadt",
        received_at=datetime(2026, 5, 4, tzinfo=UTC) + timedelta(hours=47 * number, milliseconds=number),
        revision=revision,
        settings=SETTINGS | {"paket": ("nachricht", "zip")[number % 2]},
        is_test=is_test,
    )


def _attachments(draw: random.Random) -> tuple[Part, ...]:
    """The confirmation most of the time, sometimes not as a PDF, among other files."""
    return tuple(_parts(draw))


def _parts(draw: random.Random) -> Iterator[Part]:
    if draw.random() < 0.95:
        head = b"%PDF-1.7\n" if draw.random() < 0.95 else b"GIF89a"
        yield Part("a\\b.pdf", "application/pdf", "attachment", MemoryContent(head + draw.randbytes(99)))
    for _ in range(draw.randint(0, 2)):
        name = draw.choice(("Scan 1.pdf", "", "..\\..\\x", "a\u0000b.pdf"))
        media_type = draw.choice(("application/pdf", "", "no type\n", "image/png; q=1"))
        yield Part(name, media_type, "attachment", MemoryContent(draw.randbytes(draw.randint(0, 99))))


def test_shape_has_only_what_is_emitted() -> None:
    """Every element of the shape occurs in a golden message."""
    shape = tomllib.loads((HERE / "shape.toml").read_text(encoding="utf-8"))
    known = {child["name"] for kind in shape["complex"].values() for child in kind.get("child", ())}
    used = {
        str(element.tag).rpartition("}")[2]
        for message in HERE.glob("golden/*/expected/nachricht.xml")
        for element in parse(message.read_bytes()).iter()
    }

    assert known <= used
