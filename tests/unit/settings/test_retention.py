"""Terms in the settings: read, defaulted, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.core.states import NachrichtState
from intermediary.settings import Severity, lint
from intermediary.settings.load import load
from intermediary.settings.retention import terms

RULE = '[[retention]]\nstate = "completed"\ndays = {days}\n{more}\n'
W, E = Severity.WARNING, Severity.ERROR

WRONG = {
    "unknown Mandant": (RULE.format(days=5, more='mandant = "musterstad"'), "retention[1].mandant", E),
    "twice": (RULE.format(days=5, more="") + RULE.format(days=6, more=""), "retention[2]", E),
    "Mandant against route": (
        RULE.format(days=5, more='mandant = "musterstadt"') + RULE.format(days=6, more='route = "r"'),
        "retention[2]",
        E,
    ),
    "longer than the trail": (RULE.format(days=3651, more="") + "[memory]\nsearch_days = 4000", "retention[1].days", W),
    "no days": (RULE.format(days=0, more=""), "retention[1].days", E),
    "an open state": ('[[retention]]\nstate = "planned"\ndays = 5', "retention[1].state", E),
    "unknown key": (RULE.format(days=5, more='message_type = "x"'), "retention[1].message_type", E),
    "dedupe too short": ("[memory]\ndedupe_days = 30", "memory.dedupe_days", W),
    "found for too short": ("[memory]\nsearch_days = 60", "memory.search_days", E),
}


@pytest.mark.parametrize(("text", "path", "severity"), WRONG.values(), ids=WRONG)
def test_a_wrong_term_is_found(installation: Path, text: str, path: str, severity: Severity) -> None:
    """Each mistake is one finding, at its place."""
    installation.write_text(installation.read_text() + text)

    assert [(path, severity)] == [(finding.path, finding.severity) for finding in lint(installation)]


def test_terms_are_read(installation: Path) -> None:
    """A rule of the file holds before the default; without any, the defaults of the memory."""
    installation.write_text(installation.read_text() + RULE.format(days=400, more='route = "bauantrag"'))
    settings = load(installation)

    assert [400, 30] == [
        terms(settings.retention).rule("musterstadt", route, NachrichtState.COMPLETED).days
        for route in ("bauantrag", "x")
    ]
    assert (90, 3650) == (settings.memory.dedupe_days, settings.memory.search_days)
