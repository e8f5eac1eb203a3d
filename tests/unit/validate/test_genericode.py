"""Reading genericode: what is a list, and what is none."""

from __future__ import annotations

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate import genericode
from intermediary.validate.genericode import read_code_list
from tests.unit.validate import code_samples as samples

GOOD = samples.genericode("urn:beispiel:farbe", "1", ("rot", "blau"))


def _read(text: str) -> genericode.CodeList:
    return read_code_list(text.encode(), where="farbe.xml")


def test_a_list_has_its_name_and_codes() -> None:
    """URI, version and the codes of the key column are what documents are held against."""
    found = _read(GOOD)

    assert ("urn:beispiel:farbe", "1", "schluessel") == (found.uri, found.version, found.column)
    assert {"rot", "blau"} == found.codes()


def test_the_recommended_key_column_counts() -> None:
    """A publisher's recommendation decides between key columns; a schema may choose another one."""
    text = samples.LAND.replace(
        '<Key Id="k2">',
        '<Key Id="k2"><Annotation><AppInfo><r:recommendedKeyColumn xmlns:r="urn:r"/></AppInfo></Annotation>',
    )
    found = _read(text)

    assert {"DE", "FR"} == found.codes()
    assert {"1", "2"} == found.codes("schluessel")


def test_qualified_children_are_read() -> None:
    """FIM editors put the children into the namespace, which OASIS forbids: such a list is read all the same."""
    qualified = GOOD.replace("gc:CodeList", "CodeList").replace("xmlns:gc=", "xmlns=")

    assert {"rot", "blau"} == _read(qualified).codes()


def test_a_value_without_reference_belongs_to_the_next_column() -> None:
    """As genericode says, such a value stands in the column after the one before."""
    text = samples.LAND.replace('<Value ColumnRef="iso">', "<Value>")

    assert {"DE", "FR"} == _read(text).codes("iso")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOOD.replace("blau", "rot"), "row 2: the code is there twice"),
        (GOOD.replace(">blau", "> rot "), "row 2: the code is there twice"),
        (GOOD.replace(">blau", ">"), "row 2: a code is empty"),
        (GOOD.replace(">blau", ">b\u202elau"), "row 2: a code is empty, too long or not printable"),
        (GOOD.replace(">blau", ">" + "b" * 600), "row 2: a code is empty, too long"),
        (GOOD.replace('<Value ColumnRef="schluessel"><SimpleValue>blau</SimpleValue></Value>', ""), "a required value"),
        (GOOD.replace('ColumnRef Ref="schluessel"', 'ColumnRef Ref="fremd"'), "a key of a column that is not there"),
        (GOOD.replace("Key", "Schluessel"), "no key column"),
        (GOOD.replace("<Version>1</Version>", ""), "CanonicalUri and Version"),
        (GOOD.replace("urn:beispiel:farbe<", "urn: beispiel<"), "CanonicalUri and Version"),
        (GOOD.replace("<SimpleCodeList>", "<CodeListRef/><SimpleCodeList>"), "nothing is fetched"),
        (GOOD.replace("ColumnSet", "ColumnSetRef"), "nothing is fetched"),
        (GOOD.replace("gc:CodeList ", "gc:CodeListSet ").replace("gc:CodeList>", "gc:CodeListSet>"), "the root is not"),
        ('<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + GOOD.replace("blau", "&b;"), "xml.dtd-forbidden"),
        (GOOD[:-5], "xml.malformed"),
    ],
)
def test_what_is_no_usable_list_is_refused_with_its_reason(text: str, reason: str) -> None:
    """Every trap has its own words, and none repeats a value."""
    with pytest.raises(Misconfigured) as caught:
        _read(text)

    assert "validate.codelist.broken" == caught.value.code
    assert caught.value.where.startswith("farbe.xml: ")
    assert reason in caught.value.where
    assert "blau" not in caught.value.where


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of rows is told."""
    monkeypatch.setattr(genericode, "MAX_ROWS", 1)
    with pytest.raises(Misconfigured, match="more than 1 rows"):
        _read(GOOD)
