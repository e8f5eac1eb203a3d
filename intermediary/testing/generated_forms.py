"""Makes forms and applications for them: deep groups, repetition, code lists, long texts, every character of DIN 91379.

Everything is drawn from the `random.Random` that is handed in, so a seed names a form and an application for ever.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from html import escape
from types import MappingProxyType
from typing import Any

from intermediary.mapping.form import Form, FormField, FormGroup, Member, identity_of
from intermediary.mapping.form_schema import NAMESPACE

KINDS = ("text", "text", "text", "date", "bool", "num", "num_int", "num_currency", "file", "time", "datetime")
OLD_KINDS = ("text", "text", "text", "date", "bool", "num", "num_int", "num_currency", "file")
_WORDS = (
    "Antrag",
    "Person",
    "Anschrift",
    "Angaben",
    "Nachweis",
    "Gebäude",
    "Größe",
    "Straße",
    "Änderung",
    "Maß",
    "Zweck",
)
# Letters and signs of DIN 91379 from its different blocks, with and without combining marks, and what breaks writers.
_LETTERS = "abcdeghiklmnoprstuäöüßéèêñçšžčćłőğışØÅÆþŒĲ\u0309ĸŋ ẞ’´`-.,;:()/+&<>\"'§€½²"
_COMBINED = ("A\u0300", "C\u0328\u0306", "K\u0331", "n\u0308", "L\u0302", "Ž\u0327", "ch\u0331", "R\u0323\u0304")
_ALIEN = ("\u202egnp\u202c", "\U00020000", "日本", "שלום", "<script>x</script>", "{{7*7}}", "]]>", "\u00a0\u2028")
_DEEPEST = 7


def form(draw: random.Random, number: int, *, kinds: tuple[str, ...] = KINDS, inline: bool = True) -> Form:
    """A form with the id S990000nnnnn; `inline` allows values that stand in the form itself (3.0.0)."""
    maker = _Maker(draw, kinds, inline)
    name = f"S99{number:09d}V1.0.0" if inline else f"S99{number:06d}V1.0"
    members = tuple(maker.member(0) for _ in range(draw.randint(3, 8)))
    return Form(FormGroup(identity_of(name), name, f"Generiertes Formular {number} - {_label(draw)}", members))


def codelists(form: Form) -> dict[str, Mapping[str, str]]:
    """The rows of every list that a form names, by the list's name."""
    return {one.list_name: one.values for one in form.members() if isinstance(one, FormField) and one.list_name}


def xfall(form: Form, draw: random.Random, *, portal: bool = False) -> bytes:
    """An application in the shape of the converter, or of the FIM portal: valid for the form."""
    name = f"fim.{form.name.partition('V')[0]}.1" if portal else form.name
    space = f"urn:xoev-de:xfall:standard:fim-{name.lower()}" if portal else NAMESPACE
    body = "".join(_xml(one, value, portal) for one, value in _values(form.root, draw))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{space}">{body}</{name}>\n'.encode()


def as_json(form: Form, draw: random.Random) -> bytes:
    """An application as JSON, its names without versions."""
    return json.dumps(_object(form.root, draw), ensure_ascii=draw.random() < 0.5).encode()


class _Maker:
    def __init__(self, draw: random.Random, kinds: tuple[str, ...], inline: bool) -> None:
        self._draw, self._kinds, self._inline = draw, kinds, inline
        self._next = 0

    def member(self, depth: int) -> Member:
        if depth < _DEEPEST and self._draw.random() < (0.4 if depth < 2 else 0.3):
            return self._group(depth)
        return self._field()

    def _group(self, depth: int) -> FormGroup:
        name = self._name("G")
        members = tuple(self.member(depth + 1) for _ in range(self._draw.randint(1, 5)))
        least, most = self._draw.choice(((1, 1), (0, 1), (0, None), (1, 4)))
        return FormGroup(identity_of(name), name, _label(self._draw), members, self._help(), least, most)

    def _field(self) -> FormField:
        name, draw = self._name("F"), self._draw
        least, most = draw.choice(((1, 1), (1, 1), (0, 1), (0, 3), (1, None)))
        art = draw.choice(("input", "input", "input", "select", "label"))
        kind = draw.choice(self._kinds) if art == "input" else "text"
        rows = {f"{n:03d}": f"{_label(draw)} {n}" for n in range(1, draw.randint(3, 9))} if art == "select" else {}
        external = bool(rows) and (not self._inline or draw.random() < 0.5)
        return FormField(
            identity=identity_of(name),
            name=name,
            label=_label(draw),
            kind=kind,
            art=art,
            help=self._help(),
            content=_label(draw) * 3 if art == "label" else "",
            list_name=f"urn:intermediary:generiert:{name.lower()}_{draw.randint(1, 9)}" if external else "",
            values=MappingProxyType(rows),
            least=least,
            most=most,
        )

    def _name(self, letter: str) -> str:
        self._next += 1
        return (
            f"{letter}99{self._next:09d}V1.{self._draw.randint(0, 3)}.0"
            if self._inline
            else f"{letter}99{self._next:06d}V1.0"
        )

    def _help(self) -> str:
        return f"Bitte {_label(self._draw)} angeben." if self._draw.random() < 0.3 else ""


def _values(group: FormGroup, draw: random.Random) -> Iterator[tuple[Member, Any]]:
    for one in group.members:
        if isinstance(one, FormField) and one.art == "label":
            continue
        most = one.least + 2 if one.most is None else one.most
        for _ in range(draw.randint(one.least, most)):
            yield one, list(_values(one, draw)) if isinstance(one, FormGroup) else value(one, draw)


def value(one: FormField, draw: random.Random) -> str:
    """A value the field's data type allows."""
    if one.values:
        return draw.choice(list(one.values))
    match one.kind:
        case "date":
            return f"{draw.randint(1900, 2030)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
        case "bool":
            return draw.choice(("true", "false", "1", "0"))
        case "num" | "num_currency":
            return draw.choice(("0", "12.50", "-3.25", "1234567.89", "00.10"))
        case "num_int":
            return str(draw.randint(-5, 10**9))
        case "time":
            return f"{draw.randint(0, 23):02}:{draw.randint(0, 59):02}:00"
        case "datetime":
            return f"2026-0{draw.randint(1, 9)}-11T{draw.randint(0, 23):02}:15:30{draw.choice(('', 'Z', '+02:00'))}"
        case "file":
            return draw.choice(("", "", "Scan.pdf"))
    return text(draw)


def text(draw: random.Random) -> str:
    """A text: mostly short, sometimes pages long, always with characters that people's names have."""
    length = draw.choice((1, 8, 20, 60, 400, 4000)) if draw.random() < 0.9 else 20_000
    pieces = [
        draw.choice((draw.choice(_LETTERS), draw.choice(_LETTERS), draw.choice(_COMBINED))) for _ in range(length)
    ]
    if draw.random() < 0.2:
        pieces.insert(len(pieces) // 2, draw.choice(_ALIEN))
    if draw.random() < 0.2:
        pieces.insert(len(pieces) // 3, "\n\n")
    return "".join(pieces).strip() or "x"


def _label(draw: random.Random) -> str:
    return " ".join(draw.sample(_WORDS, draw.randint(1, 3)))


def _xml(one: Member, content: Any, portal: bool) -> str:
    name = one.name.partition("V")[0] if portal else one.name
    inner = (
        "".join(_xml(member, value, portal) for member, value in content)
        if isinstance(content, list)
        else escape(content)
    )
    return f"<{name}>{inner}</{name}>"


def _object(group: FormGroup, draw: random.Random) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for one, content in _values(group, draw):
        name = one.name.partition("V")[0]
        found.setdefault(name, []).append(_object(one, draw) if isinstance(one, FormGroup) else _plain(one, content))
    return {name: items[0] if len(items) == 1 else items for name, items in found.items()}


def _plain(one: FormField, content: str) -> Any:
    if one.kind == "bool":
        return content in ("true", "1")
    return int(content) if one.kind == "num_int" else content
