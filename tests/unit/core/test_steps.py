"""Checkpoints: only names of the manifest, only short facts, each once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from intermediary.core import steps as core_steps
from intermediary.core.steps import Checkpoints, is_step_name


def test_what_is_done_is_kept_once_and_in_order() -> None:
    """`keep` is called before a step counts, and for a new one only."""
    kept: list[tuple[str, Mapping[str, str]]] = []
    steps = Checkpoints(("case", "document"), {"case": {"id": "1"}}, lambda step, facts: kept.append((step, facts)))
    steps.done("case", {"id": "1"})
    steps.done("document/1", {"id": "2"})
    steps.done("document/1", {"id": "2"})

    assert [("document/1", {"id": "2"})] == kept
    assert ["case", "document/1"] == list(steps)
    assert ({"id": "1"}, None) == (steps.get("case"), steps.get("document/2"))


def test_what_is_not_kept_is_not_done() -> None:
    """When `keep` raises, the next attempt does the step again."""

    def fail(*_arguments: object) -> None:
        raise KeyError

    steps = Checkpoints(("case",), keep=fail)
    with pytest.raises(KeyError):
        steps.done("case")

    assert steps.get("case") is None


@pytest.mark.parametrize("step", ["", "cases", "case/", "case/a/b", "case/ä", "document/" + "1" * 65, "/1"])
def test_a_step_outside_of_the_manifest_is_refused(step: str) -> None:
    """A misspelt step would never be found again."""
    steps = Checkpoints(("case", "document"))
    with pytest.raises(ValueError, match="no such step"):
        steps.done(step)
    with pytest.raises(ValueError, match="no such step"):
        steps.get(step)


@pytest.mark.parametrize(
    "facts",
    [{"a b": "1"}, {"": "1"}, {"id": "x" * 513}, {"id": "a\nb"}, {"id": 1}, {1: "x"}, {f"f{n}": "" for n in range(17)}],
)
def test_facts_are_few_short_texts(facts: dict[Any, Any]) -> None:
    """Ids and hashes: what is longer is content."""
    with pytest.raises(ValueError, match="fact"):
        Checkpoints(("case",)).done("case", facts)


def test_steps_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connector in a loop fills no store."""
    monkeypatch.setattr(core_steps, "MOST_STEPS", 2)
    steps = Checkpoints(("document",), {"document/1": {}, "document/2": {}})
    with pytest.raises(ValueError, match="at most 2"):
        steps.done("document/3")


def test_names_of_steps_are_words() -> None:
    """The slash is kept for repetitions."""
    assert [True, True, False, False, False] == [
        is_step_name(name) for name in ("case", "close-2", "", "case/1", "Case")
    ]
