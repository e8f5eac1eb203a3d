"""What the rules of a mapping mean: taken from its README, where they are explained once for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CELLS = re.compile(r"(?<!\\)\|")
_EMPHASIS = re.compile(r"[`*]")
_SPOKEN = {
    "required": "Pflichtangabe fehlt",
    "type": "die Angabe hat nicht die verlangte Form",
}


def explained(readme: str, rules: Iterable[str]) -> dict[str, str]:
    """An explanation for every rule the README has one for.

    It is a table row whose first cell is the rule, or the rule in backticks followed by a colon.
    """
    text = " ".join(readme.split("\n"))
    rows = [cells for line in readme.splitlines() if (cells := _cells(line))]
    return {name: found for name in rules if (found := _of(name, rows, text) or _SPOKEN.get(name, ""))}


def _of(name: str, rows: list[list[str]], text: str) -> str:
    for cells in rows:
        if name in re.findall(r"`([^`]+)`", cells[0]) and len(cells) > 1 and _is_rule_column(cells[0]):
            return _plain(" – ".join(cell for cell in cells[1:] if cell))
    spoken = re.search(rf"`{re.escape(name)}`: ([^|;)]+?)(?=[|;)]|\. |\.$|$)", text)
    if spoken:
        return _plain(spoken[1])
    return ""


def _is_rule_column(cell: str) -> bool:
    return re.fullmatch(r"(?:`[^`]+`[, ]*)+", cell.strip()) is not None


def _cells(line: str) -> list[str]:
    if not line.startswith("|") or set(line) <= set("|-: "):
        return []
    return [cell.strip() for cell in _CELLS.split(line.strip().strip("|"))]


def _plain(text: str) -> str:
    return " ".join(_EMPHASIS.sub("", text).split()).strip(" –,:")
