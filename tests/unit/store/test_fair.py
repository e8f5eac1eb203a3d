"""Whose turn it is between Mandanten: pure tests of one process's memory."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from intermediary.store.fair import Fair, Share

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def _serve(fair: Fair, busy: set[str], rounds: int) -> list[str]:
    """Who is given work in so many claims while these always have some."""
    served = []
    for _ in range(rounds):
        first = next(name for name in fair.turns() if name in busy)
        fair.worked([first])
        served.append(first)
    return served


def test_equal_mandanten_take_turns() -> None:
    """One after the other, whatever each has waiting."""
    fair = Fair({"a": Share(), "b": Share(), "c": Share()})

    assert ["a", "b", "c"] * 4 == _serve(fair, {"a", "b", "c"}, 12)


def test_shares_are_kept() -> None:
    """Three times the share, three times the work while others wait; all of it while nobody does."""
    fair = Fair({"a": Share(weight=3), "b": Share(), "c": Share()})

    assert Counter(a=60, b=20) == Counter(_serve(fair, {"a", "b"}, 80))
    assert {"b"} == set(_serve(fair, {"b"}, 50))


def test_who_had_nothing_comes_first_once() -> None:
    """After an idle while the next claim is theirs, and no more than their share after that: nothing is saved up."""
    fair = Fair({"noisy": Share(), "quiet": Share()})
    _serve(fair, {"noisy"}, 1000)
    served = _serve(fair, {"noisy", "quiet"}, 10)

    assert "quiet" == served[0]
    assert 5 == served.count("quiet")


def test_who_is_full_is_left_out_and_saves_nothing() -> None:
    """A Mandant at its limit is passed over, and gets no more afterwards because of that."""
    fair = Fair({"a": Share(most_at_once=1), "b": Share()})
    for _ in range(100):
        [first] = fair.turns(without={"a"})
        fair.worked([first])

    assert {"a"} == fair.limited
    assert 6 >= _serve(fair, {"a", "b"}, 10).count("a")


def test_a_mandant_that_is_not_configured_is_learned() -> None:
    """What is left of a Mandant without settings is worked on too; those who are configured are never forgotten."""
    fair = Fair({"a": Share()})
    fair.learn(["left"])

    assert {"a", "left"} == set(fair.turns())
    assert fair.most_at_once("left") is None

    fair.learn([])

    assert ["a"] == fair.turns()


def test_it_looks_seldom_also_when_the_clock_goes_back() -> None:
    """The question who has work is asked at first, and then some seconds apart by either direction of the clock."""
    fair = Fair({})

    assert [True, False, True, True] == [
        fair.is_to_look(NOW + timedelta(seconds=seconds)) for seconds in (0, 9, 10, -5)
    ]


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 5), min_size=2),
    st.lists(st.frozensets(st.sampled_from("abcdef"), min_size=1), max_size=30),
)
def test_nobody_gets_far_ahead(weights: dict[str, int], phases: list[frozenset[str]]) -> None:
    """Of two that always have work neither gets more than a turn ahead of its share, whoever else comes and goes."""
    fair = Fair({name: Share(weight=weight) for name, weight in weights.items()})
    one, other = sorted(weights)[:2]
    counts: Counter[str] = Counter()
    for phase in phases:
        counts.update(_serve(fair, (set(phase) & set(weights)) | {one, other}, 3))
        ahead = abs(counts[one] / weights[one] - counts[other] / weights[other])

        assert ahead <= 1 / weights[one] + 1 / weights[other] + 1e-9
