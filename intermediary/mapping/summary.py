"""The summary of an application for people: one HTML file without scripts, fetched parts or anything unescaped.

A Sachbearbeiter opens it in the e-file and reads the whole application: every field that was sent, in the order of
the form, under the names of the form. It is accessible (language, headings in order, description lists, a captioned
table, contrast) and prints on A4. The form data beside it remain the authoritative version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from intermediary.core.ports import Kontext
from intermediary.mapping.accessor import Payload, boolean, date
from intermediary.mapping.entries import Entry
from intermediary.mapping.filled import Value
from intermediary.mapping.german import write_date, write_moment
from intermediary.mapping.labels import Labels
from intermediary.mapping.page import File, escaped, file_table, head, value
from intermediary.xml.parser import Element

_STYLE = (Path(__file__).parent / "summary.css").read_text(encoding="utf-8")
_DEEPEST_HEADING = 6


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
        *head(f"{labels.title} – Zusammenfassung", _STYLE),
        "<body>",
        f"<header><h1>{escaped(labels.title)}</h1></header>",
        "<main>",
        *_section("Eingang", 2, _list((name, [Value(value)]) for name, value in facts)),
        *_form(payload.root, labels, fields_heading),
        *_section("Anlagen", 2, file_table(files)),
        "</main>",
        f"<footer><p>{escaped(closing)}</p></footer>",
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


_Field: TypeAlias = Element | Entry


def _form(root: _Field, labels: Labels, heading: str) -> Iterator[str]:
    """The root's groups are sections; its loose fields get one section wherever they stand between them."""
    for is_group, run in groupby(_inside(root), lambda one: labels.is_group(_name(one))):
        members = list(run)
        if is_group:
            yield from _groups(members, labels, 2)
        else:
            yield from _section(heading, 2, _fields(members, labels))


def _groups(groups: Sequence[_Field], labels: Labels, level: int) -> Iterator[str]:
    for name, alike in groupby(groups, _name):
        members = list(alike)
        for number, group in enumerate(members, 1):
            title = labels.label(name) + (f" ({number} von {len(members)})" if len(members) > 1 else "")
            yield from _section(title, level, _group(group, labels, min(level + 1, _DEEPEST_HEADING)))


def _group(group: _Field, labels: Labels, level: int) -> Iterator[str]:
    """Fields and groups in the order of the form: what follows a group stays behind it."""
    for is_group, run in groupby(_inside(group), lambda one: labels.is_group(_name(one))):
        members = list(run)
        yield from _groups(members, labels, level) if is_group else _fields(members, labels)


def _fields(fields: Sequence[_Field], labels: Labels) -> Iterator[str]:
    shown = (
        (labels.label(name), [_show(name, _text(one), labels) for one in alike])
        for name, alike in groupby(fields, _name)
    )
    yield from _list(shown)


def _show(name: str, text: str, labels: Labels) -> Value:
    code = text.strip()
    meaning = labels.meaning(name, code)
    if meaning is not None:
        return Value(meaning, f"Code {code}")
    kind = labels.kind(name)
    if kind == "file":
        return Value(text, "Dateien siehe Abschnitt „Anlagen“")
    if not code:
        return Value("", "ohne Angabe")
    if labels.has_values(name):
        return Value(text, "nicht in der Werteliste des Formulars")
    return Value(_typed(kind, text))


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
    yield f"<h{level}>{escaped(title)}</h{level}>"
    yield from body
    yield "</section>"


def _list(entries: Iterable[tuple[str, Sequence[Value]]]) -> Iterator[str]:
    rows = [(name, values) for name, values in entries if values]
    if not rows:
        return
    yield "<dl>"
    for name, values in rows:
        yield f"<div><dt>{escaped(name)}</dt>{''.join(f'<dd>{value(one.text, one.note)}</dd>' for one in values)}</div>"
    yield "</dl>"


def _inside(one: _Field) -> Iterable[_Field]:
    return one.entries if isinstance(one, Entry) else one


def _name(one: _Field) -> str:
    return one.name if isinstance(one, Entry) else str(one.tag).rpartition("}")[2]


def _text(one: _Field) -> str:
    if isinstance(one, Entry):
        return "\n".join(leaf.text for leaf in one.leaves())
    return "".join(str(piece) for piece in one.itertext())
