"""Pieces of HTML that every readable document has: its head, values, the table of files; all text escaped in one place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from intermediary.mapping.german import write_bytes

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_NOT_SHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_TYPES = {
    "application/json": "JSON",
    "application/msword": "Word (alt)",
    "application/pdf": "PDF",
    "application/vnd.oasis.opendocument.text": "OpenDocument-Text",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
    "application/xml": "XML",
    "image/jpeg": "Bild (JPEG)",
    "image/png": "Bild (PNG)",
    "image/tiff": "Bild (TIFF)",
    "message/rfc822": "E-Mail",
    "text/html": "HTML",
    "text/plain": "Text",
    "text/xml": "XML",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file that travels with the application, as the table of Anlagen shows it; `length` in bytes."""

    title: str
    original_name: str = field(repr=False)
    media_type: str
    length: int


def head(title: str, style: str) -> list[str]:
    """Everything before the body of a page that stands alone: language, title, no scripts, nothing fetched."""
    return [
        "<!DOCTYPE html>",
        '<html lang="de">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escaped(title)}</title>",
        f"<style>\n{style}</style>",
        "</head>",
    ]


def escaped(text: str) -> str:
    """Escaped; characters that HTML has no place for, or that rearrange a line, are shown by their number."""
    return escape(_NOT_SHOWN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text))


def value(text: str, note: str) -> str:
    """A value with what has to be said about it; `bdi` keeps right-to-left text from rearranging what stands beside it."""
    shown = f"<bdi>{escaped(text)}</bdi>" if text else ""
    said = f'<span class="note">({escaped(note)})</span>' if note else ""
    return " ".join(part for part in (shown, said) if part)


def file_table(files: Sequence[File]) -> Iterator[str]:
    """The files that came with an application, by the names their sender gave them."""
    if not files:
        yield "<p>Mit dem Antrag wurden keine Dateien übermittelt.</p>"
        return
    yield "<table>"
    yield f"<caption>Mit dem Antrag übermittelte Dateien: {len(files)}</caption>"
    heads = ("Anlage", "Dateiname des Absenders", "Dateityp")
    columns = "".join(f'<th scope="col">{one}</th>' for one in heads)
    yield f'<thead><tr>{columns}<th scope="col" class="number">Größe</th></tr></thead>'
    yield "<tbody>"
    for file in files:
        kind = _TYPES.get(file.media_type, file.media_type)
        yield (
            f'<tr><th scope="row">{escaped(file.title)}</th><td><bdi>{escaped(file.original_name)}</bdi></td>'
            f'<td>{escaped(kind)}</td><td class="number">{write_bytes(file.length)}</td></tr>'
        )
    yield "</tbody>"
    yield "</table>"
