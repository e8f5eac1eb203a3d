"""The document: nothing unescaped, nothing fetched, headings in order, equal bytes; and PDF/A of it."""

from __future__ import annotations

import importlib
import itertools
import re
import sys
import zlib
from html.parser import HTMLParser

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.core.ports import Antrag
from intermediary.core.values import MemoryContent, Opened, Part
from intermediary.mapping import pdf
from intermediary.mapping.document import Frame, document
from intermediary.mapping.filled import Filled, Remark, Row, Section, Value
from intermediary.mapping.letter import letter_sections
from intermediary.mapping.page import File

EVIL = '<script src="http://x/">"\'&\u202etxt\x1b'
METADATA = b"""{"$schema": "https://schema.fitko.de/fit-connect/metadata/1.5.0/metadata.schema.json",
"paymentInformation": {"status": "BOOKED", "grossAmount": 28.8, "transactionReference": "4711", "neu": "x"},
"authenticationInformation": [{"type": "identificationReport", "version": "1.0.0", "content": "eyJ"}]}"""


def _page(**more: object) -> bytes:
    deep = Section(EVIL, (Row(EVIL, (Value(EVIL, EVIL),)), Remark(EVIL)), which=EVIL)
    for _ in range(8):
        deep = Section("Gruppe", (Row("Feld", (Value("Wert"),)), deep), help=EVIL)
    filled = Filled(EVIL, (deep, Section("Leer", ())), (Row(EVIL, (Value(EVIL),)),), frozenset())
    frame = {
        "office": EVIL,
        "reference": EVIL,
        "facts": [(EVIL, EVIL)],
        "files": [File(EVIL, EVIL, EVIL, 5)],
        "closing": EVIL,
        "test": EVIL,
        "with_help": True,
    }
    return document(filled, Frame(**(frame | more)))  # type: ignore[arg-type]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()


def _read(page: bytes) -> _Reader:
    reader = _Reader()
    reader.feed(page.decode())
    reader.close()
    return reader


def test_nothing_of_the_payload_becomes_markup() -> None:
    """Every tag and attribute is one of ours, all are closed, and nothing could be fetched or run."""
    page = _page()
    reader = _read(page)

    assert [] == reader.open
    assert {"script", "a", "img", "link", "iframe"}.isdisjoint(reader.tags)
    assert {"class", "lang", "charset", "http-equiv", "content", "name", "scope", "role"} >= set(reader.attributes)
    assert b"default-src 'none'" in page


def test_characters_that_rearrange_or_have_no_place_are_named() -> None:
    """A name cannot pretend another file type, and no control character reaches the page."""
    page = _page().decode()

    assert "[U+202E]txt[U+001B]" in page
    assert {"\u202e", "\x1b"}.isdisjoint(page)


def test_headings_follow_each_other() -> None:
    """One title; no level is left out on the way down, however deep the groups are."""
    levels = [int(tag[1]) for tag in _read(_page()).tags if tag in ("h1", "h2", "h3", "h4", "h5", "h6")]

    assert 1 == levels.count(1)
    assert 1 == levels[0]
    assert all(lower <= upper + 1 for upper, lower in itertools.pairwise(levels))


def test_equal_arguments_give_equal_bytes_and_others_do_not() -> None:
    """The document is a function of its arguments."""
    assert _page() == _page()
    assert _page() != _page(test="")
    assert b"Erl\xc3\xa4uterungen" not in _page(with_help=False)


def test_payment_and_identity_of_the_letter_are_shown() -> None:
    """From a FIT-Connect metadata part and from the facts of the door; other JSON is only an attachment."""
    parts = [
        Part("metadata.json", "application/json; charset=utf-8", "attachment", MemoryContent(METADATA)),
        Part(
            "x.json", "application/json", "attachment", MemoryContent(b'{"paymentInformation": {"status": "BOOKED"}}')
        ),
        Part("y.json", "application/json", "attachment", MemoryContent(b"{")),
    ]
    facts = {"identity.level": "substantiell", "service": "urn:x"}
    opened = Opened("f", "t", "id", "s", (), tuple(parts), (), (), "p", facts=facts)
    sections = letter_sections(Antrag(opened, parts[0], None, tuple(parts)))
    shown = [(row.label, row.values[0].text) for one in sections for row in one.parts if isinstance(row, Row)]

    assert ["Zahlung", "Identität des Antragstellers"] == [one.title for one in sections]
    assert [
        ("Stand der Zahlung", "gebucht"),
        ("Betrag", "28,8 Euro"),
        ("Kassenzeichen", "4711"),
        ("neu", "x"),
        ("Vertrauensniveau", "substantiell"),
        ("Art des Nachweises", "identificationReport"),
        ("Fassung", "1.0.0"),
    ] == shown
    assert () == letter_sections(Antrag(Opened("f", "t", "id", "s", (), (), (), (), "p"), parts[0], None, ()))


# WeasyPrint leaves its colour profile to the garbage collector, which closes it.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_pdf_is_tagged_and_equal_again() -> None:
    """PDF/A-2a, with structure for screen readers, the same bytes from the same page, and nothing fetched."""
    if pdf.pdf_missing():
        pytest.skip(pdf.pdf_missing())
    page = _page()
    made = pdf.pdf_of(page)

    assert made.startswith(b"%PDF-1.7")
    assert made == pdf.pdf_of(page)
    assert b"pdfaid:part" in _inflated(made)
    assert b"/MarkInfo" in _inflated(made)
    assert b"/StructTreeRoot" in _inflated(made)
    assert {b"/URI", b"/JavaScript", b"/EmbeddedFile"}.isdisjoint(re.findall(rb"/\w+", _inflated(made)))


def _inflated(made: bytes) -> bytes:
    """The file with its streams unpacked, behind each other."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL)
    return made + b"".join(zlib.decompressobj().decompress(one) for one in streams if one[:1] == b"x")


def test_without_the_extra_the_operator_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A route that wants PDF waits with a hint to the package, and lint can say so before."""
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    assert "[pdf]" in importlib.import_module("intermediary.mapping.pdf").pdf_missing()

    with pytest.raises(Misconfigured) as caught:
        pdf.pdf_of(b"<html></html>")

    assert ["settings.darstellung"] == [one.path for one in caught.value.findings]
