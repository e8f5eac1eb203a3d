"""Bugs put into a daemon on purpose, each of a kind that a campaign must find; by the launcher only, never in the product.

A checker that has never found anything proves nothing: `test_plants.py` demands of each of these the finding it deserves.
"""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

LATE_SECONDS = 2.0
SENT_SECONDS = 0.2


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


def _ack_first() -> None:
    """The AMQP door acknowledges what it is about to make durable."""
    from intermediary.ingress.amqp.session import Session

    offer, acknowledge = Session._offer, Session._acknowledge

    def acknowledge_and_offer(self: Any, admitted: Sequence[Any]) -> None:
        acknowledge(self, [delivery for delivery, _ in admitted])
        threading.Event().wait(SENT_SECONDS)
        offer(self, admitted)

    Session._offer = acknowledge_and_offer  # type: ignore[method-assign]
    Session._acknowledge = lambda *_: None  # type: ignore[method-assign,assignment]


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


class _Twice:
    """A connector that two workers call for the same Zustellung, each in the belief that the claim is its own."""

    def __init__(self, connector: Any) -> None:
        self._connector = connector

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    def deliver(self, auftrag: Any, steps: Any, now: Any) -> Any:
        with suppress(Exception):
            self._connector.deliver(auftrag, steps, now)
        return self._connector.deliver(auftrag, steps, now)


def _double_claim() -> None:
    """Two workers hold one Nachricht, and no fence keeps either from its deed."""
    from intermediary.deliver import Deliverer

    begin = Deliverer.__init__

    def begin_twice(self: Any, store: Any, *, target: Callable[..., Any], **others: Any) -> None:
        def opened(*place: str) -> Any:
            found = target(*place)
            return dataclasses.replace(found, connector=_Twice(found.connector))

        begin(self, store, target=opened, **others)

    Deliverer.__init__ = begin_twice  # type: ignore[method-assign]


PLANTS: dict[str, Callable[[], None]] = {
    "early-ack": _early_ack,
    "ack-first": _ack_first,
    "new-key": _new_key,
    "drop-on-500": _drop_on_500,
    "late-audit": _late_audit,
    "double-claim": _double_claim,
}


def _later(action: Callable[[], object]) -> None:
    timer = threading.Timer(LATE_SECONDS, action)
    timer.daemon = True
    timer.start()
