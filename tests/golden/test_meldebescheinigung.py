"""The mapping meldebescheinigung: generated applications, its closed lists, its shape and rules."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import xmlschema

from intermediary.cli.mapping import shape_text
from intermediary.core.ports import Kontext
from intermediary.core.values import Ausgabe, MemoryContent, Part
from intermediary.testing.generate import Generator
from intermediary.testing.golden import antrag_of, load_case
from intermediary.testing.proof import prove
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.walkable import walkable
from intermediary.xml.parser import parse
from mappings.meldebescheinigung.mapping import HERE, MAPPING

SEED = 20261122
INPUTS = 200
SETTINGS = dict(load_case(HERE / "golden/02-erweitert").kontext.settings) | {"paket": "zip"}
NAMES = ("Müller", "Đorđević", "M̂ustafa", "O'Brien", "Ñandú-Öz", "A" * 120, "Mu\u0308ller", "]]> <b>&amp;</b>")
LIKELY = {
    **dict.fromkeys(("familienname", "vornamen", "strasse", "teilnummer"), NAMES),
    "geburtsdatum": ("1985-08-12", "2000-02-29", "1980-05-00", "1980-00-00", "0000-00-00", "1985-02-30", "2031-01-01"),
    "schluessel": ("05334002", "05334004", "05334002", "05334004", "09162000"),
    "listenversion": ("2", "2026-04-30"),
    "hausnummer": ("1", "0012", "9999"),
    "hausnummerzusatz": ("a", "1/2", "b.", "zz 9"),
    "postleitzahl": ("52062", "01067"),
}


@pytest.fixture(scope="module")
def payloads(inputs: Catalogue) -> list[bytes]:
    """The generated applications: mostly letters that registers hold, some with others."""
    generator = Generator(
        xmlschema.XMLSchema(str(HERE / "schema/meldebescheinigung.xsd")),
        "meldebescheinigung",
        random.Random(SEED),
        accepts=lambda document: inputs.validate(parse(document)).is_valid,
        likely=LIKELY,
        share=0.9,
    )
    return [generator.document() for _ in range(INPUTS)]


def test_generated_inputs_give_valid_output_or_documented_refusals(
    payloads: list[bytes], shared: Path, official: Catalogue
) -> None:
    """Every output is officially valid, has all origins, reads all and repeats; every refusal is in the README."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    seen: Counter[str] = Counter()
    rules: set[str] = set()
    part = Part("x.pdf", "application/pdf", "attachment", MemoryContent(b"%PDF"))
    for number, payload in enumerate(payloads):
        proof = prove(MAPPING, antrag_of(payload, (part,)), _kontext(number), official)
        seen[type(proof.outcome).__name__] += 1
        rules |= proof.rules

        assert () == proof.flaws
        assert not isinstance(proof.outcome, Ausgabe) or () == proof.outcome.unread

    assert [] == [rule for rule in rules if f"`{rule}`" not in readme]
    assert INPUTS == len(set(payloads)) == sum(seen.values())
    assert min(seen["Ausgabe"], seen["Rejected"]) >= 50


def test_closed_lists_of_the_form_are_the_official_ones(schemas_folder: Path, shared: Path) -> None:
    """Each enumeration of the input schema has the codes of the list that the message names."""
    packages = Catalogue.open(schemas_folder).packages
    xmeld = walkable(packages, packages["xmeld@25.11a"], "xinneres.xmeld.xsd")
    own = xmlschema.XMLSchema(str(HERE / "schema/meldebescheinigung.xsd")).types
    for name in ("Zustellvariante", "Anforderungselement"):
        assert _codes_of(xmeld.types[f"Code.Meldebescheinigung.{name}"]) == set(own[name].enumeration)


def test_shape_is_regenerated(schemas_folder: Path, shared: Path) -> None:
    """shape.toml is a function of the installed packages and the golden messages."""
    assert (HERE / "shape.toml").read_text(encoding="utf-8") == shape_text(MAPPING.standard, HERE, schemas_folder)


def test_the_readme_lists_the_rules_that_refuse() -> None:
    """The rules that refuse, as the code has them, are those the README's table of refusals lists."""
    code = (HERE / "regeln.py").read_text(encoding="utf-8")
    readme = (HERE / "README.md").read_text(encoding="utf-8").partition("## Ablehnungen")[2]

    assert set(re.findall(r'rule="([A-Z0-9-]+)"', code)) == set(re.findall(r"^\| `([A-Z0-9-]+)`", readme, re.MULTILINE))


def test_an_addition_asked_for_twice_is_sent_once() -> None:
    """The order is the applicant's; the second mention says nothing new."""
    ausgabe = MAPPING.map(antrag_of((HERE / "golden/02-erweitert/input.xml").read_bytes()), _kontext(3000))
    codes = [one.findtext("code") for one in parse(ausgabe.nachricht).iter("{*}meldebescheinigungErweitert")]

    assert ["25", "01", "45"] == codes


def _codes_of(kind: Any) -> set[str]:
    element = next(one for one in kind.content.iter_elements() if one.local_name == "code")
    return {str(value) for value in element.type.enumeration}


def _kontext(number: int) -> Kontext:
    return Kontext(
        key=f"b{number:07x}-0000-4000-8000-000000000000",
        mandant="musterstadt",
        received_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number, milliseconds=number),
        settings=SETTINGS,
    )
