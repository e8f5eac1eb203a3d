"""Writes `felder.py` of a new mapping: every field and group of the form as a constant, under its name for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from intermediary.testing.workbench.asked import Asked, AskedForm

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
_RESERVED = {"WURZEL", "NONE"}
_LONGEST = 40


def constants(fields: Sequence[Asked]) -> dict[str, str]:
    """A Python name for every element name of the form, each once; two of the same label are told apart by their group."""
    found: dict[str, str] = {}
    used: set[str] = set(_RESERVED)
    for element, label, groups in _elements(fields):
        if element in found:
            continue
        candidates = (identifier(label), identifier(f"{groups[-1] if groups else ''} {label}"))
        name = next((one for one in candidates if one not in used), None)
        number = 2
        while name is None or name in used:
            name, number = f"{candidates[0]}_{number}", number + 1
        found[element] = name
        used.add(name)
    return found


def fields_file(form: AskedForm, root: str) -> str:
    """The text of the module."""
    names = constants(form.fields)
    title = f"Felder und Gruppen des Formulars „{_plain(form.title)}“, in seiner Reihenfolge."
    lines = [f'"""{title}"""', "", f'WURZEL = "{root}"']
    done: set[str] = set()
    above: tuple[str, ...] = ()
    for one in form.fields:
        steps = one.path.split("/")[2:]
        for depth in range(len(one.groups)):
            if one.groups[: depth + 1] == above[: depth + 1] or steps[depth] in done:
                continue
            lines += [
                "",
                f"# Gruppe: {_plain(' › '.join(one.groups[: depth + 1]))}",
                f'{names[steps[depth]]} = "{steps[depth]}"',
            ]
            done.add(steps[depth])
            above = one.groups[: depth + 1]
        if one.name not in done:
            if one.groups != above:
                lines += ["", f"# weiter: {_plain(' › '.join(one.groups)) or 'ohne Gruppe'}"]
                above = one.groups
            often = ("Pflicht" if one.is_required else "freiwillig") + (", mehrfach" if one.is_repeated else "")
            lines.append(f'{names[one.name]} = "{one.name}"  # {_plain(one.label)} ({often})')
            done.add(one.name)
    return "\n".join(lines) + "\n"


def identifier(label: str) -> str:
    """A label as the name of a constant: `Familienname (Halter)` is FAMILIENNAME_HALTER."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", label.translate(_UMLAUTS)).strip("_").upper()[:_LONGEST].rstrip("_")
    return words if words and not words[0].isdigit() else f"FELD_{words}".rstrip("_")


def _elements(fields: Sequence[Asked]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for one in fields:
        steps = one.path.split("/")[2:]
        for depth, label in enumerate(one.groups):
            yield steps[depth], label, one.groups[:depth]
        yield one.name, one.label, one.groups


def _plain(text: str) -> str:
    return " ".join(text.replace('"', "'").replace("\\", "/").split())[:90]
