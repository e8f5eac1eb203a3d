"""The application as a document for the file: one HTML page without scripts, fetched parts or anything unescaped.

A Sachbearbeiter reads and files it; it prints on A4 with page numbers, and is accessible: language, one title, headings in
order and numbered, description lists, a captioned table, contrast. The form data beside it remain the authoritative version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from intermediary.mapping.filled import Filled, Remark, Row, Section, Value
from intermediary.mapping.page import File, escaped, file_table, head, value

_STYLE = (Path(__file__).parent / "document.css").read_text(encoding="utf-8")
_DEEPEST_HEADING = 6
_DEEPEST_NUMBER = 4
_SHORT = 400
_LONG_LABEL = 30
_ANSWERS = ("Ja", "Nein")

Part = Row | Remark | Section


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds the application in its document.

    `office` is who files it, `reference` the file reference that stands on every page, `facts` name and value of the intake.
    `extra` are sections before the Anlagen (payment, identity); `test` the sentence of a test, empty in earnest; `closing`
    says where the authoritative version is. `with_help` adds the form's explanations at the end.
    """

    office: str
    reference: str
    facts: Sequence[tuple[str, str]] = field(repr=False)
    files: Sequence[File] = field(repr=False)
    closing: str
    extra: Sequence[Section] = field(default=(), repr=False)
    test: str = ""
    with_help: bool = False


def document(filled: Filled, frame: Frame) -> bytes:
    """The page as UTF-8 bytes; equal arguments give equal bytes."""
    lines = [
        *head(f"{filled.title} – {frame.reference}", _STYLE),
        "<body>",
        "<header>",
        f'<p class="office">{escaped(frame.office)}</p>',
        f"<h1>{escaped(filled.title)}</h1>",
        f'<p class="reference">{escaped(frame.reference)}</p>',
        "</header>",
        "<main>",
        *_body(filled, frame),
        "</main>",
        f"<footer><p>{escaped(frame.closing)}</p></footer>",
        "</body>",
        "</html>",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _body(filled: Filled, frame: Frame) -> Iterator[str]:
    if frame.test:
        yield f'<p class="test" role="note">{escaped(frame.test)}</p>'
    yield from _block("Eingang", "facts", _list([Row(name, (Value(text),)) for name, text in frame.facts]))
    numbered = [*filled.sections, *frame.extra]
    for number, section in enumerate(numbered, 1):
        yield from _section(section, 2, str(number))
    if not filled.sections:
        yield "<p>Die Formulardaten enthalten keine Angaben zu diesem Formular.</p>"
    yield from _block(f"{len(numbered) + 1} Anlagen", "", file_table(frame.files))
    if filled.unknown:
        yield from _block("Nicht im Formular beschrieben", "unknown", _unknown(filled.unknown))
    helps = filled.helps() if frame.with_help else ()
    if helps:
        rows = [Row(label, (Value(text),)) for label, text in helps]
        yield from _block("Erläuterungen des Formulars", "helps", _list(rows))


def _unknown(rows: Sequence[Row]) -> Iterator[str]:
    yield (
        "<p>Diese Angaben hat der Absender übermittelt; das hinterlegte Formular kennt sie nicht. "
        "Genannt ist die Stelle in den Formulardaten.</p>"
    )
    yield from _list(rows)


def _section(section: Section, level: int, number: str) -> Iterator[str]:
    which = f' <span class="which">({escaped(section.which)})</span>' if section.which else ""
    depth = number.count(".") + 1
    label = f"{number} " if depth <= _DEEPEST_NUMBER else ""
    tag = f"h{min(level, _DEEPEST_HEADING)}"
    yield "<section>"
    yield f"<{tag}>{label}{escaped(section.title)}{which}</{tag}>"
    yield from _parts(section.parts, level + 1, number)
    if not section.parts:
        yield "<p>ohne Angabe</p>"
    yield "</section>"


def _parts(parts: Sequence[Part], level: int, number: str) -> Iterator[str]:
    """Rows that follow each other are one list; groups keep their place between them."""
    inner = 0
    for kind, run in groupby(parts, type):
        members = list(run)
        if kind is Row:
            yield from _list([one for one in members if isinstance(one, Row)])
            continue
        for one in members:
            if isinstance(one, Section):
                inner += 1
                yield from _section(one, level, f"{number}.{inner}")
            elif isinstance(one, Remark):
                yield f'<p class="remark">{escaped(one.text)}</p>'


def _block(title: str, style: str, body: Iterable[str]) -> Iterator[str]:
    yield f'<section class="{style}">' if style else "<section>"
    yield f"<h2>{escaped(title)}</h2>"
    yield from body
    yield "</section>"


def _list(rows: Sequence[Row]) -> Iterator[str]:
    filled = [row for row in rows if row.values]
    if not filled:
        return
    yield "<dl>"
    for row in filled:
        style = _style(row)
        values = "".join(f"<dd>{value(one.text, one.note)}</dd>" for one in row.values)
        yield f"<div{style}><dt>{escaped(row.label)}</dt>{values}</div>"
    yield "</dl>"


def _style(row: Row) -> str:
    """`short` stays on one page; a `question` is a long label with yes or no, and gets the room."""
    if len(row.label) > _LONG_LABEL and all(value.text in _ANSWERS for value in row.values):
        return ' class="short question"'
    return ' class="short"' if sum(len(value.text) for value in row.values) <= _SHORT else ""
