"""A form with what was entered: order, repetition, meanings, and what the form does not describe."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from intermediary.mapping.entries import Entry, entries_of_json, entries_of_xml
from intermediary.mapping.filled import Filled, Remark, Row, Section, fill, show
from intermediary.mapping.form import Form, FormField, FormGroup, identity_of
from intermediary.xml.parser import parse


def _field(name: str, label: str, kind: str = "text", **more: object) -> FormField:
    return FormField(identity_of(name), name, label, kind, **more)  # type: ignore[arg-type]


HUND = FormGroup(identity_of("G99000000001"), "G99000000001", "Hund", (_field("F99000000001", "Rufname"),), most=None)
FORM = Form(
    FormGroup(
        identity_of("S99000000001V1.0.0"),
        "S99000000001V1.0.0",
        "Anmeldung",
        (
            _field("F99000000002", "Hinweis", art="label", content="Bitte lesen."),
            HUND,
            _field("F99000000003", "Steuerfrei", "bool", help="Nur für Assistenzhunde."),
        ),
    )
)


def _fill(xml: str) -> Filled:
    return fill(FORM, entries_of_xml(parse(f"<S99000001>{xml}</S99000001>".encode())), loose="Weitere Angaben")


def test_order_and_titles_are_those_of_the_form() -> None:
    """Whatever order was sent: the fixed text, each repetition of the group counted, the loose field in its own section."""
    filled = _fill("<F99000003>1</F99000003><G99000001><F99000001>Waldi</F99000001></G99000001><G99000001/>")

    assert ["Weitere Angaben", "Hund", "Hund", "Weitere Angaben"] == [one.title for one in filled.sections]
    assert ["", "1 von 2", "2 von 2", ""] == [one.which for one in filled.sections]
    assert (Remark("Bitte lesen."),) == filled.sections[0].parts
    row = filled.sections[3].parts[0]
    assert isinstance(row, Row)
    assert ("Steuerfrei", "Ja") == (row.label, row.values[0].text)
    assert (("Steuerfrei", "Nur für Assistenzhunde."),) == filled.helps()


@pytest.mark.parametrize(
    "extra",
    [
        "<F99000099>neu</F99000099>",
        "<G99000001>Text statt Feldern</G99000001>",
        "<F99000003><x>tief</x></F99000003>",
        "<F99000001>am falschen Platz</F99000001>",
        '<F99000003 a="b">1</F99000003>',
    ],
)
def test_what_the_form_does_not_describe_is_kept(extra: str) -> None:
    """Unknown fields, texts where fields belong, fields where texts belong, misplaced and decorated ones: all are shown."""
    entry = entries_of_xml(parse(f"<S99000001>{extra}</S99000001>".encode()))
    filled = fill(FORM, entry, loose="x")

    assert {leaf.path for leaf in entry.leaves()} == filled.shown
    assert [leaf.path for leaf in entry.leaves()] == [row.label for row in filled.unknown]


def test_every_leaf_is_shown_exactly_once() -> None:
    """Known and unknown together are the whole payload."""
    entry = entries_of_json(
        b'{"G99000001": [{"F99000001": ["a", "b"], "z": 1}, {}], "F99000003": true, "q": {"r": [1, 2]}}'
    )
    filled = fill(FORM, entry, loose="x")
    places = [*_paths(filled.sections), *(value.path for row in filled.unknown for value in row.values)]

    assert sorted(leaf.path for leaf in entry.leaves() if leaf.text) == sorted(places)
    assert {leaf.path for leaf in entry.leaves()} == filled.shown


def _paths(parts: object) -> list[str]:
    found: list[str] = []
    for part in parts:  # type: ignore[attr-defined]
        if isinstance(part, Section):
            found += _paths(part.parts)
        elif isinstance(part, Row):
            found += [value.path for value in part.values]
    return found


LIST = {"values": MappingProxyType({"m": "Rüde", "AM": "AM"}), "list_name": "urn:x_1"}


@pytest.mark.parametrize(
    ("kind", "more", "text", "expected"),
    [
        ("date", {}, "2026-05-04", ("04.05.2026", "")),
        ("date", {}, "gestern", ("gestern", "")),
        ("bool", {}, "0", ("Nein", "")),
        ("num", {}, "12.50", ("12,50", "")),
        ("num", {}, "007", ("007", "")),
        ("num_int", {}, "01234", ("01234", "")),
        ("num_currency", {}, "1234567.8", ("1.234.567,8", "")),
        ("time", {}, "17:40:00", ("17:40 Uhr", "")),
        ("datetime", {}, "2026-04-20T09:05:30Z", ("20.04.2026, 09:05:30 Uhr (UTC)", "")),
        ("text", LIST, " m ", ("Rüde", "Schlüssel m")),
        ("text", LIST, "AM", ("AM", "")),
        ("text", LIST, "w", ("w", "nicht in der Werteliste des Formulars")),
        ("text", {"list_name": "urn:x_1"}, "w", ("w", "Schlüssel; Werteliste nicht hinterlegt")),
        ("text", {}, "  ", ("", "ohne Angabe")),
        ("file", {}, "", ("", "Datei siehe Abschnitt „Anlagen“")),
        ("file", {}, "QUJD" * 3000, ("Dateiinhalt, 9,0 kB, in den Formulardaten enthalten", "Angabe zur Datei")),
        ("text", {}, "lang " * 3000, ("lang " * 3000, "")),
    ],
)
def test_values_are_written_for_people(
    kind: str, more: dict[str, object], text: str, expected: tuple[str, str]
) -> None:
    """Dates, truth, amounts and codes in German; identifiers, long texts and what cannot be read exactly as sent."""
    shown = show(_field("F99000000001", "x", kind, **more), Entry("x", "/x", text))

    assert expected == (shown.text, shown.note)


def test_codes_in_the_spelling_of_xoev() -> None:
    """A code element with list and name: by the form's list, otherwise as the sender calls it, and that it is the sender."""
    for values, expected in (
        ({"01": "Dackel"}, ("Dackel", "Schlüssel 01")),
        ({}, ("Teckel", "Schlüssel 01, Bezeichnung des Absenders")),
    ):
        field = _field("F99000000001", "Rasse", values=MappingProxyType(values), list_name="urn:x_1")
        form = Form(FormGroup(identity_of("S99000000001"), "S99000000001", "t", (field,)))
        code = '<F99000001 listURI="u" listVersionID="1"><code>01</code><name>Teckel</name></F99000001>'
        xml = f"<S99000001>{code}</S99000001>".encode()
        filled = fill(form, entries_of_xml(parse(xml)), loose="x")
        row = filled.sections[0].parts[0]
        assert isinstance(row, Row)

        assert [expected] == [(value.text, value.note) for value in row.values]
        assert () == filled.unknown
