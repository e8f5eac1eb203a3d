"""The summary of an application for people: one HTML file without scripts, fetched parts or anything unescaped.

A Sachbearbeiter opens it in the e-file and reads the whole application: every field that was sent, in the order of
the form, under the names of the form. It is accessible (language, headings in order, description lists, a captioned
table, contrast) and prints on A4. The form data beside it remain the authoritative version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from pathlib import Path

from intermediary.core.ports import Kontext
from intermediary.mapping.accessor import Payload, boolean, date
from intermediary.mapping.german import write_bytes, write_date, write_moment
from intermediary.mapping.labels import Labels
from intermediary.xml.parser import Element

_STYLE = (Path(__file__).parent / "summary.css").read_text(encoding="utf-8")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_DEEPEST_HEADING = 6


@dataclass(frozen=True, slots=True)
class File:
    """A file that travels with the application, as the table of Anlagen shows it; `length` in bytes."""

    title: str
    original_name: str = field(repr=False)
    media_type: str
    length: int


def summary(
    payload: Payload,
    labels: Labels,
    *,
    facts: Sequence[tuple[str, str]],
    fields_heading: str,
    files: Sequence[File],
    closing: str,
) -> bytes:
    """The document as UTF-8 bytes.

    `facts` are name and value of the intake (receipt, file reference), shown first. `fields_heading` names the
    section of the fields that stand in no group. `closing` says where the authoritative version is.
    """
    lines = [
        "<!DOCTYPE html>",
        '<html lang="de">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(labels.title)} – Zusammenfassung</title>",
        f"<style>\n{_STYLE}</style>",
        "</head>",
        "<body>",
        f"<header><h1>{escape(labels.title)}</h1></header>",
        "<main>",
        *_section("Eingang", 2, _list((name, [_Shown(value)]) for name, value in facts)),
        *_form(payload.root, labels, fields_heading),
        *_section("Anlagen", 2, _table(files)),
        "</main>",
        f"<footer><p>{escape(closing)}</p></footer>",
        "</body>",
        "</html>",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def intake(kontext: Kontext, reference: str = "") -> list[tuple[str, str]]:
    """What stands first in a summary: test, correction, moment of receipt, file reference, key of the Nachricht."""
    facts = [("Hinweis", "Testnachricht, nicht bearbeiten")] if kontext.is_test else []
    if kontext.revision:
        facts.append(("Hinweis", f"Berichtigte Fassung {kontext.revision} derselben Einreichung"))
    facts.append(("Eingegangen am", write_moment(kontext.received_at)))
    if reference:
        facts.append(("Vorgangszeichen", reference))
    return [*facts, ("Kennung der Einreichung", kontext.key)]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A value as people read it, and what has to be said about it."""

    text: str = field(repr=False)
    note: str = ""


def _form(root: Element, labels: Labels, heading: str) -> Iterator[str]:
    """The root's groups are sections; its loose fields get one section wherever they stand between them."""
    for is_group, run in groupby(root, lambda one: labels.is_group(_name(one))):
        members = list(run)
        if is_group:
            yield from _groups(members, labels, 2)
        else:
            yield from _section(heading, 2, _fields(members, labels))


def _groups(groups: Sequence[Element], labels: Labels, level: int) -> Iterator[str]:
    for name, alike in groupby(groups, _name):
        members = list(alike)
        for number, group in enumerate(members, 1):
            title = labels.label(name) + (f" ({number} von {len(members)})" if len(members) > 1 else "")
            yield from _section(title, level, _group(group, labels, min(level + 1, _DEEPEST_HEADING)))


def _group(group: Element, labels: Labels, level: int) -> Iterator[str]:
    """Fields and groups in the order of the form: what follows a group stays behind it."""
    for is_group, run in groupby(group, lambda one: labels.is_group(_name(one))):
        members = list(run)
        yield from _groups(members, labels, level) if is_group else _fields(members, labels)


def _fields(fields: Sequence[Element], labels: Labels) -> Iterator[str]:
    shown = (
        (labels.label(name), [_show(name, _text(one), labels) for one in alike])
        for name, alike in groupby(fields, _name)
    )
    yield from _list(shown)


def _show(name: str, text: str, labels: Labels) -> _Shown:
    code = text.strip()
    meaning = labels.meaning(name, code)
    if meaning is not None:
        return _Shown(meaning, f"Code {code}")
    kind = labels.kinds.get(name, "text")
    if kind == "file":
        return _Shown(text, "Dateien siehe Abschnitt „Anlagen“")
    if not code:
        return _Shown("", "ohne Angabe")
    if labels.has_values(name):
        return _Shown(text, "nicht in der Werteliste des Formulars")
    return _Shown(_typed(kind, text))


def _typed(kind: str, text: str) -> str:
    """Dates and truth values in German; numbers as sent, because the forms use them for identifiers."""
    try:
        if kind == "date":
            return write_date(date(text))
        if kind == "bool":
            return "Ja" if boolean(text) else "Nein"
    except ValueError:
        return text
    return text


def _section(title: str, level: int, body: Iterable[str]) -> Iterator[str]:
    yield "<section>"
    yield f"<h{level}>{escape(title)}</h{level}>"
    yield from body
    yield "</section>"


def _list(entries: Iterable[tuple[str, Sequence[_Shown]]]) -> Iterator[str]:
    rows = [(name, values) for name, values in entries if values]
    if not rows:
        return
    yield "<dl>"
    for name, values in rows:
        yield f"<div><dt>{escape(name)}</dt>{''.join(f'<dd>{_value(one)}</dd>' for one in values)}</div>"
    yield "</dl>"


def _value(shown: _Shown) -> str:
    """`bdi` keeps right-to-left text from rearranging what stands beside it."""
    text = f"<bdi>{escape(shown.text)}</bdi>" if shown.text else ""
    note = f'<span class="note">({escape(shown.note)})</span>' if shown.note else ""
    return " ".join(part for part in (text, note) if part)


def _table(files: Sequence[File]) -> Iterator[str]:
    if not files:
        yield "<p>Mit dem Antrag wurden keine Dateien übermittelt.</p>"
        return
    yield "<table>"
    yield f"<caption>Mit dem Antrag übermittelte Dateien: {len(files)}</caption>"
    heads = ("Anlage", "Dateiname des Absenders", "Dateityp", "Größe")
    columns = "".join(f'<th scope="col">{head}</th>' for head in heads[:-1])
    yield f'<thead><tr>{columns}<th scope="col" class="number">{heads[-1]}</th></tr></thead>'
    yield "<tbody>"
    for file in files:
        yield (
            f'<tr><th scope="row">{escape(file.title)}</th><td><bdi>{escape(file.original_name)}</bdi></td>'
            f'<td>{escape(file.media_type)}</td><td class="number">{write_bytes(file.length)}</td></tr>'
        )
    yield "</tbody>"
    yield "</table>"


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: Element) -> str:
    return "".join(str(piece) for piece in element.itertext())
