"""Characters outside DIN 91379: told by code point and place, where a schema or a package demands it."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install
from intermediary.xml.parser import parse
from tests.unit.validate import code_samples as samples
from tests.unit.validate.samples import GOOD, MANIFEST, PackageMaker

DIN = "urn:xoev-de:kosit:xoev:datentyp:din-91379_2022-08"
TYPES = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{DIN}">
  <xs:simpleType name="datatypeC"><xs:restriction base="xs:string"><xs:pattern value="([ -~]|[&#xA0;-&#x17E;])*"/>
  </xs:restriction></xs:simpleType></xs:schema>"""
SCHEMA = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:d="{DIN}" xmlns="urn:b" targetNamespace="urn:b">
  <xs:import namespace="{DIN}" schemaLocation="din.xsd"/>
  <xs:simpleType name="Name"><xs:restriction base="d:datatypeC"><xs:maxLength value="40"/></xs:restriction></xs:simpleType>
  <xs:element name="person"><xs:complexType><xs:sequence><xs:element name="name" type="Name" maxOccurs="2"/></xs:sequence>
    <xs:attribute name="ort" type="d:datatypeC"/></xs:complexType></xs:element></xs:schema>"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """A standard whose names are of datatypeC, directly and restricted further."""
    files = {
        "din.xsd": TYPES,
        "person.xsd": SCHEMA,
        "package.toml": 'name = "p"\nversion = "1"\nentries = ["person.xsd"]\n',
    }
    install(samples.write_package(tmp_path / "p", files), tmp_path / "schemas", {}, accept_new=True)
    return Catalogue.open(tmp_path / "schemas")


def test_a_broken_data_type_tells_the_code_points(catalogue: Catalogue) -> None:
    """Place, code points and data type instead of a pattern of four pages; the text itself is not told."""
    document = (
        '<b:person xmlns:b="urn:b" ort="Köln 张"><name>Erika</name><name>Max\u202e \U0001f600geheim</name></b:person>'
    )
    findings = catalogue.validate(parse(document.encode())).findings

    assert [("/person/@ort", "din-91379"), ("/person/name[2]", "din-91379")] == [
        (one.path, one.rule) for one in findings
    ]
    assert (
        "name enthält Zeichen, die DIN 91379 (2022-08), Datentyp C nicht kennt: U+202E an Stelle 4, "
        in findings[1].hint
    )
    assert "U+1F600 an Stelle 6." in findings[1].hint
    assert not any(word in one.hint for one in findings for word in ("geheim", "Max", "Köln"))


def test_a_package_can_demand_it_of_all_text(make_package: PackageMaker, tmp_path: Path) -> None:
    """Text and attributes of a schema that only says xs:string are held against the data type of the manifest."""
    install(make_package(manifest=f'characters = "2022-08 A"\n{MANIFEST}'), tmp_path / "s", {}, accept_new=True)
    catalogue = Catalogue.open(tmp_path / "s")
    findings = catalogue.validate(parse(GOOD.replace("Muster", "Muster 7").encode())).findings

    assert {"/antrag/name", "/antrag/plz", "/antrag/geboren", "/antrag/@stand"} == {one.path for one in findings}
    assert {"din-91379"} == {one.rule for one in findings}


def test_without_a_demand_every_character_passes(make_package: PackageMaker, tmp_path: Path) -> None:
    """Nobody is refused for a character that neither schema nor package forbids."""
    install(make_package(), tmp_path / "s", {}, accept_new=True)

    assert Catalogue.open(tmp_path / "s").validate(parse(GOOD.replace("Muster", "张").encode())).is_valid


@pytest.mark.parametrize("demand", ["C", "2022-08 F", "2021 C", "2022-08"])
def test_a_demand_that_is_none_is_refused(make_package: PackageMaker, tmp_path: Path, demand: str) -> None:
    """A misspelt data type would check nothing: the package is not taken."""
    with pytest.raises(Misconfigured, match="characters"):
        install(make_package(manifest=f'characters = "{demand}"\n{MANIFEST}'), tmp_path / "s", {}, accept_new=True)


def test_the_official_types_are_recognised(official_catalogue: Catalogue) -> None:
    """Where a standard draws in the types of the norm or the DIN SPEC, their patterns are known."""
    found = {}
    for package in official_catalogue.packages.values():
        for entry in package.manifest.entries[:1]:
            characters = official_catalogue.schema(package, entry).characters
            found[package.id] = {(one.version, one.datatype) for one in characters.values()}

    assert {("2022-08", letter) for letter in "ABCDE"} == found["xmeld@25.11a"]
    assert sum(bool(kinds) for kinds in found.values()) >= 5
