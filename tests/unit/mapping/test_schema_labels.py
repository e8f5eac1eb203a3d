"""Labels from the attributes of an own schema."""

from __future__ import annotations

import pytest

from intermediary.mapping.labels import load_labels
from intermediary.mapping.schema_labels import labels_of_schema
from intermediary.xml.parser import parse

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:form="urn:intermediary:form"
 targetNamespace="urn:x">
<xs:element name="antrag" type="Antrag" form:label="Antrag auf etwas"/>
<xs:simpleType name="Art"><xs:restriction base="xs:token">
<xs:enumeration value="1" form:label="Neu"/></xs:restriction></xs:simpleType>
<xs:simpleType name="Tag"><xs:restriction base="xs:date"/></xs:simpleType>
<xs:complexType name="Antrag"><xs:sequence>
<xs:element name="art" type="Art" form:label="Art des Antrags"/>
<xs:element name="beginn" type="Tag" form:label="Beginn"/>
<xs:element name="einig" type="xs:boolean" form:label="Einig"/>
<xs:element name="nutzung" type="xs:token" form:label="Nutzung" form:list="urn:l_1"/>
</xs:sequence></xs:complexType></xs:schema>"""


def test_labels_kinds_lists_and_groups_are_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What people read stands where the fields are declared."""
    path = tmp_path_factory.mktemp("labels") / "labels.toml"
    path.write_text(labels_of_schema(parse(SCHEMA.encode()), sha256="0"), encoding="utf-8")
    labels = load_labels(path)

    assert "Antrag auf etwas" == labels.title
    assert "Art des Antrags" == labels.label("art")
    assert "Neu" == labels.meaning("art", "1")
    assert {"beginn": "date", "einig": "bool"} == labels.kinds
    assert {"art": "Art", "nutzung": "urn:l_1"} == labels.lists
    assert [True, False] == [labels.is_group("antrag"), labels.is_group("Gart")]


@pytest.mark.parametrize(
    "change", [('form:label="Beginn"', ""), ('name="einig" type="xs:boolean"', 'name="beginn" type="xs:boolean"')]
)
def test_gaps_and_contradictions_are_refused(change: tuple[str, str]) -> None:
    """An element without a label, and one name with two meanings, are mistakes of the schema."""
    with pytest.raises(ValueError, match="element"):
        labels_of_schema(parse(SCHEMA.replace(*change).encode()), sha256="0")
