"""One line of `doctor`, how a fault becomes one, and how what was counted is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Fault


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing `doctor` looked at: `ok`, `warning` or `bad`, what was found and what to do."""

    subject: str
    verdict: Literal["ok", "warning", "bad"]
    what: str
    hint: str = ""


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 file`, `2 files`; `many` where the plural does not just end in s."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def bad(subject: str, fault: Fault, place: str = "") -> Diagnosis:
    """A fault as a bad line: its meaning, the place it names, and `place`: the path or address an operator goes to."""
    code = CATALOGUE[fault.code]
    places = [one for one in (fault.where, place if place not in fault.where else "") if one]
    return Diagnosis(subject, "bad", f"{code.meaning} ({', '.join(places)})" if places else code.meaning, code.remedy)
