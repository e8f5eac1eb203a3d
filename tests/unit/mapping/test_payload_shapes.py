"""One mapping reads every shape a payload of a FIM form comes in: converter's and portal's XFall, JSON."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from intermediary.core.faults import Rejected
from intermediary.core.ports import Antrag
from intermediary.core.values import MemoryContent, Part
from intermediary.mapping.api import Payload, boolean, date, decimal, integer, payload_of
from intermediary.testing.golden import antrag_of

CONVERTER = b"""<S05000000058V1.0.0 xmlns="urn:fim-de:xfall:datenschema:xdf3"><G05000000496V1.0.0>
<F05000000059V1.0.0>Muster</F05000000059V1.0.0><F05000000060V1.0.0>Anna</F05000000060V1.0.0>
<F05000000060V1.0.0>Eva</F05000000060V1.0.0><F05000000351V1.2.0>1985-08-12</F05000000351V1.2.0>
<F05000000900V1.0.0>1.50</F05000000900V1.0.0><F05000000901V1.0.0>7</F05000000901V1.0.0>
<F05000000902V1.0.0>true</F05000000902V1.0.0></G05000000496V1.0.0></S05000000058V1.0.0>"""
PORTAL = b"""<fim.S05000058.1 xmlns="urn:xoev-de:xfall:standard:fim-s05000058_1.0"><G05000496>
<F05000059>Muster</F05000059><F05000060>Anna</F05000060><F05000060>Eva</F05000060><F05000351>1985-08-12</F05000351>
<F05000900>1.50</F05000900><F05000901>7</F05000901><F05000902>true</F05000902></G05000496></fim.S05000058.1>"""
JSON = b"""{"$schema": "x", "G05000496": {"F05000059": "Muster", "F05000060": ["Anna", "Eva"],
"F05000351": "1985-08-12", "F05000900": 1.50, "F05000901": 7, "F05000902": true}}"""


def _json(data: bytes) -> Antrag:
    part = Part("daten.json", "application/json", "data", MemoryContent(data))
    return Antrag(antrag_of(b"<x/>").opened, part, None, ())


SHAPES = {"converter": antrag_of(CONVERTER), "portal": antrag_of(PORTAL), "json": _json(JSON)}
PLACES = {
    "converter": "/S05000000058V1.0.0/G05000000496V1.0.0/F05000000060V1.0.0[2]",
    "portal": "/fim.S05000058.1/G05000496/F05000060[2]",
    "json": "/G05000496/F05000060/1",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_read_by_the_same_names(shape: str) -> None:
    """Values, types and repetition are the same; each origin is the place in that payload."""
    payload = payload_of(SHAPES[shape])
    group = payload.group("G05000000496V1.0.0")
    names = group.repeated("F05000000060V1.0.0")

    assert "Muster" == group.required("F05000000059V1.0.0").value
    assert ["Anna", "Eva"] == [one.value for one in names]
    assert ("input", PLACES[shape]) == (names[1].kind, names[1].source)
    assert dt.date(1985, 8, 12) == group.required("F05000000351V1.2.0", date).value
    assert Decimal("1.50") == group.required("F05000000900V1.0.0", decimal).value
    assert 7 == group.required("F05000000901V1.0.0", integer).value
    assert group.required("F05000000902V1.0.0", boolean).value is True
    assert () == tuple(path for path in payload.unread() if path != "/$schema")


@pytest.mark.parametrize("shape", SHAPES)
def test_what_nobody_read_is_told_by_its_place(shape: str) -> None:
    """The first names were read, the second day was not."""
    payload = payload_of(SHAPES[shape])
    payload.group("G05000000496V1.0.0").repeated("F05000000060V1.0.0")
    unread = payload.unread()

    assert [] == [path for path in unread if "060" in path]
    assert 1 == len([path for path in unread if "0351" in path])
    assert len(list(payload.texts())) == len(unread) + 2


def test_a_version_that_is_named_is_another_field() -> None:
    """The converter's shape has versions: F…V2 is not F…V1, whatever else is sent."""
    payload = payload_of(SHAPES["converter"])

    assert payload.group("G05000000496V1.0.0").optional("F05000000059V2.0.0") is None
    assert payload.optional_group("G05000000496V1.1.0") is None


@pytest.mark.parametrize("shape", ["portal", "json"])
def test_what_is_missing_or_wrong_is_refused_with_its_place(shape: str) -> None:
    """A Befund names the place where the field would be, and the place of a value of another type."""
    group = payload_of(SHAPES[shape]).group("G05000000496V1.0.0")
    with pytest.raises(Rejected) as missing:
        group.required("F05000000999V1.0.0")
    with pytest.raises(Rejected) as wrong:
        group.required("F05000000059V1.0.0", date)

    assert missing.value.findings[0].path.endswith("/G05000496/F05000000999V1.0.0")
    assert wrong.value.findings[0].path.endswith("/G05000496/F05000059")


def test_an_element_of_a_standard_has_one_spelling() -> None:
    """Names that are no ids of FIM are compared as they are."""
    payload = Payload(antrag_of(b"<a><personV2>x</personV2><ort>y</ort></a>").tree)

    assert payload.optional("person") is None
    assert payload.optional("personV3") is None
    assert payload.optional("ortV1") is None
    assert "x" == payload.required("personV2").value


def test_json_has_a_root_without_name_and_no_attributes() -> None:
    """A walk over everything goes over entries; what says something of the file is none of them."""
    payload = payload_of(SHAPES["json"])

    assert payload.attribute("test") is None
    assert ["G05000496"] == [one.name for one in payload.root.entries]
    with pytest.raises(Rejected):
        payload_of(_json(b"[]"))
