"""What approvals hold back when things change between the question and the deed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from intermediary.operations.act import Replay
from intermediary.operations.approvals import Approvals
from intermediary.operations.person import Request
from intermediary.operations.selection import Selection
from intermediary.settings.approvals import Approvals as Rules
from intermediary.store import Store
from tests.conformance.store_kit import NOW, bench_in, names, planned


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An installation on SQLite."""
    bench = bench_in(tmp_path)
    yield bench.open()
    bench.close()


def test_what_could_not_be_approved_is_not_replayed(store: Store) -> None:
    """Nothing was to be done when a second person would have been asked; what is parked meanwhile waits for one."""
    numbers = count(1)
    rules = Rules(required=("replay",))
    approvals = Approvals(store, rules, now=lambda: NOW, new_id=lambda: f"approval-{next(numbers)}")
    replay = Replay(store, now=lambda: NOW, approvals=approvals)
    claims = [planned(store, message_id=f"antrag-{number}") for number in range(2)]
    for claim in claims:
        store.release(claim, NOW)
    wanted = Selection(ids=tuple(claim.nachricht.id for claim in claims))
    effects = replay.carry_out(wanted, Request("adler", "geprüft", "adler"))
    first = next(effects)
    [late] = [claim for claim in claims if claim.nachricht.id != first.nachricht_id]
    store.park(store.claim_one(late.nachricht.id, "worker", NOW), "bug.unexpected", NOW)

    second = next(effects)

    assert ("nothing", "nothing") == (first.action, second.action)
    assert "parked" == store.get(late.nachricht.id).state
    assert "person.denied" == names(store, late)[-1]
