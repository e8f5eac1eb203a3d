"""Calls a mapping and tells its defects apart from what others can heal."""

from __future__ import annotations

from intermediary.core.ports import Antrag, Kontext, Mapping
from intermediary.core.values import Ausgabe, Befund
from intermediary.mapping.builder import BuildError


class InvalidOutput(Exception):
    """The mapping made something its target schema refuses; only its developer can heal that."""

    code = "mapping.output.invalid"

    def __init__(self, findings: tuple[Befund, ...]) -> None:
        super().__init__(f"{self.code}: {len(findings)} findings")
        self.findings = findings


def run_mapping(mapping: Mapping, antrag: Antrag, kontext: Kontext) -> Ausgabe:
    """The output; raises as the port says, and `InvalidOutput` where the builder refused what the mapping asked for."""
    try:
        return mapping.map(antrag, kontext)
    except BuildError as defect:
        raise InvalidOutput((Befund(defect.code, defect.path, rule=f"{defect.rule} ({defect.line})"),)) from defect
