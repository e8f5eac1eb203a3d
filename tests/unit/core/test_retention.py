"""Rules of retention: which one holds, and which contradict each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.retention import DEFAULTS, Rule, Terms, contradictions
from intermediary.core.states import NachrichtState

N = NachrichtState
DONE = N.COMPLETED


@pytest.mark.parametrize(("state", "days"), [(DONE, 30), (N.REJECTED, 90), (N.DISCARDED, 90), (N.PARKED, 90)])
def test_without_a_rule_the_default_holds(state: NachrichtState, days: int) -> None:
    """The terms of the design, for every Mandant and route."""
    rule = Terms().rule("musterstadt", "bauantrag", state)

    assert (days, True) == (rule.days, rule.is_default)


@pytest.mark.parametrize("state", [N.RECEIVED, N.PLANNED, N.ANSWERING, N.PARKED])
def test_what_is_open_counts_as_parked(state: NachrichtState) -> None:
    """It rests because only a person can move it on; its term ends in an alarm."""
    assert N.PARKED is Terms((Rule(N.PARKED, 5),)).rule("m", "r", state).state


def test_the_rule_that_says_most_holds() -> None:
    """Mandant and route before one of them, that before none, and any rule before a default."""
    rules = (Rule(DONE, 1), Rule(DONE, 2, "m"), Rule(DONE, 3, "m", "r"))

    assert [3, 2, 1] == [Terms(rules).rule(*one, DONE).days for one in (("m", "r"), ("m", "x"), ("o", "r"))]
    assert 90 == Terms(rules).longest_days


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        (Rule(DONE, 1, "m"), Rule(DONE, 2, "m"), True),
        (Rule(DONE, 1, "m"), Rule(DONE, 1, "m"), True),
        (Rule(DONE, 1, "m"), Rule(DONE, 2, "", "r"), True),
        (Rule(DONE, 1, "m"), Rule(DONE, 1, "", "r"), False),
        (Rule(DONE, 1, "m"), Rule(DONE, 2, "o"), False),
        (Rule(DONE, 1, "m"), Rule(N.REJECTED, 2, "m"), False),
        (Rule(DONE, 1, "m", "r"), Rule(DONE, 2, "m"), False),
    ],
)
def test_rules_contradict_each_other_where_neither_says_more(one: Rule, other: Rule, contradict: bool) -> None:
    """The same conditions twice, or two that can hold at once with different terms."""
    assert contradict is bool(list(contradictions((one, other))))


def test_a_rule_that_says_both_settles_it() -> None:
    """Mandant against route is no contradiction where a rule names the two together."""
    rules = (Rule(DONE, 1, "m"), Rule(DONE, 2, "", "r"), Rule(DONE, 3, "m", "r"))

    assert [] == list(contradictions(rules))


_RULES = st.lists(
    st.builds(
        Rule,
        state=st.sampled_from([DONE, N.REJECTED]),
        days=st.integers(1, 9),
        mandant=st.sampled_from(["", "a", "b"]),
        route=st.sampled_from(["", "r", "s"]),
    ),
    max_size=6,
)


@given(_RULES, st.sampled_from("abc"), st.sampled_from(["r", "s", "t", ""]), st.sampled_from([DONE, N.REJECTED]))
def test_without_contradictions_the_order_means_nothing(
    rules: list[Rule], mandant: str, route: str, state: NachrichtState
) -> None:
    """One rule holds, whatever the order of the file, and no rule that applies says more than it."""
    held = Terms(tuple(rules)).rule(mandant, route, state)
    applying = [one for one in (*rules, *DEFAULTS) if one.applies(mandant, route, state)]

    assert max(one.specificity for one in applying) == held.specificity
    if not list(contradictions(rules)):
        assert held.days == Terms(tuple(reversed(rules))).rule(mandant, route, state).days
