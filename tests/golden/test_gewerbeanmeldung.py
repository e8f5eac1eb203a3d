"""The mapping gewerbeanmeldung: generated registrations for both targets, published samples, its tables and schemas."""

from __future__ import annotations

import hashlib
import io
import random
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import xmlschema

from intermediary.cli.mapping import shape_text
from intermediary.core.faults import Rejected
from intermediary.core.ports import Kontext
from intermediary.core.values import Ausgabe, MemoryContent, Part
from intermediary.mapping.labels import labels_of
from intermediary.testing.generate import Generator
from intermediary.testing.golden import antrag_of, load_case
from intermediary.testing.proof import prove
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import Element, parse
from intermediary.xml.schema import compile_schema, problems
from mappings.gewerbeanmeldung.mapping import HERE, MAPPING
from tests.golden.test_input_schema import mutated

SEED = 20261122
INPUTS = 200
FORM = "schemas/xdatenfelder/3.0.0/beispiele/gewerbeanmeldung_S00000009_xdf3.xml"
PUBLISHED = "schemas/fim-xfall/xdf3-1.01"
EAKTE = {"aktenplan": "123-01", "aktenzeichen": "123-01/{jahr}/{vorgang}"}
FACHVERFAHREN = {"ausgabe": "fachverfahren"}
WORDS = ("Müller", "Đorđević", "M̂ustafa", "O'Brien <b>&amp;</b>", "]]>", "\u202egpj.exe", "x", "Zeile 1\nZeile 2")
LIKELY = {
    **dict.fromkeys(("F00000000013V1.0.0", "F00000000154V1.0.0", "F00000000150V1.0.0", "F00000000152V1.0.0"), WORDS),
    "F00000000440V1.0.0": ("1", "28", "31", "15", "32"),
    "F00000000441V1.0.0": ("1", "3", "12", "8", "2"),
    "F00000000204V1.0.0": ("1850", "1984", "2025"),
    **dict.fromkeys(("F00000000117V1.0.0", "F00000000121V1.0.0", "F00000000122V1.0.0"), ("0", "1", "40", "+7")),
    **dict.fromkeys(
        ("F00000000004V1.0.0", "F00000000008V1.0.0", "F00000000119V1.0.0"), ("2026-05-04", "2024-02-29Z", "0001-01-01")
    ),
    "F00000000034V1.0.0": ("Radhaus GmbH", "A & B <OHG>"),
}
TYPES = ("application/pdf", "image/jpeg", "application/x-unheard-of", "", "text/plain; charset=utf-8", "no type\n")
NAMES = ("Scan 1.pdf", "", "..\\..\\x", "a\u0000b\u001f.pdf", "\u202egpj.exe", "ü" * 400)


@pytest.fixture(scope="module")
def payloads(inputs: Catalogue) -> list[bytes]:
    """The generated registrations: calm ones, and some with whatever the form's open types allow."""
    schema = xmlschema.XMLSchema(str(HERE / "schema/gewerbeanmeldung.xsd"))

    def generator(seed: int, share: float) -> Generator:
        return Generator(
            schema,
            "S00000000009",
            random.Random(seed),
            accepts=lambda document: inputs.validate(parse(document)).is_valid,
            likely=LIKELY,
            share=share,
        )

    calm, wild = generator(SEED, 0.995), generator(SEED + 1, 0.8)
    return [calm.document() for _ in range(INPUTS * 3 // 4)] + [wild.document() for _ in range(INPUTS // 4)]


@pytest.mark.soak
def test_generated_inputs_differ(payloads: list[bytes]) -> None:
    """No two inputs are equal, and together they use every element that the form can send."""
    used = {str(element.tag).rpartition("}")[2] for payload in payloads for element in parse(payload).iter()}
    schema = parse((HERE / "schema/gewerbeanmeldung.xsd").read_bytes())
    sent = {str(one.get("ref")) for one in schema.iter("{http://www.w3.org/2001/XMLSchema}element") if one.get("ref")}

    assert INPUTS == len(set(payloads))
    assert sent <= used


@pytest.mark.soak
@pytest.mark.parametrize("settings", [EAKTE, FACHVERFAHREN], ids=["eakte", "fachverfahren"])
def test_generated_inputs_give_valid_output_or_documented_refusals(
    payloads: list[bytes], settings: dict[str, str], shared: Path, official: Catalogue
) -> None:
    """Every output and the message inside it is valid, has all origins, reads all and repeats; refusals are documented."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    draw = random.Random(SEED)
    seen: Counter[str] = Counter()
    for number, payload in enumerate(payloads):
        attachments = _attachments(draw)
        proof = prove(MAPPING, antrag_of(payload, attachments), _kontext(number, settings), official)
        outcome = proof.outcome
        seen[type(outcome).__name__] += 1

        assert () == proof.flaws
        assert [] == [rule for rule in proof.rules if f"`{rule}`" not in readme]
        if isinstance(outcome, Ausgabe):
            assert official.validate(parse(_anzeige(outcome))).is_valid
            assert [] == [path for path in outcome.unread if not path.rpartition("/")[2].startswith("G")]
            assert payload in [one.content.read() for one in outcome.dokumente]

    assert INPUTS == sum(seen.values())
    assert min(seen["Ausgabe"], seen["Rejected"]) >= 40


def test_published_samples_are_mapped_or_refused_with_a_reason(
    shared: Path, official: Catalogue, inputs: Catalogue
) -> None:
    """Every published sample passes the input schema; what is mapped is valid, and only missing names refuse."""
    samples = sorted((shared / PUBLISHED / "beispiele/gewerbeanmeldung").glob("*.xml"))
    outcomes = []
    for number, sample in enumerate(samples):
        payload = sample.read_bytes()
        assert inputs.validate(parse(payload)).is_valid
        outcome = _map(payload, (), number, EAKTE)
        outcomes.append(outcome)
        if isinstance(outcome, Rejected):
            assert {one.rule for one in outcome.findings} <= {"INHABER-FEHLT", "GEBURTSDATUM"}
        else:
            assert official.validate(parse(outcome.nachricht)).is_valid

    assert [one for one in outcomes if isinstance(one, Ausgabe)]


def test_samples_and_mutations_are_judged_as_by_the_published_schema(shared: Path) -> None:
    """Our own input schema says what the published one says, on samples and on thousands of changed ones."""
    own = _judge(HERE / "schema/gewerbeanmeldung.xsd")
    published = _judge(shared / PUBLISHED / "xsd/gewerbeanmeldung_S00000009_xfall.xsd")
    documents = sorted((shared / PUBLISHED / "beispiele/gewerbeanmeldung").glob("*.xml"))
    documents += sorted(path for path in HERE.glob("golden/*/input.xml") if "-portal-" not in path.parent.name)
    draw = random.Random(SEED)
    verdicts: Counter[bool] = Counter()
    for path in documents:
        tree = parse(path.read_bytes())
        assert own(tree)
        for _ in range(100):
            mutant = mutated(tree, draw)
            verdict = published(mutant)
            verdicts[verdict] += 1
            assert verdict == own(mutant)

    assert min(verdicts.values()) > 300


def test_both_outputs_have_the_same_message_for_the_fachverfahren() -> None:
    """The message inside the package for the e-file is the one that the other setting sends."""
    case = load_case(HERE / "golden/02-gmbh-alle-angaben")
    payload = case.antrag.payload.content.read()
    eakte, fach = (_map(payload, case.antrag.attachments, 1, settings) for settings in (EAKTE, FACHVERFAHREN))
    assert isinstance(eakte, Ausgabe)
    assert isinstance(fach, Ausgabe)
    named = [str(one.text) for one in parse(fach.nachricht).iter() if str(one.tag).endswith("}datei")]

    assert _anzeige(eakte) == fach.nachricht
    assert named == zipfile.ZipFile(io.BytesIO(fach.package.content.read())).namelist()[3:]
    assert "gewerbeanzeige 1.0.0" == MAPPING.standard_of(FACHVERFAHREN) == fach.standard
    assert "xdomea 3.1.0" == MAPPING.standard_of(EAKTE) == eakte.standard


def test_the_readme_lists_the_rules_that_refuse() -> None:
    """The rules that refuse, as the code has them, are those the README's table of refusals lists."""
    code = (HERE / "regeln.py").read_text(encoding="utf-8")
    readme = (HERE / "README.md").read_text(encoding="utf-8").partition("## Ablehnungen")[2].partition("\n## ")[0]

    assert set(re.findall(r'rule="([A-Z0-9-]+)"', code)) == set(re.findall(r"^\| `([A-Z0-9-]+)`", readme, re.MULTILINE))


@pytest.mark.parametrize("standard", ["xdomea 3.1.0", "gewerbeanzeige 1.0.0"])
def test_shapes_are_regenerated(standard: str, schemas_folder: Path, shared: Path) -> None:
    """Both shapes are functions of the packages and the golden messages; the cases show every element of our message."""
    file = "shape.toml" if standard == MAPPING.standard else "gewerbeanzeige.shape.toml"

    assert (HERE / file).read_text(encoding="utf-8") == shape_text(standard, HERE, schemas_folder)


def test_the_golden_messages_use_the_whole_format() -> None:
    """Every element that gewerbeanzeige.xsd declares is in a golden message: nothing of it is untried."""
    schema = parse((HERE / "schema/gewerbeanzeige.xsd").read_bytes())
    declared = {str(one.get("name")) for one in schema.iter("{http://www.w3.org/2001/XMLSchema}element")}
    shown = {
        str(one.tag).rpartition("}")[2]
        for path in HERE.glob("golden/*fachverfahren*/expected/nachricht.xml")
        for one in parse(path.read_bytes()).iter()
    }

    assert declared == shown


def test_labels_are_regenerated(shared: Path) -> None:
    """labels.toml is a function of the form's schema, and no heading is empty."""
    form = (shared / FORM).read_bytes()
    made = labels_of(parse(form), [], sha256=hashlib.sha256(form).hexdigest())

    assert (HERE / "labels.toml").read_text(encoding="utf-8") == made
    assert all(MAPPING._labels.labels.values())


def _anzeige(ausgabe: Ausgabe) -> bytes:
    if ausgabe.standard.startswith("gewerbeanzeige"):
        return ausgabe.nachricht
    return next(one.content.read() for one in ausgabe.dokumente if one.file_name.endswith("_Gewerbeanzeige.xml"))


def _map(payload: bytes, attachments: tuple[Part, ...], number: int, settings: dict[str, str]) -> Ausgabe | Rejected:
    try:
        return MAPPING.map(antrag_of(payload, attachments), _kontext(number, settings))
    except Rejected as refusal:
        return refusal


def _kontext(number: int, settings: dict[str, str]) -> Kontext:
    return Kontext(
        key=f"9{number:07x}-0000-4000-8000-000000000000",
        mandant="musterstadt",
        received_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=47 * number, milliseconds=number),
        settings=settings,
    )


def _attachments(draw: random.Random) -> tuple[Part, ...]:
    return tuple(
        Part(draw.choice(NAMES), draw.choice(TYPES), "attachment", MemoryContent(draw.randbytes(draw.randint(0, 99))))
        for _ in range(draw.randint(0, 3))
    )


def _judge(path: Path) -> Callable[[Element], bool]:
    compiled = compile_schema({path.name: path.read_bytes()}, path.name, where=path.name)
    return lambda tree: not problems(tree, compiled)


def test_the_portal_shape_of_the_schema_differs_in_names_only() -> None:
    """Both published shapes of the form are judged by the same rules: ids shortened, one page is the other."""
    converter, portal = ((HERE / f"schema/{name}.xsd").read_text("utf-8") for name in ("gewerbeanmeldung", "portal"))
    renamed = re.sub(r"\b([FG])(\d\d)000(\d{6})V\d+\.\d+\.\d+", r"\1\2\3", converter)
    renamed = renamed.replace('"S00000000009"', '"fim.S00000009.1"')
    renamed = renamed.replace("urn:fim-de:xfall:datenschema:xdf3", "urn:xoev-de:xfall:standard:fim-s00000009_1.0")

    assert renamed.partition("-->")[2] == portal.partition("-->")[2]
    assert MAPPING.further_roots[0] in (HERE / "schema/package.toml").read_text("utf-8")
