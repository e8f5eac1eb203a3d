"""Turns a failure into what an operator reads: what is wrong, where, what to do; and the exit code."""

from __future__ import annotations

import sys

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Fault

FINDINGS = 1
USAGE = 2


def complain(failure: Exception) -> int:
    """Print one failure in the house's form (HOUSE §12) on stderr; returns the exit code of the command."""
    if isinstance(failure, Fault):
        code = CATALOGUE[failure.code]
        error(f"{failure.where + ': ' if failure.where else ''}{code.meaning}", hint=code.remedy)
        return USAGE
    notes = getattr(failure, "__notes__", [])
    error(str(failure) or type(failure).__name__, hint=" ".join(notes))
    return USAGE


def error(text: str, *, hint: str = "") -> None:
    """One error line and, if there is one, its hint on a line of its own."""
    print(f"intermediary: error: {printable(text)}", file=sys.stderr)
    if hint:
        print(f"intermediary: hint: {printable(hint)}", file=sys.stderr)


def printable(text: str) -> str:
    """Text for a terminal: control and direction characters are shown as escapes, never sent (threat T17)."""
    return "".join(c if c.isprintable() and c not in _DIRECTIONS else c.encode("unicode_escape").decode() for c in text)


_DIRECTIONS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")
