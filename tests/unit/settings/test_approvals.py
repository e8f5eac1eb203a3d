"""Which changes a second person has to approve, and which side doors that closes."""

from __future__ import annotations

import pytest

from intermediary.settings.approvals import VERBS, Approvals


@pytest.mark.parametrize(
    ("required", "needed"),
    [
        ("replay", {"replay", "redeliver", "resume", "send-again"}),
        ("redeliver", {"redeliver"}),
        ("discard", {"discard", "mandant-delete"}),
        ("hold-release", {"hold-release", "mandant-delete"}),
        ("mandant-delete", {"mandant-delete"}),
    ],
)
def test_what_a_verb_includes(required: str, needed: set[str]) -> None:
    """Deleting a whole Mandant discards what is open and lifts every hold: alone, nobody gets around those by it."""
    rules = Approvals(required=(required,))  # type: ignore[arg-type]

    assert needed == {verb for verb in VERBS if rules.needs(verb)}
