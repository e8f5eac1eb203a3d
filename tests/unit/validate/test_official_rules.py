"""Official Schematron through our compiler: XRechnung, XJustiz and the XBildung family judge their own samples."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install
from intermediary.validate.lock import product_pins
from intermediary.validate.verdict import Verdict
from intermediary.xml.parser import parse
from tests.unit.validate.samples import shared_folder

SAMPLES = {
    "xschule/1.2": 11,
    "xhochschule/1.2": 5,
    "xberufsbildung/0.6": 6,
    "xrechnung/3.0": 60,
}
STANDARDS = ("xjustiz-regeln@3.6.2", "xschule-regeln@1.2", "xhochschule-regeln@1.2", "xberufsbildung-regeln@0.6",
             "xrechnung-regeln@3.0")  # fmt: skip
EIGENE = "<tns:eigeneNachrichtenID>550e8400-e29b-41d4-a716-446655440000</tns:eigeneNachrichtenID>"
UBL = "xrechnung/3.0/beispiele/business-cases/standard/01.01a-INVOICE_ubl.xml"
CII = "xrechnung/3.0/beispiele/business-cases/standard/01.02a-INVOICE_uncefact.xml"
XJUSTIZ = "xjustiz/3.6.2/konstruierte-beispiele/nachricht.gds.uebermittlungSchriftgutobjekte.0005005.xml"


@pytest.fixture(scope="module")
def catalogue_or_none(shared_or_none: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Catalogue | None:
    """The standards that have a Schematron, with their rules."""
    if shared_or_none is None:
        return None
    folder = tmp_path_factory.mktemp("schemas")
    pins = product_pins()
    done: set[str] = set()

    def take(package: str) -> None:
        if package not in done:
            done.add(package)
            for needed in pins[package].manifest.requires:
                take(needed)
            install(shared_folder(shared_or_none, package), folder, pins)

    for package in STANDARDS:
        take(package)
    return Catalogue.open(folder)


@pytest.fixture
def judge(shared: Path, catalogue_or_none: Catalogue | None) -> Callable[..., Verdict]:
    """Judges a sample, with a part of its text replaced."""
    assert catalogue_or_none is not None

    def run(path: str, old: str = "", new: str = "") -> Verdict:
        text = (shared / "schemas" / path).read_text(encoding="utf-8-sig")
        changed = re.sub(old, new, text, count=1, flags=re.DOTALL) if old else text
        assert not old or changed != text, f"{path} has nothing like {old}"
        return catalogue_or_none.validate(parse(changed.encode()))

    return run


@pytest.mark.parametrize("standard", SAMPLES)
def test_official_samples_are_valid(shared: Path, judge: Callable[..., Verdict], standard: str) -> None:
    """Every sample that its README calls valid passes schema and Schematron, and both stand in the verdict."""
    names = sorted((shared / "schemas" / standard / "beispiele").rglob("*.xml"))
    verdicts = [judge(path.relative_to(shared / "schemas").as_posix()) for path in names]
    kinds = Counter(".sch" in one.name for verdict in verdicts for one in verdict.rule_sets)

    assert [path.name for path, one in zip(names, verdicts, strict=True) if not one.is_valid] == []
    assert (len(verdicts), kinds[True]) == (SAMPLES[standard], SAMPLES[standard])


@pytest.mark.parametrize(
    ("path", "old", "new", "rule"),
    [
        (UBL, "<cbc:BuyerReference>.*?</cbc:BuyerReference>", "", "BR-DE-15"),
        (UBL, "<cbc:ElectronicMail>.*?</cbc:ElectronicMail>", "", "BR-DE-7"),
        (UBL, "<cbc:Telephone>.*?</cbc:Telephone>", "", "BR-DE-6"),
        (UBL, "<cac:PaymentMeans>.*</cac:PaymentMeans>", "", "BR-DE-1"),
        (CII, "<ram:BuyerReference>.*?</ram:BuyerReference>", "", "BR-DE-15"),
        (CII, "<ram:DefinedTradeContact>.*?</ram:DefinedTradeContact>", "", "BR-DE-2"),
    ],
)
def test_an_invoice_without_what_germany_demands_is_refused(
    judge: Callable[..., Verdict], path: str, old: str, new: str, rule: str
) -> None:
    """XRechnung's own rules, by their published numbers; schema-valid and still refused."""
    verdict = judge(path, old, new)

    assert rule in [one.rule for one in verdict.findings]
    assert not verdict.is_valid


def test_the_samples_of_xjustiz(judge: Callable[..., Verdict]) -> None:
    """General messages pass the general rules; a domain's rules run where the schema of that domain declares the root."""
    verdict = judge(XJUSTIZ)
    names = {one.name.partition(" xjustiz.")[2] for one in verdict.rule_sets if ".sch" in one.name}

    assert verdict.is_valid
    assert names == {"gds_1_3.sch", "straf_1_2.sch", "straf.xbfj_1_5.sch"}


def test_a_rule_that_no_message_can_fulfil_only_warns(shared: Path, judge: Callable[..., Verdict]) -> None:
    """SCH-EEB-0001 of 2020 asks the Nachrichtenkopf for an element that the schema of 3.6.2 has elsewhere.

    Put where the rule wants it, the message is invalid by XSD; where the schema has it, the rule stays broken.
    """
    path = "xjustiz/3.6.2/konstruierte-beispiele/nachricht.eeb.zuruecklaufend.2200007.xml"
    fremde = EIGENE.replace("eigene", "fremde")
    as_made, as_the_schema_wants = judge(path), judge(path, "</tns:empfaenger>", f"{fremde}</tns:empfaenger>")
    as_the_rule_wants = judge(path, "</tns:nachrichtenkopf>", f"{fremde}</tns:nachrichtenkopf>")

    for verdict in (as_made, as_the_schema_wants):
        assert verdict.is_valid
        assert [(one.rule, one.path) for one in verdict.warnings] == [
            ("SCH-EEB-0001", "/nachricht.eeb.zuruecklaufend.2200007/nachrichtenkopf")
        ]
    assert {one.rule for one in as_the_rule_wants.findings} == {"SCHEMAV_ELEMENT_CONTENT"}


def test_what_only_warns_by_pin_asks_for_what_no_schema_has(shared: Path) -> None:
    """None of the names these assertions count is declared for a Nachrichtenkopf of XJustiz 3.6.2."""
    schema = etree.parse(shared / "schemas/xjustiz/3.6.2/xsd/xjustiz_0000_grunddatensatz_3_6.xsd")
    [head] = schema.xpath(
        "//xs:complexType[@name = 'Type.GDS.Nachrichtenkopf']", namespaces={"xs": "http://www.w3.org/2001/XMLSchema"}
    )
    direct = {one.get("name") for one in head.find("{*}sequence").iterchildren("{*}element")}
    softened = [name for rules in product_pins()["xjustiz-regeln@3.6.2"].manifest.rules for name in rules.warnings]

    assert len(softened) == 8
    assert "absender" in direct
    assert direct.isdisjoint({"fremdeNachrichtenID", "aktenzeichen.absender", "aktenzeichen.empfaenger"})


def test_every_official_assertion_compiles(shared: Path, catalogue_or_none: Catalogue | None) -> None:
    """All 22 Schematron files, as published; no assertion is left out."""
    from intermediary.validate.rules.program import compile_program
    from intermediary.xml.cage.cage import Cage

    assert catalogue_or_none is not None
    cage, counted = Cage(), Counter[str]()
    for package in catalogue_or_none.packages.values():
        for rules in package.manifest.rules:
            program = compile_program(package, rules.file)
            cage.compile([program.sheet])
            counted[package.manifest.name] += len(program.assertions)
    cage.close()

    assert dict(counted) == {
        "xberufsbildung-regeln": 2,
        "xhochschule-regeln": 49,
        "xjustiz-regeln": 644,
        "xrechnung-regeln": 104,
        "xschule-regeln": 37,
    }


KOSIT = {
    "simple.xml": [],
    "simple-schema-invalid.xml": ["SCHEMAV_ELEMENT_CONTENT"],
    "simple-schematron-invalid.xml": ["content-1"],
    "withManualReject.xml": ["scenario.accept"],
    "foo.xml": [],
    "foo-schematron-invalid.xml": ["content-2"],
    "foo-custom-level-error.xml": ["content-2"],
}


@pytest.mark.parametrize("name", KOSIT)
def test_the_example_of_the_kosit_validator(shared: Path, tmp_path: Path, name: str) -> None:
    """The published scenario file over its schema and Schematron accepts and refuses the published inputs."""
    example = shared / "schemas" / "kosit-validator" / "1.x" / "beispiele" / "simple"
    for path in (example / "scenarios.xml", *(example / "repository").iterdir()):
        shutil.copy(path, tmp_path)
    (tmp_path / "package.toml").write_text(
        'name = "simple"\nversion = "1"\nentries = ["simple.xsd"]\n'
        '[[rules]]\nfile = "scenarios.xml"\nincludes = ["simple.sch"]\n'
    )
    verdict = Catalogue.open(None, [tmp_path]).validate(parse((example / "input" / name).read_bytes()))

    assert [one.rule for one in verdict.findings] == KOSIT[name]
    assert verdict.is_valid is not bool(KOSIT[name])
