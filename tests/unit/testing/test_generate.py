"""The walker over input schemas: values within the limits of their types, the same for the same seed."""

from __future__ import annotations

import random
from decimal import Decimal

import xmlschema

from intermediary.testing.generate import Generator
from intermediary.xml.parser import parse

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x" elementFormDefault="qualified">
<xs:element name="a"><xs:complexType><xs:sequence>
<xs:element name="n"><xs:simpleType><xs:restriction base="xs:integer">
<xs:minInclusive value="1"/><xs:maxInclusive value="3"/></xs:restriction></xs:simpleType></xs:element>
<xs:element name="d"><xs:simpleType><xs:restriction base="xs:decimal"><xs:fractionDigits value="2"/>
<xs:minInclusive value="0"/><xs:maxInclusive value="2.5"/></xs:restriction></xs:simpleType></xs:element>
<xs:element name="u"><xs:simpleType><xs:restriction base="xs:token">
<xs:pattern value="[a-f]{8}-[a-f]{8}"/></xs:restriction></xs:simpleType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""


def _documents(seed: int, count: int) -> list[bytes]:
    generator = Generator(
        xmlschema.XMLSchema(SCHEMA),
        "a",
        random.Random(seed),
        accepts=lambda document: True,
        likely={"u": ("abcdefab-abcdefab",)},
        share=0.5,
    )
    return [generator.document() for _ in range(count)]


def test_numbers_stay_within_their_limits() -> None:
    """Small ranges are found, their ends too, and decimals come with and without a fraction."""
    found = [[str(one.text) for one in parse(document)] for document in _documents(1, 60)]

    assert {"1", "2", "3"} == {number for number, _, _ in found}
    assert all(Decimal(0) <= Decimal(number) <= Decimal("2.5") for _, number, _ in found)
    assert {"0", "2.5"} <= {number for _, number, _ in found}
    assert any("." in number and number != "2.5" for _, number, _ in found)


def test_a_value_that_drawing_does_not_find_is_a_likely_one() -> None:
    """A pattern that random letters never match is served by the values at hand."""
    assert {"abcdefab-abcdefab"} == {str(parse(document)[2].text) for document in _documents(2, 3)}


def test_a_seed_names_an_input() -> None:
    """The same seed gives the same documents, another one others."""
    assert _documents(3, 5) == _documents(3, 5)
    assert _documents(3, 5) != _documents(4, 5)
