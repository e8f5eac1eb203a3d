"""Values of the hostile corpus where a mapping meets them: looked up, written, named and judged as the text they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from intermediary.core.characters import repertoire
from intermediary.core.values import MemoryContent, Part
from intermediary.mapping.accessor import Payload
from intermediary.mapping.archive import stored_archive
from intermediary.mapping.codes import CodeTable
from intermediary.mapping.files import shown_name
from intermediary.validate.archives import fault_of_archive
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import parse
from tests.evil.corpus import CURATED, FOLDER

NS = "urn:beispiel:liste"
SCHEMA = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NS}" targetNamespace="{NS}">
  <xs:simpleType name="Farbe"><xs:restriction base="xs:string"><xs:enumeration value="rot"/></xs:restriction></xs:simpleType>
  <xs:element name="a" type="Farbe"/></xs:schema>"""
MODIFIER_APOSTROPHE = "O\u02bcConnor"
"""The list calls U+02BC good; the published data types of DIN 91379, which it wants asked, do not have it."""


def items(name: str) -> list[Any]:
    """The values of a list, of the shared corpus or of the curated selection."""
    folder = FOLDER if (FOLDER / "lists" / name).is_file() else CURATED
    path = folder / "lists" / name
    return json.loads(path.read_text("utf-8"))["items"] if path.is_file() else []


@pytest.mark.parametrize("value", items("xpath_values.json"))
def test_an_expression_in_a_value_is_a_value(value: str, tmp_path: Path) -> None:
    """A code list knows it literally or not at all, the accessor gives it back, and no finding repeats it."""
    root = etree.Element(f"{{{NS}}}a")
    etree.SubElement(root, "F00000001V1.0").text = value
    read = Payload(root).required("F00000001V1.0")
    rows = {"rot": "1", value: "2"}
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.xsd").write_text(SCHEMA)
    (package / "package.toml").write_text('name = "a"\nversion = "1"\nentries = ["a.xsd"]\n')
    wrong = etree.Element(f"{{{NS}}}a")
    wrong.text = value
    (finding,) = Catalogue.open(None, [package]).validate(parse(etree.tostring(wrong))).findings[:1]

    assert value == read.value
    assert CodeTable("farbe", "urn:f", "1", {"rot": "1"}).translate(read) is None
    found = CodeTable("farbe", "urn:f", "1", rows).translate(read)
    assert found is not None
    assert "2" == found.code.value
    assert "/a" == finding.path
    assert value not in f"{finding.path} {finding.rule} {finding.hint}"


@pytest.mark.parametrize("item", items("din91379.json"), ids=lambda item: item["why"])
def test_characters_are_judged_as_the_norm_does(item: dict[str, Any]) -> None:
    """Names are of data type A; what is said to belong to the extended repertoires is in E."""
    in_names = not repertoire("A").foreign(item["text"])
    in_all = not repertoire("E").foreign(item["text"])

    if item["ok"] == "datatype C only":
        assert (False, True) == (in_names, in_all)
    elif item["text"] == MODIFIER_APOSTROPHE:
        assert (False, False) == (in_names, in_all)
    else:
        assert (item["ok"], item["ok"]) == (in_names, in_all)


@pytest.mark.parametrize("item", items("filenames.json"), ids=lambda item: item["id"])
def test_a_file_name_is_only_shown(item: dict[str, Any]) -> None:
    """No path, no control character, no more than a file system bears; a good name is not touched."""
    part = Part(item["name"], "application/pdf", "attachment", MemoryContent(b"x"))
    shown = shown_name(part)

    assert not set("/\\\0\n\t\x1b\x07\x85\ud800").intersection(shown)
    assert len(shown) <= 255
    if item["expect"] == "accept-display-name-unchanged":
        assert item["name"] == shown
    shown.encode()


def test_the_archive_of_a_package_is_ours() -> None:
    """Names in a package come from us; one that is somebody's text is a defect and found by the reader of archives."""
    good, bad = (MemoryContent(stored_archive([(name, MemoryContent(b"x"))]).read()) for name in ("x.pdf", "../x.pdf"))

    assert "" == fault_of_archive(good)
    assert "archive-names" == fault_of_archive(bad)
