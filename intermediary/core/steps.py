"""Checkpoints of one Zustellung: what its target has done already, kept over attempts, processes and crashes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from intermediary.core.values import EMPTY

MOST_STEPS = 10_000
MOST_FACTS = 16
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_FACT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_PART = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_LONGEST_FACT = 512


class Steps(Protocol):
    """The checkpoints of one Zustellung, shared by all its attempts; the same object for all calls of one attempt.

    Names are those of `Manifest.steps`; one that repeats has a part of its own (`document/1`). Before an effect ask `get`:
    the facts of a step that is done, None while it is not. After the effect say `done`: durable when it returns. Facts are
    ids and hashes of the target (16 at most, up to 512 characters each), never content. A step is done once: the same
    again changes nothing, other facts, and a name that the manifest does not have, raise ValueError. `Unclear` when the
    store does not answer: let it pass. A crash between effect and `done` leaves the step open though it has happened: look
    at the target before repeating what must not happen twice. Iterating gives the names in the order they were done.
    """

    def get(self, step: str) -> Mapping[str, str] | None: ...

    def done(self, step: str, facts: Mapping[str, str] = EMPTY) -> None: ...

    def __iter__(self) -> Iterator[str]: ...


def _forget(step: str, facts: Mapping[str, str]) -> None:
    """Nobody keeps it: for checks and tests."""


class Checkpoints:
    """`Steps` over what is known already; `keep` is called with each new one and makes it durable, or raises.

    `names` are those of the manifest. Without `keep` they last as long as this object.
    """

    __slots__ = ("_done", "_keep", "_names")

    def __init__(
        self,
        names: Sequence[str] = (),
        done: Mapping[str, Mapping[str, str]] = {},
        keep: Callable[[str, Mapping[str, str]], None] = _forget,
    ) -> None:
        self._names = frozenset(names)
        self._done = dict(done)
        self._keep = keep

    def get(self, step: str) -> Mapping[str, str] | None:
        self._demand(step)
        return self._done.get(step)

    def done(self, step: str, facts: Mapping[str, str] = EMPTY) -> None:
        self._demand(step)
        demand_facts(facts)
        known = self._done.get(step)
        if known is None:
            if len(self._done) >= MOST_STEPS:
                raise ValueError(f"a Zustellung has at most {MOST_STEPS} steps")
            self._keep(step, dict(facts))
            self._done[step] = dict(facts)
        elif dict(known) != dict(facts):
            raise ValueError("the step is done already, with other facts")

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._done))

    def _demand(self, step: str) -> None:
        name, slash, part = step.partition("/")
        if name not in self._names or (slash and not _PART.fullmatch(part)):
            raise ValueError("the manifest has no such step")


def is_step_name(name: str) -> bool:
    """Whether a manifest may name a step like this."""
    return _NAME.fullmatch(name) is not None


def demand_facts(facts: Mapping[Any, Any]) -> None:
    """ValueError unless these are a few short texts under plain names, whatever a connector has handed over."""
    if len(facts) > MOST_FACTS:
        raise ValueError(f"a step has at most {MOST_FACTS} facts")
    for name, value in facts.items():
        if not isinstance(name, str) or not _FACT_NAME.fullmatch(name):
            raise ValueError("the name of a fact is a word")
        if not isinstance(value, str) or len(value) > _LONGEST_FACT or not value.isprintable():
            raise ValueError(f"a fact is a text of at most {_LONGEST_FACT} printable characters")
