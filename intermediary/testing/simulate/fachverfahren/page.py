"""The inbox as a page: what arrived, when, under which key, and what became of it; German, accessible, without scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from intermediary.testing.faces.mischief import DEFAULTS, KNOBS, Knob
from intermediary.testing.simulate.fachverfahren.inbox import Arrival, Inbox, Note, Piece

_NOTES: dict[Note, str] = {
    "neu": "neu",
    "wiederholt": "wiederholt, ohne zweite Wirkung",
    "doppelt": "doppelt: zweite Wirkung",
    "abweichend": "anderer Inhalt unter bekanntem Schlüssel",
    "abgelehnt": "abgelehnt, ohne Wirkung",
}
_SHORT = {
    "neu": "neu",
    "wiederholt": "Wiederholung",
    "doppelt": "DOPPELT",
    "abweichend": "ABWEICHEND",
    "abgelehnt": "abgelehnt",
}
_FIGURES: tuple[tuple[Note, str, str], ...] = (
    ("wiederholt", "Wiederholung", "Wiederholungen"),
    ("doppelt", "doppelt", "doppelt"),
    ("abweichend", "abweichend", "abweichend"),
    ("abgelehnt", "abgelehnt", "abgelehnt"),
)
_INSTEAD = {
    "reset-after": "keine",
    "hang": "keine",
    "error-after": "500",
    "wrong-type": "HTML-Seite",
    "huge": "zu groß",
}
_MOST = 200
_STYLE = """
:root { color-scheme: light dark; --line: #8a8a8a; --soft: #f2f4f7; --ink: #1b1b1b; --paper: #fff; --link: #0b57a4;
  --good: #0a5c2b; --bad: #9b1c1c; }
@media (prefers-color-scheme: dark) { :root { --line: #777; --soft: #23272e; --ink: #eee; --paper: #15181c; --link: #8ab8ff;
  --good: #7ddc9f; --bad: #ff9d9d; } }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 100rem; padding: 1rem; color: var(--ink);
  background: var(--paper); }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 1.5rem 0 .5rem; }
a { color: var(--link); } a:focus-visible, button:focus-visible, select:focus-visible, input:focus-visible,
summary:focus-visible, .wide:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.figures { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin: .75rem 0; padding: 0; list-style: none; }
.figures b { font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .95rem; }
caption { text-align: left; padding: .25rem 0; } th, td { text-align: left; vertical-align: top; padding: .35rem .6rem;
  border-bottom: 1px solid var(--line); } thead th { background: var(--soft); white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } time { white-space: nowrap; }
code { font: .85rem ui-monospace, monospace; overflow-wrap: anywhere; } td code { display: inline-block; max-width: 22rem; }
td code.hash { width: 32.5ch; max-width: none; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 700; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin: .5rem 0; } label { display: grid; }
select, input, button { font: inherit; padding: .3rem .5rem; } summary { cursor: pointer; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; } dd { margin: 0; }
"""


def page(inbox: Inbox, *, faces: Mapping[str, str], knobs: Sequence[Knob], chosen: str = "", only: str = "") -> str:
    """The whole page; `faces` with what to tell of each. `chosen` shows one face, `only = "auffaellig"` what is not new."""
    arrivals = inbox.arrivals()
    shown = [
        one
        for one in reversed(arrivals)
        if (not chosen or one.face == chosen) and (only != "auffaellig" or one.note != "neu")
    ]
    return (
        '<!doctype html>\n<html lang="de"><head><meta charset="utf-8"><title>Simuliertes Fachverfahren: Eingang</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>"
        "<header><h1>Simuliertes Fachverfahren: Eingang</h1>"
        f'<p>{_verdict(arrivals)} <a href="?{_query(chosen, only)}">Neu laden</a></p></header><main>'
        f"{_figures(arrivals)}{_filter(faces, chosen, only)}{_table(shown[:_MOST], len(shown), inbox.keeps)}"
        f"{_trouble(faces, knobs)}{_faces(faces)}</main></body></html>\n"
    )


def confirm_page(sha256: str, name: str) -> str:
    """Asks before a content is shown: it is a citizen's."""
    return (
        '<!doctype html>\n<html lang="de"><head><meta charset="utf-8"><title>Inhalt herunterladen</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        "<main><h1>Inhalt herunterladen?</h1><p>Der Inhalt kann personenbezogene Daten enthalten.</p>"
        f"<dl><dt>Datei</dt><dd>{escape(name)}</dd><dt>SHA-256</dt><dd><code>{sha256}</code></dd></dl>"
        f'<form method="post" action="/inhalt/{sha256}"><button>Herunterladen</button></form>'
        '<p><a href="/">Zurück zum Eingang</a></p></main></body></html>\n'
    )


def _verdict(arrivals: Sequence[Arrival]) -> str:
    doubles = sum(one.note == "doppelt" for one in arrivals)
    others = sum(one.note == "abweichend" for one in arrivals)
    if not arrivals:
        return "Noch ist nichts angekommen."
    if doubles or others:
        told = f"Auffällig: {doubles} doppelt, {others} mit anderem Inhalt unter bekanntem Schlüssel."
        return f'<span class="bad">{told}</span>'
    return '<span class="good">Jeder Schlüssel hatte genau eine Wirkung.</span>'


def _figures(arrivals: Sequence[Arrival]) -> str:
    counted = (
        (len(arrivals), "Eingang", "Eingänge"),
        (sum(one.is_effect for one in arrivals), "Wirkung", "Wirkungen"),
        *((sum(one.note == note for one in arrivals), name, many) for note, name, many in _FIGURES),
    )
    figures = "".join(f"<li><b>{count}</b> {name if count == 1 else many}</li>" for count, name, many in counted)
    return f'<ul class="figures">{figures}</ul>'


def _filter(faces: Mapping[str, str], chosen: str, only: str) -> str:
    options = "".join(
        f'<option value="{escape(name)}"{" selected" if name == chosen else ""}>{escape(name)}</option>'
        for name in faces
    )
    odd = " selected" if only == "auffaellig" else ""
    return (
        '<form method="get" action="/"><label>Tor<select name="tor"><option value="">alle</option>'
        f'{options}</select></label><label>Zeigen<select name="nur"><option value="">alles</option>'
        f'<option value="auffaellig"{odd}>nur Auffälliges und Wiederholungen</option></select></label>'
        "<button>Anwenden</button></form>"
    )


def _table(shown: Sequence[Arrival], count: int, keeps: bool) -> str:
    if not shown:
        return "<p>Keine Eingänge.</p>"
    more = f" (die neuesten {_MOST})" if count > _MOST else ""
    rows = "".join(_row(one, keeps) for one in shown)
    heads = ("Nr.", "Zeit (UTC)", "Tor", "Schlüssel", "Vermerk", "Antwort", "Datei", "Bytes", "SHA-256")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    caption = f"{count} {'Eingang' if count == 1 else 'Eingänge'}{more}, neueste zuerst"
    return (
        f'<div class="wide" tabindex="0" role="region" aria-labelledby="eingaenge"><table><caption id="eingaenge">'
        f"{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(one: Arrival, keeps: bool) -> str:
    span = f' rowspan="{len(one.pieces)}"' if len(one.pieces) > 1 else ""
    begin = (
        f'<td class="number"{span}>{one.number}</td>'
        f'<td{span}><time datetime="{escape(one.at)}">{escape(_clock(one.at))}</time></td>'
        f"<td{span}>{escape(one.face)}</td><td{span}><code>{escape(one.key) or '–'}</code></td>"
        f"<td{span}>{_note(one)}</td><td{span}>{escape(_answer(one))}</td>"
    )
    first, *others = [_piece(piece, keeps) for piece in one.pieces] or ["<td>–</td><td></td><td></td>"]
    return f"<tr>{begin}{first}</tr>" + "".join(f"<tr>{cells}</tr>" for cells in others)


def _answer(one: Arrival) -> str:
    """What the caller got to see, which trouble may have put in place of the answer."""
    return next((_INSTEAD[name] for name in one.trouble if name in _INSTEAD), one.answer) or "keine"


def _note(one: Arrival) -> str:
    kind = "good" if one.note == "neu" else "bad" if one.note in ("doppelt", "abweichend") else "plain"
    trouble = f"<br>Störung: {escape(', '.join(one.trouble))}" if one.trouble else ""
    return f'<span class="{kind}" title="{_NOTES[one.note]}">{_SHORT[one.note]}</span>{trouble}'


def _piece(piece: Piece, keeps: bool) -> str:
    size = f"{piece.size:,}".replace(",", ".")
    return (
        f'<td>{_name(piece.name, piece.sha256, keeps)}</td><td class="number">{size}</td>'
        f'<td><code class="hash">{piece.sha256}</code></td>'
    )


def _name(name: str, sha256: str, keeps: bool) -> str:
    text = escape(name) or "ohne Namen"
    return f'<a href="/inhalt/{sha256}">{text}</a>' if keeps else text


def _clock(at: str) -> str:
    return f"{at[8:10]}.{at[5:7]}.{at[:4]} {at[11:19]}"


def _trouble(faces: Mapping[str, str], knobs: Sequence[Knob]) -> str:
    turned = "".join(f"<li><code>{escape(one.words())}</code>: {escape(KNOBS[one.name])}</li>" for one in knobs)
    now = f"<ul>{turned}</ul>" if turned else "<p>Keine Störung eingeschaltet.</p>"
    names = "".join(f'<option value="{name}">{name}: {escape(text)}</option>' for name, text in KNOBS.items())
    kinds = "".join(
        f'<option value="{escape(name)}">{escape(name)}</option>' for name in ("rest", "soap") if name in faces
    )
    arguments = ", ".join(f"{name} {value}" for name, value in DEFAULTS.items())
    return (
        f'<section aria-labelledby="stoerung"><h2 id="stoerung">Störungen</h2>{now}'
        '<form method="post" action="/stoerung">'
        f'<label>Störung<select name="name">{names}</select></label>'
        f'<label>Tor<select name="kind"><option value="">alle</option>{kinds}</select></label>'
        f'<label>Argument (Vorgaben: {escape(arguments)})<input name="argument" inputmode="numeric" size="6"></label>'
        '<label>für die nächsten Anfragen<input name="count" inputmode="numeric" size="4" value="1"></label>'
        "<button>Einschalten</button></form>"
        '<form method="post" action="/ruhe"><button>Alle Störungen ausschalten</button></form></section>'
    )


def _faces(faces: Mapping[str, str]) -> str:
    told = "".join(f"<dt>{escape(name)}</dt><dd><code>{escape(text)}</code></dd>" for name, text in faces.items())
    return f'<section aria-labelledby="tore"><h2 id="tore">Tore</h2><dl>{told}</dl></section>'


def _query(chosen: str, only: str) -> str:
    return f"tor={escape(chosen)}&amp;nur={escape(only)}"
