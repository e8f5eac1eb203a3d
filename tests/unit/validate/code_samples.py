"""A synthetic standard with all four kinds of code use, and the lists it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

NS = "urn:beispiel:codes"
GC = "http://docs.oasis-open.org/codelist/ns/genericode/1.0/"

SCHEMA = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NS}" targetNamespace="{NS}">
  <xs:simpleType name="farbe"><xs:restriction base="xs:token">
    <xs:enumeration value="rot"/><xs:enumeration value="blau"/></xs:restriction></xs:simpleType>
  <xs:complexType name="Code"><xs:sequence>
    <xs:element name="code" type="xs:token"/><xs:element name="name" type="xs:string" minOccurs="0"/></xs:sequence>
    <xs:attribute name="listURI" type="xs:anyURI"/><xs:attribute name="listVersionID" type="xs:normalizedString"/>
  </xs:complexType>
  <xs:complexType name="Eins"><xs:complexContent><xs:restriction base="Code">
    <xs:sequence><xs:element name="code" type="farbe"/></xs:sequence>
    <xs:attribute name="listURI" type="xs:anyURI" fixed="urn:beispiel:farbe"/>
    <xs:attribute name="listVersionID" type="xs:normalizedString" fixed="1"/>
  </xs:restriction></xs:complexContent></xs:complexType>
  <xs:complexType name="Zwei"><xs:complexContent><xs:restriction base="Code">
    <xs:sequence><xs:element name="code" type="xs:token"/></xs:sequence>
    <xs:attribute name="listURI" type="xs:anyURI" fixed="urn:beispiel:form"/>
    <xs:attribute name="listVersionID" type="xs:normalizedString" fixed="2"/>
  </xs:restriction></xs:complexContent></xs:complexType>
  <xs:complexType name="Drei"><xs:annotation><xs:appinfo><genutzteCodeSpalte>iso</genutzteCodeSpalte></xs:appinfo>
    </xs:annotation><xs:complexContent><xs:restriction base="Code">
    <xs:sequence><xs:element name="code" type="xs:token"/></xs:sequence>
    <xs:attribute name="listURI" type="xs:anyURI" fixed="urn:beispiel:land"/>
    <xs:attribute name="listVersionID" type="xs:normalizedString" use="required"/>
  </xs:restriction></xs:complexContent></xs:complexType>
  <xs:complexType name="Vier"><xs:complexContent><xs:restriction base="Code">
    <xs:sequence><xs:element name="code" type="xs:token"/></xs:sequence>
    <xs:attribute name="listURI" type="xs:anyURI" use="required"/>
    <xs:attribute name="listVersionID" type="xs:normalizedString" use="required"/>
  </xs:restriction></xs:complexContent></xs:complexType>
  <xs:element name="bestellung"><xs:complexType><xs:sequence>
    <xs:element name="eins" type="Eins" minOccurs="0"/><xs:element name="zwei" type="Zwei" minOccurs="0"/>
    <xs:element name="drei" type="Drei" minOccurs="0"/>
    <xs:element name="vier" type="Vier" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>
"""


def genericode(uri: str, version: str, codes: Iterable[str], *, iso: Mapping[str, str] | None = None) -> str:
    """A list with the key column `schluessel`, and a second one `iso` where it is given."""
    second = '<Column Id="iso" Use="required"><ShortName>iso</ShortName><Data Type="string"/></Column>' if iso else ""
    key = '<Key Id="k2"><ShortName>k2</ShortName><ColumnRef Ref="iso"/></Key>' if iso else ""
    rows = "".join(
        f'<Row><Value ColumnRef="schluessel"><SimpleValue>{code}</SimpleValue></Value>'
        + (f'<Value ColumnRef="iso"><SimpleValue>{iso[code]}</SimpleValue></Value>' if iso else "")
        + "</Row>"
        for code in codes
    )
    return (
        f'<gc:CodeList xmlns:gc="{GC}"><Identification><ShortName>x</ShortName><Version>{version}</Version>'
        f"<CanonicalUri>{uri}</CanonicalUri><CanonicalVersionUri>{uri}_{version}</CanonicalVersionUri></Identification>"
        '<ColumnSet><Column Id="schluessel" Use="required"><ShortName>s</ShortName><Data Type="string"/></Column>'
        f'{second}<Key Id="k1"><ShortName>k1</ShortName><ColumnRef Ref="schluessel"/></Key>{key}</ColumnSet>'
        f"<SimpleCodeList>{rows}</SimpleCodeList></gc:CodeList>"
    )


FORM = genericode("urn:beispiel:form", "2", ("rund", "eckig"))
LAND = genericode("urn:beispiel:land", "2026", ("1", "2"), iso={"1": "DE", "2": "FR"})
FREI = genericode("urn:beispiel:frei", "a", ("x",))

WITH_LISTS = """name = "codes"
version = "1"
entries = ["xsd/codes.xsd"]
code_lists = ["listen/form.xml", "listen/land.xml"]
"""


def write_package(folder: Path, files: Mapping[str, str]) -> Path:
    """A package folder with these files."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder
