"""The mapping maengelmelder, written in XSLT 1: generated reports, its shape, its rules, the purity of a stylesheet."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import xmlschema

from intermediary.cli.mapping import shape_text
from intermediary.core.ports import Kontext
from intermediary.core.values import Ausgabe, MemoryContent, Part
from intermediary.testing.generate import Generator
from intermediary.testing.golden import antrag_of
from intermediary.testing.proof import prove
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import parse
from mappings.maengelmelder.mapping import HERE, MAPPING

SEED = 20261122
INPUTS = 200
SETTINGS = {"aktenplan": "656-00", "empfaenger": "Tiefbauamt & Co"}
TYPES = ("application/pdf", "image/jpeg", "image/png", "application/x-unheard-of", "", "no type\n")
NAMES = ("Foto 1.jpg", "", "..\\..\\x", "a\u0000b\u001f.pdf", "\u202egpj.exe", "ü" * 400)


@pytest.fixture(scope="module")
def payloads(inputs: Catalogue) -> list[bytes]:
    """The generated reports."""
    generator = Generator(
        xmlschema.XMLSchema(str(HERE / "schema/maengelmelder.xsd")),
        "meldung",
        random.Random(SEED),
        accepts=lambda document: inputs.validate(parse(document)).is_valid,
        likely={"festgestelltAm": ("2026-01-01", "2025-12-31", "2024-02-29Z", "2031-01-01")},
        share=0.8,
    )
    return [generator.document() for _ in range(INPUTS)]


def test_generated_inputs_give_valid_output_or_documented_refusals(
    payloads: list[bytes], shared: Path, official: Catalogue
) -> None:
    """Every output is officially valid, has all origins and repeats; every refusal names rules of the README."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    draw = random.Random(SEED)
    seen: Counter[str] = Counter()
    for number, payload in enumerate(payloads):
        attachments = _attachments(draw)
        proof = prove(MAPPING, antrag_of(payload, attachments), _kontext(number), official)
        outcome = proof.outcome
        seen[type(outcome).__name__] += 1

        assert () == proof.flaws
        assert [] == [rule for rule in proof.rules if f"`{rule}`" not in readme]
        if isinstance(outcome, Ausgabe):
            sent = [payload, *(one.content.read() for one in attachments)]
            assert () == outcome.unread
            assert sent == [one.content.read() for one in outcome.dokumente]

    assert INPUTS == len(set(payloads)) == sum(seen.values())
    assert min(seen["Ausgabe"], seen["Rejected"]) >= 30


def test_every_origin_is_a_line_that_makes_that_element() -> None:
    """What the provenance says about lines is true of the file: the named line holds the element's name."""
    lines = (HERE / "mapping.xslt").read_text(encoding="utf-8").splitlines()
    ausgabe = MAPPING.map(antrag_of((HERE / "golden/01-mit-fotos/input.xml").read_bytes()), _kontext(100))
    for one in ausgabe.herkunft:
        line = int(re.match(r"mapping\.xslt:([0-9]+)", one.source)[1])  # type: ignore[index]

        assert one.target.rpartition("/")[2].partition("[")[0] in lines[line - 1], one


def test_shape_is_regenerated(schemas_folder: Path, shared: Path) -> None:
    """shape.toml is a function of the installed package and the golden messages."""
    assert (HERE / "shape.toml").read_text(encoding="utf-8") == shape_text(MAPPING.standard, HERE, schemas_folder)


def test_the_readme_lists_the_rules_that_refuse() -> None:
    """The rules of the stylesheet are those the README's table of refusals lists."""
    sheet = (HERE / "mapping.xslt").read_text(encoding="utf-8")
    readme = (HERE / "README.md").read_text(encoding="utf-8").partition("## Ablehnungen")[2]

    assert set(re.findall(r'regel="([A-Z-]+)"', sheet)) == set(re.findall(r"^\| `([A-Z-]+)`", readme, re.MULTILINE))


def _kontext(number: int) -> Kontext:
    return Kontext(
        key=f"3{number:07x}-0000-4000-8000-000000000000",
        mandant="musterstadt",
        received_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=47 * number, milliseconds=number),
        settings=SETTINGS,
    )


def _attachments(draw: random.Random) -> tuple[Part, ...]:
    return tuple(
        Part(draw.choice(NAMES), draw.choice(TYPES), "attachment", MemoryContent(draw.randbytes(draw.randint(0, 99))))
        for _ in range(draw.randint(0, 3))
    )
