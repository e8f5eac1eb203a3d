"""What a Nachricht holds back in its Vorgang, and what of it waits there: pure, from its own state and its Zustellungen."""

from __future__ import annotations

from collections.abc import Sequence

from intermediary.core.states import VERDICTS, NachrichtState, ZustellungState
from intermediary.store.records import NachrichtRecord, Place, ZustellungRecord

WAITS = "order.waits"
EVERY = "*"
"""Stands for all targets: where a Nachricht will go is not known before it is judged."""

HOLDING = frozenset({Place.OPEN, Place.KEPT, Place.OPENED})
ORDERED = frozenset({Place.KEPT, Place.OPENED, Place.PASSED})
INVOLVED = HOLDING | ORDERED


def held(nachricht: NachrichtRecord, zustellungen: Sequence[ZustellungRecord]) -> frozenset[str]:
    """The targets at which later ones of its Vorgang wait for it.

    Every target until it is judged, then those without a verdict of theirs; none once it is rejected or discarded. What a
    person ordered to be sent once more (a redelivery) holds nobody.
    """
    return _undecided(nachricht, zustellungen) if nachricht.vorgang_place in HOLDING else frozenset()


def open_number(nachricht: NachrichtRecord, zustellungen: Sequence[ZustellungRecord]) -> int | None:
    """Its number while it may hold back others or wait, for the index that is asked for earlier ones."""
    is_open = nachricht.vorgang_place in INVOLVED and _undecided(nachricht, zustellungen)
    return nachricht.vorgang_number if is_open else None


def waiting_number(nachricht: NachrichtRecord, zustellungen: Sequence[ZustellungRecord]) -> int | None:
    """Its number while a Zustellung of its waits for earlier ones."""
    if nachricht.vorgang_place not in ORDERED or _is_over(nachricht):
        return None
    return nachricht.vorgang_number if any(is_waiting(record) for record in zustellungen) else None


def is_waiting(record: ZustellungRecord) -> bool:
    """Whether a Zustellung waits for earlier ones of its Vorgang, without a moment at which it is looked at again."""
    return record.state is ZustellungState.DUE and record.code == WAITS and record.due_at is None


def keeps_order(nachricht: NachrichtRecord, record: ZustellungRecord) -> bool:
    """Whether earlier ones are asked for before this is sent: only ahead of the first attempt, never for a redelivery."""
    return nachricht.vorgang_place in ORDERED and record.redelivery == 0 and record.intended_at is None


def _undecided(nachricht: NachrichtRecord, zustellungen: Sequence[ZustellungRecord]) -> frozenset[str]:
    if _is_over(nachricht):
        return frozenset()
    if not nachricht.route:
        return frozenset({EVERY})
    if nachricht.vorgang_place is Place.OPEN:  # judged by a program that knew no order
        return frozenset()
    first = (record for record in zustellungen if record.redelivery == 0)
    return frozenset(record.target for record in first if record.state not in VERDICTS)


def _is_over(nachricht: NachrichtRecord) -> bool:
    return nachricht.state is NachrichtState.DISCARDED or nachricht.verdict == "rejected"
