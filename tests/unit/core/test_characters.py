"""The repertoires of DIN 91379, held against the schema types that KoSIT publishes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from intermediary.core.characters import (
    NORM,
    SPEC,
    Datatype,
    Version,
    repertoire,
    told,
    what_cannot_be_transported,
)

XS = "{http://www.w3.org/2001/XMLSchema}"
FILES: dict[Version, str] = {
    NORM: "schemas/common/xoev.de/schemata/din/91379/2022-08/din-norm-91379-datatypes.xsd",
    SPEC: "schemas/common/xoev.de/DIN-SPEC-91379/2019-03/datatypes/din-91379-datatypes.xsd",
}
_INTERESTING = st.text(
    st.one_of(
        st.characters(max_codepoint=0x2300, exclude_categories=("Cs",)),
        st.sampled_from("CSsKkLRlrZzŽžČčēōĪī\u0300\u0301\u0304\u0306\u030d\u0315\u031b\u0323\u0325\u0326\u0328\u035f"),
    ),
    max_size=6,
)


def _published(shared: Path, version: Version) -> dict[str, re.Pattern[str]]:
    """The patterns of the schema types; XSD's `\\-` and classes mean the same in `re`."""
    root = etree.parse(str(shared / FILES[version])).getroot()
    found = {}
    for kind in root.iter(f"{XS}simpleType"):
        pattern = next(kind.iter(f"{XS}pattern")).get("value", "")
        found[kind.get("name", "")[-1]] = re.compile(pattern)
    return found


@pytest.mark.parametrize("version", get_args(Version))
@pytest.mark.parametrize("datatype", get_args(Datatype))
def test_every_code_point_and_pair_is_judged_as_published(shared: Path, version: Version, datatype: Datatype) -> None:
    """No character of the planes in question, alone or before a combining mark, is judged otherwise than by KoSIT."""
    published = _published(shared, version)[datatype]
    ours = repertoire(datatype, version)
    points = [chr(point) for point in range(0x2FFF)]
    letters = [one for one in (*points[0x41:0x250], *points[0x1E00:0x1F00]) if one.isalpha()]
    pairs = [letter + mark for letter in letters for mark in map(chr, range(0x300, 0x332))]
    differing = [text for text in (*points, *pairs) if bool(published.fullmatch(text)) != (not ours.foreign(text))]

    assert [] == differing


@given(_INTERESTING)
def test_texts_are_judged_as_published(shared_or_none: Path | None, text: str) -> None:
    """Also sequences of three, and several characters in a row."""
    if shared_or_none is None:
        pytest.skip("no shared material: set INTERMEDIARY_SHARED")
    published = _cached(shared_or_none)["E"]

    assert bool(published.fullmatch(text)) == (not repertoire("E").foreign(text))


_CACHE: dict[Path, dict[str, re.Pattern[str]]] = {}


def _cached(shared: Path) -> dict[str, re.Pattern[str]]:
    if shared not in _CACHE:
        _CACHE[shared] = _published(shared, NORM)
    return _CACHE[shared]


def test_what_is_foreign_is_told_by_code_point_and_place() -> None:
    """Nothing else of the text is told, and every character is told that cannot travel."""
    found = repertoire("A").foreign("Erika\u202e 张x\U0001f600")

    assert "U+202E an Stelle 6, U+5F20 an Stelle 8, U+1F600 an Stelle 10" == told(found)


def test_what_is_told_is_bounded() -> None:
    """Of many foreign characters ten are told, and how many more there are."""
    assert told(repertoire().foreign("张" * 12)).endswith("U+5F20 an Stelle 10 und 2 weitere")


@pytest.mark.parametrize(
    ("text", "datatype", "foreign"),
    [
        ("M\u0302l\u0325la ẞettila Džurdža Oʼ", "A", ("U+02BC",)),
        ("Łódź Ștefan Ỳyvi", "A", ()),
        ("αβγ АБВ", "C", ("U+03B1", "U+03B2", "U+03B3", "U+0410", "U+0411", "U+0412")),
        ("αβγ АБВ", "E", ()),
        ("\u0301a", "C", ("U+0301",)),
        ("Zeile\nZeile", "B", ("U+000A",)),
        ("Zeile\nZeile", "C", ()),
        ("\x00", "E", ("U+0000",)),
    ],
)
def test_a_mapping_learns_what_cannot_be_transported(text: str, datatype: Datatype, foreign: tuple[str, ...]) -> None:
    """Each code point once, by data type; nothing is replaced."""
    assert foreign == what_cannot_be_transported(text, datatype)


def test_the_norm_has_more_than_the_spec() -> None:
    """What came with the norm is foreign to the DIN SPEC."""
    assert () == what_cannot_be_transported("ḗ ō̍", "C")
    assert ("U+1E17", "U+030D") == what_cannot_be_transported("ḗ ō̍", "C", SPEC)
