"""Collects what is wrong with an Antrag, so that the sender learns of everything at once."""

from __future__ import annotations

from intermediary.core.faults import Rejected
from intermediary.core.values import Befund

REFUSED = "mapping.input.refused"


class Findings:
    """The Befunde of one Antrag: `add` each, then `refuse` once before anything is built.

    `rule` is the name the mapping's README explains, `path` an input path; `hint` is German and contains no value.
    """

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: list[Befund] = []

    def add(self, *, rule: str, path: str, hint: str) -> None:
        self._found.append(Befund(code=REFUSED, path=path, rule=rule, hint=hint))

    def adopt(self, refusal: Rejected) -> None:
        """Keep what a refused read found and go on looking."""
        self._found.extend(refusal.findings)

    def refuse(self) -> None:
        """Raise `Rejected("mapping.input.refused")` with all Befunde, if there are any."""
        if self._found:
            raise Rejected(REFUSED, findings=tuple(self._found))
