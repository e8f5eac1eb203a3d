"""Bugs put into a daemon on purpose, each of a kind that a campaign must find; by the launcher only, never in the product.

A checker that has never found anything proves nothing: `test_plants.py` demands of each of these the finding it deserves.
"""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any

LATE_SECONDS = 2.0


def plant_into(name: str) -> None:
    """Change this process; its children inherit it."""
    PLANTS[name]()


def _early_ack() -> None:
    """The door tells the sender that a submission is durable, and makes it so two seconds later."""
    from intermediary.ingress.taking import Taker
    from intermediary.store.records import Taken

    def insist(self: Any, eingaenge: Sequence[Any]) -> list[Taken]:
        _later(lambda: self._take(eingaenge))
        return [Taken("", "new") for _ in eingaenge]

    Taker._insist = insist  # type: ignore[method-assign]


def _new_key() -> None:
    """Every attempt has an idempotency key of its own."""
    from intermediary import deliver

    made = deliver.Zustellauftrag

    def auftrag(**fields: Any) -> Any:
        return dataclasses.replace(made(**fields), key=str(uuid.uuid4()))

    deliver.Zustellauftrag = auftrag  # type: ignore[misc,assignment]


def _drop_on_500() -> None:
    """A target that failed counts as one that has delivered."""
    from intermediary import deliver
    from intermediary.core.faults import Unclear
    from intermediary.core.ports import Delivered

    decide = deliver.decide_zustellung

    def decide_lightly(state: Any, outcome: Any, idempotency: Any, situation: Any) -> Any:
        return decide(state, Delivered() if isinstance(outcome, Unclear) else outcome, idempotency, situation)

    deliver.decide_zustellung = decide_lightly


def _late_audit() -> None:
    """State changes are committed first and their audit events two seconds later."""
    from intermediary.store import take, work

    write = work.write_entries

    def write_later(tx: Any, entries: Sequence[Any]) -> None:
        engine, kept = tx.engine, list(entries)

        def commit() -> None:
            options = {"intermediary_writes": True}
            with engine.connect().execution_options(**options) as connection, connection.begin():
                write(connection, kept)

        _later(commit)

    work.write_entries = take.write_entries = write_later


def _double_claim() -> None:
    """A Nachricht is worked on by two at the same time, under one lease."""
    from intermediary.worker import Worker

    advance = Worker.advance

    def advance_twice(self: Any, claim: Any) -> None:
        other = threading.Thread(target=advance, args=(Worker(self._bench, owner=self._owner), claim), daemon=True)
        other.start()
        advance(self, claim)
        other.join()

    Worker.advance = advance_twice  # type: ignore[method-assign]


PLANTS: dict[str, Callable[[], None]] = {
    "early-ack": _early_ack,
    "new-key": _new_key,
    "drop-on-500": _drop_on_500,
    "late-audit": _late_audit,
    "double-claim": _double_claim,
}


def _later(action: Callable[[], object]) -> None:
    timer = threading.Timer(LATE_SECONDS, action)
    timer.daemon = True
    timer.start()
