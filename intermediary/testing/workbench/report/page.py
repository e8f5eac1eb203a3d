"""The page of a report: one HTML file in German, without scripts or anything fetched; the same facts give the same bytes."""

from __future__ import annotations

from html import escape
from pathlib import Path

from intermediary.testing.workbench.report.body import Body
from intermediary.testing.workbench.report.facts import Facts
from intermediary.testing.workbench.report.markup import section
from intermediary.testing.workbench.report.unused import Unused

_STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_SECTIONS = (
    ("blick", "Auf einen Blick"),
    ("achten", "Worauf zu achten ist"),
    ("formular", "Vom Formular zum Ziel"),
    ("ziel", "Zielnachricht: woher jede Angabe kommt"),
    ("regeln", "Regeln"),
    ("listen", "Codelisten"),
    ("werte", "Feste Werte und Einstellungen"),
    ("ablehnung", "Wann nicht übernommen wird"),
    ("faelle", "Geprüfte Fälle"),
    ("frei", "Im Standard möglich, hier nicht benutzt"),
    ("nachweis", "Nachweis"),
)
_OPENING = "Abbildungsbericht zum Mapping {}: welche Angabe des Formulars wohin geht."
_CLOSING = (
    "Erzeugt aus den Testfällen des Mappings; alle gezeigten Werte sind erfunden. Was kein Testfall enthält, ist nicht "
    "geprüft und oben so bezeichnet."
)


def page(shown: Facts, unused: tuple[Unused, ...] | None, *, is_official: bool) -> bytes:
    """The report as UTF-8.

    `unused` is what the standard offers besides (None: not looked up); `is_official`: outputs were held against the
    official schema.
    """
    body = Body(shown, unused, is_official=is_official)
    title = f"{body.title} → {', '.join(dict.fromkeys(one for one, _ in shown.targets))}"
    sections = {
        anchor: list(section(anchor, name, body.of(anchor), lead=body.lead(anchor))) for anchor, name in _SECTIONS
    }
    links = [f'<li><a href="#{anchor}">{escape(name)}</a></li>' for anchor, name in _SECTIONS if sections[anchor]]
    lines = [
        "<!DOCTYPE html>",
        '<html lang="de">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)} – Abbildungsbericht</title>",
        f"<style>\n{_STYLE}</style>",
        "</head>",
        "<body>",
        '<a class="skip" href="#inhalt">Zum Inhalt</a>',
        f"<header><h1>{escape(title)}</h1>",
        f"<p>{escape(_OPENING.format(shown.bench.place.name))}</p></header>",
        f'<nav aria-label="Inhalt"><ul>{"".join(links)}</ul></nav>',
        '<main id="inhalt">',
        *(line for anchor, _ in _SECTIONS for line in sections[anchor]),
        "</main>",
        f"<footer><p>{_CLOSING}</p></footer>",
        "</body>",
        "</html>",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")
