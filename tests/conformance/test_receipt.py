"""Any engine: a Quittung that is handed over once more is the one that was handed over before."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest

from intermediary.core.faults import Transient
from intermediary.receipt import Receipts
from intermediary.store import Store
from tests.conformance.store_kit import DELIVERED, LATER, NOW, N, attempt, planned


class Kept:
    """A way back that keeps what went out."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    def answer(
        self, quittung: bytes, *, quittung_id: str, message_id: str, correlation_id: str, reply_to: str
    ) -> Mapping[str, str]:
        self.sent.append((quittung_id, quittung))
        return {"number": str(len(self.sent))}

    def probe(self) -> None:
        raise AssertionError("nobody asks")


def test_the_repetition_is_the_same_byte_for_byte(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store was away after the first had gone out: a day later the same goes out again."""
    way = Kept()
    claim = attempt(store, planned(store), DELIVERED)
    receipts = Receipts(store, lambda _channel: way)
    headers = partial(store.headers, claim.nachricht.id)
    with monkeypatch.context() as away, pytest.raises(Transient):
        away.setattr(Store, "answered", _is_away)
        receipts.answer(claim, headers, NOW)
    after = receipts.answer(claim, headers, LATER)

    assert way.sent[0] == way.sent[1]
    assert N.COMPLETED is after.nachricht.state


def _is_away(*_asked: object, **_named: object) -> None:
    raise Transient("store.unavailable", where="database")
