"""What executing a request comes to: the answer's order, the facts to commit, what is carried for somebody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from intermediary.osci.write import Answer
from intermediary.testing.simulate.osci.carried import NOTHING, Carried
from intermediary.testing.simulate.osci.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One executed request. `kind` is that of the answer.

    The facts are committed before anything goes out. With an `errand` the answer comes from there: it is run after the
    commit, without any lock, because it calls somebody else; what it returns is committed too.
    """

    kind: str
    answer: Answer
    facts: tuple[Fact, ...] = ()
    carried: Carried = field(default=NOTHING)
    errand: Callable[[], Outcome] | None = None
