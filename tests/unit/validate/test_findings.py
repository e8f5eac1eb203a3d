"""Findings: complete, in place, and without values."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from intermediary.core.codes import CATALOGUE
from intermediary.core.values import Befund
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import parse
from tests.unit.validate.samples import ANTRAG, MANIFEST, NS, PackageMaker

CANARY = "Kanarienvogel"


@pytest.fixture
def catalogue(make_package: PackageMaker) -> Catalogue:
    return Catalogue.open(None, [make_package()])


def _check(catalogue: Catalogue, inner: str, attributes: str = 'stand="1"') -> tuple[Befund, ...]:
    text = f'<antrag xmlns="{NS}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {attributes}>{inner}</antrag>'
    return catalogue.validate(parse(text.encode())).findings


def test_three_errors_are_found_at_once(catalogue: Catalogue) -> None:
    """All errors of a document are reported in one go, in its order, with path, line and rule."""
    found = _check(
        catalogue,
        f"<name>{'x' * 21}</name>\n<plz>1234</plz>\n<geboren>2000-01-01</geboren>\n<art>neu</art><art>weg</art>",
    )

    assert [
        ("/antrag/name", 1, "SCHEMAV_CVC_MAXLENGTH_VALID", "name ist zu lang. Grenze: 20."),
        (
            "/antrag/plz",
            2,
            "SCHEMAV_CVC_PATTERN_VALID",
            "plz entspricht nicht dem vorgeschriebenen Muster. Muster: [0-9]{5}",
        ),
        ("/antrag/art[2]", 4, "SCHEMAV_CVC_ENUMERATION_VALID", "art ist keiner der erlaubten Werte."),
    ] == [(one.path, one.line, one.rule, one.hint) for one in found]


def test_a_missing_element_is_named(catalogue: Catalogue) -> None:
    """What is missing is told by its name."""
    (found,) = _check(catalogue, "<name>x</name><plz>12345</plz><geboren>2000-01-01</geboren>")

    assert "/antrag" == found.path
    assert "In antrag fehlt ein Element. Erwartet: art." == found.hint


def test_a_missing_attribute_is_named(catalogue: Catalogue) -> None:
    """A required attribute that is missing is told by its name."""
    (found,) = _check(catalogue, "<name>x</name><plz>12345</plz><geboren>2000-01-01</geboren><art>neu</art>", "")

    assert "antrag: ein Pflichtattribut fehlt. Erwartet: stand." == found.hint


def test_an_element_in_the_wrong_place_is_told_with_what_was_expected(catalogue: Catalogue) -> None:
    """Wrong order names the element and what should stand there."""
    (found,) = _check(catalogue, "<plz>12345</plz><name>x</name>")

    assert "/antrag/plz" == found.path
    assert found.hint.endswith("Erwartet: name.")


def test_the_publishers_defect_is_told_beside_the_finding(catalogue: Catalogue) -> None:
    """A pattern with a doubled backslash is reported as the publisher's, and the document stays invalid."""
    found = _check(
        catalogue,
        "<name>x</name><plz>12345</plz><zusatz>a</zusatz><geboren>2000-01-01</geboren><art>neu</art>",
    )

    assert ["SCHEMAV_CVC_PATTERN_VALID", "publisher-defect"] == [one.rule for one in found]
    assert ["/antrag/zusatz"] * 2 == [one.path for one in found]


@pytest.mark.parametrize(
    ("inner", "attributes"),
    [
        ("<name>{c}{c}{c}</name><plz>{c}</plz><zusatz>{c}</zusatz><geboren>{c}</geboren><art>{c}</art>", 'stand="{c}"'),
        ("<{c}/>", 'stand="1"'),
        ("<name>x</name>{c}<plz>12345</plz>", 'stand="1"'),
        ("<name {c}='1'>x</name>", 'stand="1"'),
        ("<name xsi:type='{c}'>x</name>", 'stand="1"'),
        ("<name xsi:nil='{c}'>x</name>", 'stand="1"'),
        ('<x:a xmlns:x="urn:x\':Expected-is-(-{c}-)."/>', 'stand="1"'),
        ("<name x:{c}='1' xmlns:x='urn:{c}'>x</name>", 'stand="1"'),
        ("<name>x</name><plz>x' is not accepted by the pattern '{c}'.</plz>", 'stand="1"'),
        ("<{c}:name xmlns:{c}='urn:{c}'/>", 'stand="1"'),
    ],
)
def test_no_value_of_the_sender_is_in_any_finding(catalogue: Catalogue, inner: str, attributes: str) -> None:
    """Text, names and namespaces the sender made up never reach path, rule or hint."""
    found = _check(catalogue, inner.replace("{c}", CANARY), attributes.replace("{c}", CANARY))

    assert found
    assert CANARY not in repr(found)


def test_values_of_official_samples_stay_out_of_findings(shared: Path, official: Path) -> None:
    """In every sample, one leaf after another is given an invalid value; no finding repeats it."""
    catalogue = Catalogue.open(official)
    canary = f"{CANARY}{uuid.UUID(int=7)}"
    samples = sorted((shared / "schemas").glob("fim-xfall/*/beispiele/*/*.xml"))
    checked = findings = 0
    for sample in samples:
        tree = parse(sample.read_bytes())
        for leaf in tree.iter():
            if len(leaf) == 0:
                leaf.text = canary * 4
        found = catalogue.validate(tree).findings
        checked += 1
        findings += len(found)
        assert canary not in repr(found)

    assert checked >= 20
    assert findings > checked


def test_every_finding_has_a_code_of_the_catalogue(catalogue: Catalogue) -> None:
    """Codes in findings are documented ones."""
    found = _check(catalogue, "<name>x</name><plz>1</plz><zusatz>a</zusatz><geboren>x</geboren>")

    assert found
    assert {one.code for one in found} <= set(CATALOGUE)


def test_many_findings_are_cut(make_package: PackageMaker) -> None:
    """A small document with hundreds of errors gives the first two hundred and says so."""
    catalogue = Catalogue.open(None, [make_package()])
    found = _check(catalogue, "<name>x</name><plz>12345</plz><geboren>2000-01-01</geboren>" + "<art>x</art>" * 300)

    assert 201 == len(found)
    assert "too-many-findings" == found[-1].rule


def test_half_a_million_errors_are_refused_without_being_listed(catalogue: Catalogue) -> None:
    """A large document that is wrong everywhere gives one finding, not minutes of listing."""
    found = _check(catalogue, "<name>x</name><plz>12345</plz><geboren>2000-01-01</geboren>" + "<art>x</art>" * 400_000)

    assert ["too-many-findings"] == [one.rule for one in found]


def test_few_errors_in_a_large_document_are_found_in_place(catalogue: Catalogue) -> None:
    """The guard against floods of errors does not cost the path of a single one."""
    found = _check(
        catalogue,
        "<name>x</name><plz>12345</plz><geboren>2000-01-01</geboren>" + "<art>neu</art>" * 20_000 + "<art>weg</art>",
    )

    assert ["/antrag/art[20001]"] == [one.path for one in found]


def test_locations_in_the_document_are_not_followed(make_package: PackageMaker) -> None:
    """xsi:schemaLocation of a sender neither replaces nor extends the installed schema."""
    foreign = make_package("fremd", {"antrag.xsd": ANTRAG.replace("[0-9]{5}", ".*")}, manifest=MANIFEST)
    catalogue = Catalogue.open(None, [make_package()])
    found = _check(
        catalogue,
        "<name>x</name><plz>x</plz><geboren>2000-01-01</geboren><art>neu</art>",
        f'stand="1" xsi:schemaLocation="{NS} file://{foreign}/antrag.xsd"',
    )

    assert ["/antrag/plz"] == [one.path for one in found]
