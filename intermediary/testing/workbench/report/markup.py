"""HTML of a report: everything escaped in one place, tables that a screen reader can walk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

_SHORT = 9


def text(value: str) -> str:
    """A text, with places where a long path or name may break."""
    return escape(value).replace("/", "/<wbr>").replace(" › ", " › <wbr>").replace("_", "_<wbr>")


def strong(value: str) -> str:
    """A text that leads its cell."""
    return f"<strong>{text(value)}</strong>"


def small(value: str) -> str:
    """What a developer looks for: ids, paths, hashes."""
    return f'<span class="id">{text(value)}</span>' if value else ""


def stack(parts: Iterable[str]) -> str:
    """Lines of one cell, each HTML already; a single one stands alone."""
    lines = [one for one in parts if one]
    return lines[0] if len(lines) == 1 else "".join(f"<div>{one}</div>" for one in lines)


def table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, name: str = "", first_is_head: bool = True
) -> Iterator[str]:
    """A table of HTML cells; the first cell of a row is its head. Nothing without rows."""
    if not rows:
        return
    classes = " ".join(one for one in (name, "short" if len(rows) <= _SHORT else "") if one)
    yield f'<table class="{classes}">' if classes else "<table>"
    yield f"<caption>{escape(caption)}</caption>"
    columns = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    yield f"<thead><tr>{columns}</tr></thead>"
    yield "<tbody>"
    for first, *others in rows:
        opening = f'<th scope="row">{first}</th>' if first_is_head else f"<td>{first}</td>"
        cells = "".join(f"<td>{cell}</td>" for cell in others)
        yield f"<tr>{opening}{cells}</tr>"
    yield "</tbody>"
    yield "</table>"


def facts(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Names and values, the values HTML already."""
    yield "<dl>"
    for name, value in rows:
        yield f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>"
    yield "</dl>"


def section(anchor: str, title: str, body: Iterable[str], *, lead: str = "") -> Iterator[str]:
    """A section with its heading; left out when its body is empty."""
    lines = list(body)
    if not lines:
        return
    yield f'<section id="{anchor}" aria-labelledby="{anchor}-h">'
    yield f'<h2 id="{anchor}-h">{escape(title)}</h2>'
    if lead:
        yield f"<p>{escape(lead)}</p>"
    yield from lines
    yield "</section>"
