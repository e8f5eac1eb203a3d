"""What a check has to say: which rule sets ran, over which versions, and what they found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Misconfigured
from intermediary.core.values import Befund


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One set of rules that ran to its end.

    `name` is the stable name a pin is kept under (`xdomea@3.1.0 xdomea.xsd`); `sha256` covers the package and every
    package it drew files from, so equal hashes mean equal rules.
    """

    name: str
    package: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of checking one document (DESIGN §2.14: fail closed).

    `ran` is true only when at least one rule set was found and every one of them ran to its end. A rule set that breaks
    raises `Misconfigured` instead of giving a verdict. Who needs a checked document asks `is_valid`, or `demand` first.
    Rules beyond XML Schema run only on a document that its schemas find valid; `warnings` are what they remark without
    refusing. `not_run` names what had to be checked and could not: with any of it the document is not valid, whatever
    else ran.
    """

    ran: bool
    rule_sets: tuple[RuleSet, ...] = ()
    findings: tuple[Befund, ...] = ()
    not_run: tuple[Befund, ...] = ()
    warnings: tuple[Befund, ...] = ()

    @property
    def is_valid(self) -> bool:
        return self.ran and bool(self.rule_sets) and not self.findings and not self.not_run

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of every rule set that ran, by name."""
        return {rules.name: rules.sha256 for rules in self.rule_sets}

    def demand(self, root: str) -> Verdict:
        """The verdict itself if all rules ran.

        Raises `Misconfigured`: `validate.schema.missing` naming the root when there was none, otherwise the code of the
        first rule set that could not run, with all of them as findings.
        """
        if not self.ran:
            raise Misconfigured("validate.schema.missing", where=f"root {root}")
        if self.not_run:
            first = self.not_run[0]
            raise Misconfigured(first.code, where=first.hint, findings=self.not_run)
        return self


NOT_RUN = Verdict(ran=False)
MAX_WARNINGS = 50
NO_SCHEMA = "Für die Ausgabe ist kein Schema installiert."


def remarks(given: Verdict, output: Verdict) -> Mapping[str, Any]:
    """What two verdicts leave to be told although nothing refuses: `warnings` about the application and about the output,
    and what of the output was `not_checked`, which only a route of stage `test` lets pass.

    For the plan of a Nachricht: plain values, without the empty ones, no content.
    """
    missing = [f"{CATALOGUE[one.code].meaning} {one.hint}".strip() for one in output.not_run]
    told = {
        "warnings": [asdict(one) for one in given.warnings[:MAX_WARNINGS]],
        "output_warnings": [asdict(one) for one in output.warnings[:MAX_WARNINGS]],
        "not_checked": missing if output.ran else [NO_SCHEMA],
    }
    return {name: value for name, value in told.items() if value}
