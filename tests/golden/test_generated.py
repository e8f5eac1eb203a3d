"""Two hundred generated applications, and the published samples, through the mapping bewohnerparken."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import xmlschema

from intermediary.core.ports import Kontext
from intermediary.core.values import Ausgabe, MemoryContent, Part
from intermediary.testing.generate import Generator
from intermediary.testing.golden import antrag_of
from intermediary.testing.proof import prove
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import parse
from mappings.bewohnerparken.mapping import HERE, MAPPING

SEED = 20261121
INPUTS = 200
SETTINGS = {"aktenplan": "112-06", "aktenzeichen": "112-06/{jahr}/{vorgang}"}
MEDIA_TYPES = (
    "application/pdf",
    "image/jpeg",
    "application/x-unheard-of",
    "",
    "text/plain; charset=utf-8",
    "no type\n",
)
NAMES = ("Scan 1.pdf", "", "..\\..\\x", "a\u0000b\u001f.pdf", "\u202egpj.exe", "ü" * 400)


@pytest.fixture(scope="module")
def payloads(inputs: Catalogue) -> list[bytes]:
    """The generated inputs; values that rules ask for and letters the publisher's pattern takes come often."""
    schema = xmlschema.XMLSchema(str(HERE / "schema/bewohnerparken.xsd"))
    values = MAPPING._labels.values
    likely = {name: tuple(values.get(source, ())) for name, source in MAPPING._labels.lists.items()}
    likely |= {"F00000000084V1.1.0": ("1", ".", "pL", "\\"), "F05000001247V1.0.0": ("1", " ", "{}", "L")}
    generator = Generator(
        schema,
        "S05000000058V1.0.0",
        random.Random(SEED),
        accepts=lambda document: inputs.validate(parse(document)).is_valid,
        likely=likely,
    )
    return [generator.document() for _ in range(INPUTS)]


@pytest.mark.soak
def test_generated_inputs_differ(payloads: list[bytes]) -> None:
    """No two inputs are equal, and together they use every element the form knows."""
    root = "{urn:fim-de:xfall:datenschema:xdf3}"
    used = {str(element.tag).removeprefix(root) for payload in payloads for element in parse(payload).iter()}

    assert INPUTS == len(set(payloads))
    assert set(MAPPING._labels.labels) <= used


@pytest.mark.soak
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
        seen[type(proof.outcome).__name__] += 1

        assert () == proof.flaws
        assert [] == [rule for rule in proof.rules if f"`{rule}`" not in readme]
        assert not isinstance(proof.outcome, Ausgabe) or payload == proof.outcome.dokumente[1].content.read()

    assert INPUTS == sum(seen.values())
    assert min(seen["Ausgabe"], seen["Rejected"]) >= 20


def test_published_samples_are_mapped(shared: Path, official: Catalogue, inputs: Catalogue) -> None:
    """Every published sample of the form passes the input schema and gives an officially valid message."""
    samples = sorted((shared / "schemas/fim-xfall/xdf3-1.01/beispiele/bewohnerparken").glob("*.xml"))
    assert samples
    for number, sample in enumerate(samples):
        payload = sample.read_bytes()
        assert inputs.validate(parse(payload)).is_valid
        outcome = MAPPING.map(antrag_of(payload), _kontext(number))
        assert official.validate(parse(outcome.nachricht)).is_valid


def _kontext(number: int) -> Kontext:
    return Kontext(
        key=f"c{number:07x}-0000-4000-8000-000000000000",
        mandant="musterstadt",
        received_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=47 * number, milliseconds=number),
        settings=SETTINGS,
    )


def _attachments(draw: random.Random) -> tuple[Part, ...]:
    return tuple(
        Part(
            draw.choice(NAMES),
            draw.choice(MEDIA_TYPES),
            "attachment",
            MemoryContent(draw.randbytes(draw.randint(0, 99))),
        )
        for _ in range(draw.randint(0, 3))
    )
