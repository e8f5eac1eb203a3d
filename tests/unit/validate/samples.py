"""Synthetic schema packages, and where the shared material has the official ones."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

NS = "urn:beispiel:antrag"

ANTRAG = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NS}" targetNamespace="{NS}"
    elementFormDefault="qualified">
  <xs:include schemaLocation="typen.xsd"/>
  <xs:element name="antrag"><xs:complexType><xs:sequence>
    <xs:element name="name" type="NameType"/>
    <xs:element name="plz"><xs:simpleType><xs:restriction base="xs:string">
      <xs:pattern value="[0-9]{{5}}"/></xs:restriction></xs:simpleType></xs:element>
    <xs:element name="zusatz" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
      <xs:pattern value="[\\\\p{{L}}0-9. ]*"/></xs:restriction></xs:simpleType></xs:element>
    <xs:element name="geboren" type="xs:date"/>
    <xs:element name="art" type="ArtType" maxOccurs="unbounded"/>
  </xs:sequence><xs:attribute name="stand" type="xs:integer" use="required"/></xs:complexType></xs:element>
</xs:schema>
"""

TYPEN = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NS}" targetNamespace="{NS}">
  <xs:simpleType name="NameType"><xs:restriction base="xs:string">
    <xs:maxLength value="20"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="ArtType"><xs:restriction base="xs:string">
    <xs:enumeration value="neu"/><xs:enumeration value="alt"/></xs:restriction></xs:simpleType>
</xs:schema>
"""

MANIFEST = """name = "antrag"
version = "1"
entries = ["antrag.xsd"]
"""

GOOD = (
    f'<antrag xmlns="{NS}" stand="1"><name>Muster</name><plz>12345</plz>'
    "<geboren>2000-01-01</geboren><art>neu</art></antrag>"
)

PackageMaker = Callable[..., Path]

OTHER_FOLDERS = {
    "w3c-basis@1": "common/www.w3.org",
    "xoev-basis@2024": "common/xoev.de",
    "xinneres-basis@25.11": "common/www.osci.de",
    "kosit-validator@1": "kosit-validator/1.x/xsd",
    "ubl@2.1": "xrechnung/ubl-2.1",
    "cii@d16b": "xrechnung/cii-d16b",
}


def zipped(folder: Path, *, below: str = "") -> Path:
    """The folder as a ZIP file beside it."""
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, below + path.relative_to(folder).as_posix())
    return target


def shared_folder(shared: Path, package: str) -> Path:
    """Where the shared material has the files of a pinned package."""
    if "-codelisten@" in package:
        return shared / "schemas" / package.replace("-codelisten@", "/") / "codelisten"
    if "-regeln@" in package:
        return shared / "schemas" / package.replace("-regeln@", "/") / "schematron"
    return shared / "schemas" / OTHER_FOLDERS.get(package, package.replace("@", "/"))
