"""The document for people: everything escaped, German, in the order of the form."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from intermediary.mapping.accessor import Payload
from intermediary.mapping.labels import Labels
from intermediary.mapping.page import File
from intermediary.mapping.summary import summary
from intermediary.xml.parser import parse

LABELS = Labels(
    title="Antrag <1>",
    labels={
        "F1": "Name",
        "G1": "Person",
        "F2": "Geboren",
        "F3": "Art",
        "F4": "Datei",
        "G2": "Ort",
        "F5": "PLZ",
        "F6": "Ja?",
    },
    kinds={"F2": "date", "F4": "file", "F6": "bool"},
    lists={"F3": "Arten_1"},
    values={"Arten_1": {"01": "Neu & gut"}},
)


class _Outline(HTMLParser):
    """Tags and text, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data + "|"


def _made(body: str, files: tuple[File, ...] = ()) -> tuple[str, _Outline]:
    payload = Payload(parse(f"<S1>{body}</S1>".encode()))
    html = summary(
        payload, LABELS, facts=[("Eingang", "<heute>")], fields_heading="Loses", files=files, closing="Ende."
    )
    outline = _Outline()
    outline.feed(html.decode())
    return html.decode(), outline


def test_nothing_is_executed_or_fetched() -> None:
    """Values, names and titles are escaped; there is no script, link, image or frame."""
    evil = "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=y&gt;"
    html, outline = _made(f"<G1><F1>{evil}</F1><F9>{evil}</F9></G1>", (File("A", "<b>.pdf", "x/<y>", 1),))
    known = {tag for tag, _ in outline.tags}

    assert known.isdisjoint({"script", "img", "link", "iframe", "object", "a", "form", "b"})
    assert not any(
        name.startswith("on") or name in ("src", "href") for _, attributes in outline.tags for name in attributes
    )
    assert "default-src 'none'" in html
    assert "url(" not in html


def test_structure_is_accessible() -> None:
    """Language, one first-level heading, no skipped level, captioned table with scopes."""
    _, outline = _made(
        "<F1>a</F1><G1><F1>b</F1><G2><F5>1</F5></G2></G1>", (File("Anlage 1", "a.pdf", "application/pdf", 1500),)
    )
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch("h[1-6]", tag)]

    assert ("html", {"lang": "de"}) in outline.tags
    assert 1 == levels.count(1)
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert {"col", "row"} == {attributes["scope"] for tag, attributes in outline.tags if tag == "th"}
    assert "caption" in {tag for tag, _ in outline.tags}
    assert "1,5 kB" in outline.text


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("<F2>1951-08-10</F2>", "10.08.1951"),
        ("<F2>12026-01-01</F2>", "12026-01-01"),
        ("<F6>true</F6>", "Ja"),
        ("<F3> 01 </F3>", "Neu & gut| |(Code 01)"),
        ("<F3>77</F3>", "77| |(nicht in der Werteliste des Formulars)"),
        ("<F4/>", "(Dateien siehe Abschnitt „Anlagen“)"),
        ("<F1> </F1>", "(ohne Angabe)"),
        ("<F1>a</F1><F1>b</F1>", "Name|a|b"),
    ],
)
def test_values_are_written_for_people(body: str, shown: str) -> None:
    """Dates are German, codes have their meaning, odd and empty values say so."""
    assert shown in _made(f"<G1>{body}</G1>")[1].text


def test_fields_after_a_group_stay_behind_it() -> None:
    """The order is the order of the form."""
    text = _made("<G1><F1>a</F1><G2><F5>12345</F5></G2><F3>01</F3></G1>")[1].text

    assert text.index("Person") < text.index("|a|") < text.index("Ort") < text.index("12345") < text.index("Art")


def test_alike_groups_are_numbered() -> None:
    """Repeated groups can be told apart."""
    text = _made("<G1><F1>a</F1></G1><G1><F1>b</F1></G1>")[1].text

    assert "Person (1 von 2)" in text
    assert "Person (2 von 2)" in text
