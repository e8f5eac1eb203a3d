"""How long the payload of a Nachricht is kept in which state: rules, defaults, and which rule holds for one; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

from intermediary.core.states import FINAL, NachrichtState

ENDING = frozenset({*FINAL, NachrichtState.PARKED})
"""States that rules are about. What is not final is never erased by itself: where only a person can move it on, as if it
were parked, its term ends in an alarm.
"""

AUDIT_YEARS = 10
"""How long the audit trail is kept at least (DESIGN §7); the program erases nothing of it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A term in days since the Nachricht reached `state`; an empty `mandant` or `route` means every one."""

    state: NachrichtState
    days: int
    mandant: str = ""
    route: str = ""
    is_default: bool = False

    @property
    def specificity(self) -> int:
        """How many conditions it has besides the state; the higher wins, and any rule wins over a default."""
        return -1 if self.is_default else bool(self.mandant) + bool(self.route)

    @property
    def term(self) -> timedelta:
        """`days` as a duration."""
        return timedelta(days=self.days)

    def applies(self, mandant: str, route: str, state: NachrichtState) -> bool:
        """Whether it holds for Nachrichten of this Mandant on this route (empty: refused before a route) in this state."""
        return self.state is state and self.mandant in ("", mandant) and self.route in ("", route)

    def __str__(self) -> str:
        """As it stands in the audit trail: what it is about, and its days."""
        about = [f"mandant={self.mandant}"] * bool(self.mandant) + [f"route={self.route}"] * bool(self.route)
        kind = ["default"] if self.is_default else about or ["everywhere"]
        return f"{self.state}: {self.days} days ({' '.join(kind)})"


DEFAULTS = (
    Rule(NachrichtState.COMPLETED, 30, is_default=True),
    Rule(NachrichtState.REJECTED, 90, is_default=True),
    Rule(NachrichtState.DISCARDED, 90, is_default=True),
    Rule(NachrichtState.PARKED, 90, is_default=True),
)


@dataclass(frozen=True, slots=True)
class Terms:
    """All rules of an installation. Where two of them hold and neither says more, the longer one is obeyed."""

    rules: tuple[Rule, ...] = ()

    def rule(self, mandant: str, route: str, state: NachrichtState) -> Rule:
        """The rule that holds for what rests in this state: the one with most conditions, else the default."""
        counted = state if state in FINAL else NachrichtState.PARKED
        applying = (rule for rule in (*self.rules, *DEFAULTS) if rule.applies(mandant, route, counted))
        return max(applying, key=lambda rule: (rule.specificity, rule.days))

    @property
    def longest_days(self) -> int:
        """The longest term of all."""
        return max(rule.days for rule in (*self.rules, *DEFAULTS))


def contradictions(rules: Iterable[Rule]) -> Iterator[tuple[Rule, Rule]]:
    """Pairs of rules that hold for the same Nachrichten with different terms, neither of them saying more."""
    known = tuple(rules)
    for one, other in combinations(known, 2):
        if one.state is not other.state or one.specificity != other.specificity:
            continue
        mandant, route = _both(one.mandant, other.mandant), _both(one.route, other.route)
        if mandant is None or route is None:
            continue
        is_same = (one.mandant, one.route) == (other.mandant, other.route)
        is_settled = any((rule.state, rule.mandant, rule.route) == (one.state, mandant, route) for rule in known)
        if is_same or (one.days != other.days and not is_settled):
            yield one, other


def _both(one: str, other: str) -> str | None:
    """The condition that is left when both must hold; None when they exclude each other."""
    if one and other and one != other:
        return None
    return one or other
