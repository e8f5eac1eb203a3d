"""Garbage is no xs:base64Binary, although libxml2 passes over every character it does not know."""

from __future__ import annotations

import pytest
from lxml import etree

from intermediary.core.values import Befund
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import parse
from tests.unit.validate.samples import PackageMaker

NS = "urn:beispiel:anlage"
ENTRY = f"""<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:a="{NS}" targetNamespace="{NS}">
  <s:annotation/>
  <s:include schemaLocation="typen.xsd"/>
  <s:element name="anlage"><s:complexType><s:sequence>
    <s:element name="inhalt" type="s:base64Binary" minOccurs="0"/>
    <s:element name="bild" type="a:Bild" minOccurs="0"/>
    <s:element name="datei" type="a:Datei" minOccurs="0"/>
    <s:element name="kurz" type="a:Kurz" minOccurs="0"/>
    <s:element name="liste" type="a:Liste" minOccurs="0"/>
    <s:element name="wahl" type="a:Wahl" minOccurs="0"/>
    <s:element name="frei" minOccurs="0"/>
  </s:sequence><s:attribute name="siegel" type="s:base64Binary"/></s:complexType></s:element>
  <s:element name="text"><s:complexType><s:sequence><s:element name="inhalt" type="s:string"/></s:sequence>
  </s:complexType></s:element>
</s:schema>"""
TYPES = f"""<schema xmlns="http://www.w3.org/2001/XMLSchema" xmlns:a="{NS}" targetNamespace="{NS}">
  <simpleType name="Bild"><restriction base="base64Binary"><maxLength value="9"/></restriction></simpleType>
  <complexType name="Datei"><simpleContent><extension base="base64Binary"><attribute name="name" type="string"/>
    </extension></simpleContent></complexType>
  <simpleType name="Kurz"><restriction base="base64Binary"><pattern value="A.*"/><pattern value="B.*"/></restriction>
  </simpleType>
  <simpleType name="Liste"><list itemType="base64Binary"/></simpleType>
  <simpleType name="Wahl"><union memberTypes="int base64Binary"/></simpleType>
</schema>"""
MANIFEST = 'name = "anlage"\nversion = "1"\nentries = ["anlage.xsd"]\n'
RULE = "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"


@pytest.fixture
def catalogue(make_package: PackageMaker) -> Catalogue:
    """Base64 as an element and an attribute, restricted, extended, in a list and in a union, over two documents."""
    return Catalogue.open(None, [make_package("anlage", {"anlage.xsd": ENTRY, "typen.xsd": TYPES}, MANIFEST)])


@pytest.mark.parametrize("garbage", ["JV!BERg==", "äöü", "-_-_", "AAA&#160;A"])
@pytest.mark.parametrize("name", ["inhalt", "bild", "datei", "kurz", "liste", "wahl"])
def test_garbage_is_not_valid(catalogue: Catalogue, name: str, garbage: str) -> None:
    """Wherever the type is used, directly or derived: not valid, at its place, and nothing of the value is told."""
    verdict = catalogue.validate(parse(_document(f"<{name}>{garbage}</{name}>")))

    assert not verdict.is_valid
    assert {f"/anlage/{name}"} == {one.path for one in verdict.findings}
    assert not any("BERg" in one.hint or "ö" in one.hint for one in verdict.findings)


def test_the_finding_names_place_and_rule_of_elements_and_attributes(catalogue: Catalogue) -> None:
    """The rule is that of the data type; the hint says that it is Base64 that was expected."""
    document = f'<a:anlage xmlns:a="{NS}" siegel="ge heim!12"><datei>%ABCD</datei></a:anlage>'

    assert (
        Befund(
            "validate.input.invalid",
            path="/anlage/@siegel",
            line=1,
            rule=RULE,
            hint="siegel enthält Zeichen, die es in Base64 nicht gibt.",
        ),
        Befund(
            "validate.input.invalid",
            path="/anlage/datei",
            line=1,
            rule=RULE,
            hint="datei enthält Zeichen, die es in Base64 nicht gibt.",
        ),
    ) == catalogue.validate(parse(document.encode())).findings


@pytest.mark.parametrize(
    "content",
    [
        "<inhalt/>",
        "<inhalt> JVBE\n\tRg= =\n</inhalt>",
        "<bild>JVBERg==</bild>",
        '<datei name="%!">JVBERg==</datei>',
        "<kurz>AAAA</kurz><liste>AAAA BBBB</liste><wahl>-12</wahl>",
    ],
)
def test_what_is_base64_stays_valid(catalogue: Catalogue, content: str) -> None:
    """White space between the characters included; other members of a union are as they were."""
    assert catalogue.validate(parse(_document(content))).is_valid


def test_an_element_of_the_same_name_may_hold_any_text(catalogue: Catalogue) -> None:
    """The type decides and not the name: `inhalt` is a text elsewhere."""
    document = f'<a:text xmlns:a="{NS}"><inhalt>äöü!</inhalt></a:text>'

    assert catalogue.validate(parse(document.encode())).is_valid


@pytest.mark.parametrize(
    ("name", "content", "rules"),
    [
        ("inhalt", "JVBERg==", set()),
        ("frei", "JVBERg==", set()),
        ("inhalt", "JV!BERg==", {RULE}),
        ("bild", "JVBERg==", {"SCHEMAV_CVC_ELT_4_3"}),
    ],
)
def test_a_document_may_name_the_type_itself(catalogue: Catalogue, name: str, content: str, rules: set[str]) -> None:
    """`xsi:type="xs:base64Binary"` is judged as the schema before it was made strict would; the document stays as it is."""
    tree = parse(
        f'<a:anlage xmlns:a="{NS}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
        f'<{name} xmlns:x="http://www.w3.org/2001/XMLSchema" i:type="x:base64Binary">{content}</{name}></a:anlage>'.encode()
    )
    before = etree.tostring(tree)

    findings = catalogue.validate(tree).findings

    assert rules == {one.rule for one in findings}
    assert {f"/anlage/{name}"} == {one.path for one in findings} or not findings
    assert before == etree.tostring(tree)


def _document(content: str) -> bytes:
    return f'<a:anlage xmlns:a="{NS}">{content}</a:anlage>'.encode()
