"""When a target rests: the table of transitions, and what holds after any sequence of outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.breaker import (
    Health,
    Probe,
    RestRules,
    Sign,
    TargetState,
    after_failure,
    after_nothing,
    after_success,
    probed_by,
    sign_of,
    without_prober,
)
from intermediary.core.faults import Misconfigured, Rejected, Transient, Unclear
from intermediary.core.ports import Awaiting, Delivered, NotDelivered, Refused

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RULES = RestRules(after_failures=3, first_rest=timedelta(seconds=30), longest_rest=timedelta(minutes=4))
ONE, OTHER = Probe("k1", "n1", 1), Probe("k2", "n2", 7)
GOOD = Health(TargetState.WORKS, NOW)


def fail(health: Health, probe: Probe = ONE, asked: timedelta | None = None, now: datetime = NOW) -> Health:
    """One more failure."""
    return after_failure(health, probe, code="target.unreachable", asked=asked, rules=RULES, now=now)


@pytest.mark.parametrize(
    ("outcome", "sign"),
    [
        (Delivered(), Sign.WELL),
        (Awaiting(NOW), Sign.WELL),
        (Refused("A12"), Sign.WELL),
        (Rejected("target.refused"), Sign.WELL),
        (Transient("target.unreachable"), Sign.ILL),
        (Transient("target.full"), Sign.ILL),
        (Unclear("delivery.unclear"), Sign.ILL),
        (ValueError(), Sign.ILL),
        (Transient("target.busy"), Sign.NEITHER),
        (Misconfigured("target.misconfigured"), Sign.ILL),
        (Misconfigured("payload.missing"), Sign.NEITHER),
        (Misconfigured("mapping.output.invalid"), Sign.NEITHER),
        (NotDelivered(), Sign.NEITHER),
    ],
)
def test_what_an_outcome_says(outcome: object, sign: Sign) -> None:
    """A refusal shows health, a folder that is gone illness; what is told of one Zustellung is not told of the target."""
    assert sign is sign_of(outcome)


def test_it_rests_after_so_many_failures_in_a_row() -> None:
    """The last of them begins the rest; a success between them starts the count anew."""
    twice = fail(fail(GOOD))
    healed = fail(fail(after_success(twice, ONE, NOW)))

    assert (TargetState.WORKS, TargetState.WORKS) == (twice.state, healed.state)
    assert (TargetState.RESTS, NOW + timedelta(seconds=30)) == (fail(twice).state, fail(twice).rest_until)


def test_rests_double_up_to_the_longest() -> None:
    """Every probe that fails makes the rest longer, never longer than the rules say; since stays where it began."""
    health, lengths = fail(fail(fail(GOOD))), []
    for _ in range(5):
        health = fail(probed_by(health, ONE), ONE)
        lengths.append((health.rest_until or NOW) - NOW)

    assert [timedelta(seconds=s) for s in (60, 120, 240, 240, 240)] == lengths
    assert NOW == health.since


@pytest.mark.parametrize(("hours", "kept"), [(1, 1), (6, 6), (900, 6)])
def test_a_target_may_ask_for_a_rest(hours: int, kept: int) -> None:
    """One answer with Retry-After is enough, and lasts as long as it asked for, up to a limit."""
    health = fail(GOOD, asked=timedelta(hours=hours))

    assert (TargetState.RESTS, NOW + timedelta(hours=kept)) == (health.state, health.rest_until)


def test_only_the_probe_ends_a_rest() -> None:
    """What succeeds or fails late, begun before the rest, neither closes nor reopens it."""
    probing = probed_by(fail(fail(fail(GOOD))), ONE)

    assert probing == after_success(probing, OTHER, NOW)
    assert TargetState.PROBING is fail(probing, OTHER).state
    assert probing == after_nothing(probing, OTHER, RULES, NOW)
    assert TargetState.WORKS is after_success(probing, ONE, NOW).state


def test_a_probe_that_said_nothing_gives_its_place_back() -> None:
    """What was wrong with the Nachricht is neither health nor a failure: the target rests on, no longer than at first."""
    probing = probed_by(fail(fail(fail(GOOD))), ONE)
    after = after_nothing(probing, ONE, RULES, NOW)

    assert (TargetState.RESTS, probing.rests) == (after.state, after.rests)
    assert NOW + RULES.first_rest == after.rest_until
    assert without_prober(probing, NOW).is_over(NOW)


@dataclass(frozen=True)
class Step:
    """Something that happens to a target."""

    what: str
    seconds: int
    asked: int


STEPS = st.builds(
    Step,
    st.sampled_from(["fail", "succeed", "nothing", "late", "probe", "die"]),
    st.integers(0, 400),
    st.sampled_from([0, 0, 0, 5, 90_000]),
)


@given(st.lists(STEPS, max_size=60))
def test_whatever_happens(steps: list[Step]) -> None:
    """Never without a way back: a rest has an end within its limit, a probe exists exactly while probing, counts fit."""
    health, now = GOOD, NOW
    for step in steps:
        now += timedelta(seconds=step.seconds)
        before, asked = health, timedelta(seconds=step.asked) if step.asked else None
        match step.what:
            case "fail":
                health = fail(health, health.probe or ONE, asked, now)
            case "succeed":
                health = after_success(health, health.probe or ONE, now)
            case "nothing":
                health = after_nothing(health, health.probe or ONE, RULES, now)
            case "late":
                health = fail(health, OTHER, None, now)
            case "probe" if health.is_over(now):
                health = probed_by(health, ONE)
            case "die" if health.state is TargetState.PROBING:
                health = without_prober(health, now)

        assert (health.probe is not None) == (health.state is TargetState.PROBING)
        if health.state is TargetState.WORKS:
            assert (0, True) == (health.rests, health.failures < RULES.after_failures)
        else:
            assert health.rests > 0
            assert health.rest_until is not None
            assert health.rest_until <= now + RULES.longest_asked
            assert health.failures >= before.failures
        if before.state is TargetState.RESTS:
            assert health.state is not TargetState.WORKS
