"""How long payloads and hashed ids are kept, and what is wrong with such rules; docs/howto/retention.md explains them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import Field

from intermediary.core.retention import AUDIT_YEARS, Rule, Terms, contradictions
from intermediary.core.states import NachrichtState
from intermediary.settings.finding import Finding, Severity
from intermediary.settings.kinds import Count, NameText
from intermediary.settings.table import Table

_TRANSPORT_DAYS = 90
"""How long transports keep what they delivered, and may deliver it again (contract G13)."""


class RetentionRule(Table):
    """A term of payloads; the rule with most conditions holds. Without one: completed 30, rejected, discarded, parked 90."""

    state: Literal["completed", "rejected", "discarded", "parked"] = Field(
        description="For Nachrichten in this state. What is parked is never erased by itself: its term ends in an alarm."
    )
    days: Count = Field(description="So many days after the Nachricht reached the state its payload is erased.")
    mandant: NameText | None = Field(default=None, description="Only for this Mandant.")
    route: NameText | None = Field(
        default=None, description="Only for this route, and so for the message types that the route takes."
    )

    @property
    def rule(self) -> Rule:
        """The rule as the pure functions of `core` know it."""
        return Rule(NachrichtState(self.state), self.days, self.mandant or "", self.route or "")


class Memory(Table):
    """How long hashed ids are remembered; they are useless without the key of the Mandant, and erased at their term."""

    dedupe_days: int = Field(
        default=_TRANSPORT_DAYS,
        strict=True,
        ge=1,
        description="So long a sender's message id is known, and the same id with other bytes is stopped as a conflict.",
    )
    search_days: int = Field(
        default=AUDIT_YEARS * 365,
        strict=True,
        ge=1,
        description="So long a Nachricht is found by LeikaId and business keys, counted from its receipt.",
    )


def terms(rules: Sequence[RetentionRule]) -> Terms:
    """The rules of the file, for whoever obeys them."""
    return Terms(tuple(one.rule for one in rules))


def check_retention(
    rules: Sequence[RetentionRule], memory: Memory, mandanten: Collection[str], file: Path
) -> Iterator[Finding]:
    """Unknown Mandanten, rules that contradict each other, memories shorter than what needs them."""
    for number, rule in enumerate(rules, start=1):
        if rule.mandant is not None and rule.mandant not in mandanten:
            near = get_close_matches(rule.mandant, mandanten, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(mandanten)}"
            yield Finding(file, f"retention[{number}].mandant", f'there is no Mandant "{rule.mandant}"', hint)
        if rule.days > AUDIT_YEARS * 365:
            what = f"is longer than the audit trail need be kept ({AUDIT_YEARS} years)"
            hint = "the payload would outlive its proof: keep backups of the audit trail as long"
            yield Finding(file, f"retention[{number}].days", what, hint, Severity.WARNING)
    known = [one.rule for one in rules]
    for one, other in contradictions(known):
        places = [number for number, rule in enumerate(known, start=1) if rule in (one, other)]
        what = f"contradicts retention[{places[0]}]: {one} and {other}"
        hint = "leave one out, or add a rule that names both the Mandant and the route"
        yield Finding(file, f"retention[{places[-1]}]", what, hint)
    yield from _memory(known, memory, file)


def _memory(rules: Sequence[Rule], memory: Memory, file: Path) -> Iterator[Finding]:
    if memory.dedupe_days < _TRANSPORT_DAYS:
        what = f"is shorter than transports keep what they delivered ({_TRANSPORT_DAYS} days)"
        hint = "an id that comes again with other bytes would be taken as a new Nachricht, and not be stopped"
        yield Finding(file, "memory.dedupe_days", what, hint, Severity.WARNING)
    longest = Terms(tuple(rules)).longest_days
    if memory.search_days < longest:
        what = f"is shorter than the longest term of a payload ({longest} days)"
        hint = "whoever asks what is kept about them must be found as long as anything is kept"
        yield Finding(file, "memory.search_days", what, hint)
