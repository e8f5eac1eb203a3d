"""Which changes a second person has to approve, and which side doors that closes."""

from __future__ import annotations

import pytest

from intermediary.settings.approvals import LOOSEN, VERBS, Approvals


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


def test_rules_are_joined() -> None:
    """What else is demanded is added; accounts that share one in any group are one person; loosening always needs two."""
    rules = Approvals(required=("reveal",), same_person=(("a", "b"),)).joined(
        ["discard", "reveal"], [("b", "c"), ("x", "y")]
    )

    assert ("discard", "reveal") == rules.required
    assert rules.person("a") == rules.person("c")
    assert rules.person("x") == rules.person("y") != rules.person("a")
    assert Approvals().needs(LOOSEN)
