"""What a Nachricht means for the one who delivered it: the same each time, and open only while it is open."""

from __future__ import annotations

from datetime import timedelta

import pytest

from intermediary.core.states import NachrichtState as N
from intermediary.osci.passive.verdict import Open, read_verdict
from intermediary.unseal.osci.feedback import Entry
from tests.unit.osci.passive.conftest import NOW, record

LATER = NOW + timedelta(seconds=1)
REFUSED = {"verdict": "rejected", "verdict_code": "osci.content.undecryptable"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"state": N.PLANNED, "route": "r"}, "0800"),
        ({"state": N.COMPLETED, "route": "r", "verdict": "accepted"}, "0800"),
        ({"state": N.REJECTED, "route": "r", "verdict": "rejected", "verdict_code": "target.refused"}, "0800"),
        ({"state": N.PARKED, "route": "r", "code": "split-verdict"}, "0800"),
        ({"state": N.ANSWERING, **REFUSED}, "9805"),
        ({"state": N.REJECTED, **REFUSED}, "9805"),
        ({"state": N.REJECTED, **REFUSED, "plan": {"osci_code": "9100"}}, "9100"),
        ({"state": N.REJECTED, **REFUSED, "plan": {"osci_code": "4711"}}, "9805"),
        ({"state": N.DISCARDED, "code": "person.discarded"}, "9805"),
        ({"state": N.PARKED, "code": "intake.conflict", "own_due_at": None}, "9801"),
    ],
)
def test_what_is_told(fields: dict[str, object], code: str) -> None:
    """Planned once is accepted for good; a refusal has its own code; a used id is told apart."""
    verdict = read_verdict(record(**fields), NOW)

    assert isinstance(verdict, Entry)
    assert code == verdict.code


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Open.IN_HAND),
        ({"own_due_at": LATER, "wait_reason": "route.missing"}, Open.WAITS),
        ({"state": N.PARKED, "code": "poison.crash", "own_due_at": None}, Open.WAITS),
    ],
)
def test_what_is_open(fields: dict[str, object], expected: Open) -> None:
    """What waits for time, the operator or a person is not waited for."""
    assert expected is read_verdict(record(**fields), NOW)


def test_a_refusal_says_why() -> None:
    """The line carries our code and its meaning, so that the sender can heal it."""
    verdict = read_verdict(record(state=N.REJECTED, verdict="rejected", verdict_code="validate.input.invalid"), NOW)

    assert isinstance(verdict, Entry)
    assert "validate.input.invalid" in verdict.text
    assert "de" == verdict.language
