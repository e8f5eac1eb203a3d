"""The notice as a page for people: no scripts, nothing fetched, nothing unescaped; readable on screen, aloud and printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from mappings.baubescheid.abschnitte import Abschnitt
from mappings.baubescheid.anlagen import Anlage

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
html { font: 100%/1.5 "Liberation Sans", Arial, sans-serif; color: #1b1b1b; background: #fff; }
body { max-width: 46rem; margin: 0 auto; padding: 1.5rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1.5rem 0 0.5rem; }
h2 { font-size: 1.2rem; margin: 1.75rem 0 0.25rem; }
p { margin: 0.5rem 0; white-space: pre-line; }
.office { font-weight: bold; margin: 0; }
.result { border-inline-start: 0.4rem solid #1b1b1b; padding: 0.5rem 1rem; font-weight: bold; }
.test { border: 0.15rem solid #8a0000; color: #8a0000; padding: 0.5rem 1rem; font-weight: bold; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.5rem; margin: 0.75rem 0; }
dt { color: #444; } dd { margin: 0; }
ul { padding-inline-start: 1.25rem; } footer { margin-top: 2rem; border-top: 1px solid #767676; color: #444; }
@media (max-width: 30rem) { dl { display: block; } dd { margin-bottom: 0.5rem; } }
@media print { body { max-width: none; padding: 0; } h2 { break-after: avoid; } p { orphans: 3; widows: 3; }
  @page { size: A4; margin: 20mm 20mm 20mm 25mm; } }
"""


@dataclass(frozen=True, slots=True)
class Seite:
    """What the page shows; all of it stands in the notice too."""

    betreff: str
    behoerde: str
    angaben: Sequence[tuple[str, str]] = field(repr=False)
    abschnitte: Sequence[Abschnitt] = field(repr=False)
    anlagen: Sequence[Anlage] = field(repr=False)
    is_test: bool = False


def lesefassung(seite: Seite) -> bytes:
    """The page as UTF-8 bytes; equal arguments give equal bytes."""
    return ("\n".join(_zeilen(seite)) + "\n").encode("utf-8")


def _zeilen(seite: Seite) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="de">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{_text(seite.betreff)} – {_text(seite.behoerde)}</title>"
    yield f"<style>{STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield f'<header><p class="office"><bdi>{_text(seite.behoerde)}</bdi></p><h1>{_text(seite.betreff)}</h1></header>'
    yield "<main>"
    if seite.is_test:
        yield '<p class="test" role="note">Testnachricht ohne rechtliche Wirkung.</p>'
    yield "<dl>"
    for name, wert in seite.angaben:
        yield f"<dt>{_text(name)}</dt><dd><bdi>{_text(wert)}</bdi></dd>"
    yield "</dl>"
    for nummer, abschnitt in enumerate(seite.abschnitte):
        yield from _abschnitt(abschnitt, ' class="result"' if nummer == 0 else "")
    yield from _anlagen(seite.anlagen)
    yield "</main>"
    yield (
        "<footer><p>Diese Lesefassung ist maschinell aus der Nachricht der Behörde erzeugt. "
        "Maßgeblich ist die Nachricht, die unverändert im selben Paket liegt.</p></footer>"
    )
    yield "</body>"
    yield "</html>"


def _abschnitt(abschnitt: Abschnitt, style: str) -> Iterator[str]:
    yield "<section>"
    yield f"<h2>{_text(abschnitt.titel.value)}</h2>"
    for absatz in abschnitt.absaetze:
        yield f"<p{style}><bdi>{_text(absatz.value)}</bdi></p>"
    yield "</section>"


def _anlagen(anlagen: Sequence[Anlage]) -> Iterator[str]:
    """A link is shown as text: nobody is led away from a notice by a click."""
    if not anlagen:
        return
    yield "<section>"
    yield "<h2>Anlagen</h2>"
    yield "<ul>"
    for anlage in anlagen:
        wo = anlage.datei or anlage.fundstelle
        ort = f" (<bdi>{_text(wo.value)}</bdi>)" if wo is not None else " (liegt der Behörde vor)"
        yield f"<li><bdi>{_text(anlage.titel.value)}</bdi>{ort}</li>"
    yield "</ul>"
    yield "</section>"


def _text(text: str) -> str:
    """Escaped; control characters that HTML has no place for become their replacement."""
    return escape(
        "".join("\ufffd" if "\x7f" <= one <= "\x9f" or (one < " " and one not in "\t\n\r") else one for one in text)
    )
