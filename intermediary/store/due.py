"""When a Nachricht has to be looked at next, and what it waits for: pure, from its own state and its Zustellungen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from intermediary.core.codes import CATALOGUE, Healer
from intermediary.core.decide import Standing
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.store.records import NachrichtRecord, ZustellungRecord

REFUSED_AGAIN = "redelivery.refused"
"""What a Nachricht that is over bears while a person has to act on a redelivery that was refused."""

GIVEN_UP = "person.discarded"
"""The code of such a redelivery once a person has let it be."""

_OPEN = frozenset({ZustellungState.DUE, ZustellungState.INTENDED, ZustellungState.UNCLEAR, ZustellungState.AWAITING})


def due_at(nachricht: NachrichtRecord, zustellungen: Sequence[ZustellungRecord]) -> datetime | None:
    """The earliest moment of what is open; None when only a person can move it, or nothing is left to do.

    A planned Nachricht that itself waits (a mapping version is missing) holds back what would need it; verdicts awaited
    elsewhere are still collected.
    """
    own = nachricht.own_due_at
    match nachricht.state:
        case NachrichtState.PARKED | NachrichtState.DISCARDED:
            return None
        case NachrichtState.RECEIVED:
            return own
        case NachrichtState.PLANNED if own is not None:
            awaited = (record for record in zustellungen if record.state is ZustellungState.AWAITING)
            return _earliest(own, awaited)
        case _:
            return _earliest(own, zustellungen)


def wait_reason(nachricht: NachrichtRecord, zustellungen: Sequence[ZustellungRecord]) -> str:
    """The code an operator sees: of the Nachricht's own waiting, else of what keeps it open.

    Parked Zustellungen come first, then those that somebody has to heal, then those that wait for time. Of what is over it
    is what nobody was told of: a redelivery that was refused.
    """
    if nachricht.own_due_at is not None or nachricht.state is NachrichtState.PARKED:
        return nachricht.wait_reason
    if nachricht.state is NachrichtState.DISCARDED:
        return ""
    parked = (record for record in zustellungen if record.state is ZustellungState.PARKED)
    waiting = [
        record for record in zustellungen if record.state in _OPEN and record.code and _may_go_on(nachricht, record)
    ]
    found = next((record.code for record in (*parked, *sorted(waiting, key=_is_healed_by_time))), "")
    is_over = not found and nachricht.state in (NachrichtState.COMPLETED, NachrichtState.REJECTED)
    return REFUSED_AGAIN if is_over and refused_again(zustellungen) else found


def refused_again(zustellungen: Iterable[ZustellungRecord]) -> tuple[ZustellungRecord, ...]:
    """Redeliveries that their target refused, that no verdict told the sender of, and that nobody has acted on since."""
    newest = {record.target: record for record in sorted(zustellungen, key=lambda one: one.redelivery)}
    return tuple(record for record in newest.values() if is_refused_again(record) and record.code != GIVEN_UP)


def is_refused_again(record: ZustellungRecord) -> bool:
    """Whether it is a redelivery that its target refused when the sender had its answer."""
    return record.state is ZustellungState.REFUSED and record.redelivery > 0 and not record.required


def _is_healed_by_time(record: ZustellungRecord) -> bool:
    return record.code in CATALOGUE and CATALOGUE[record.code].healer is Healer.TIME


def _may_go_on(nachricht: NachrichtRecord, record: ZustellungRecord) -> bool:
    """After a rejection nothing of the first round is sent any more: it waits for nothing."""
    return not (nachricht.verdict == "rejected" and record.state is ZustellungState.DUE and record.due_at is None)


def standings(zustellungen: Iterable[ZustellungRecord]) -> tuple[Standing, ...]:
    """What composition sees: per target the newest Zustellung, which takes the place of those it redelivers."""
    newest: dict[str, ZustellungRecord] = {}
    for record in zustellungen:
        known = newest.get(record.target)
        if known is None or record.redelivery > known.redelivery:
            newest[record.target] = record
    return tuple(Standing(record.state, record.required) for record in newest.values())


def _earliest(own: datetime | None, zustellungen: Iterable[ZustellungRecord]) -> datetime | None:
    moments = [record.due_at for record in zustellungen if record.state in _OPEN and record.due_at is not None]
    if own is not None:
        moments.append(own)
    return min(moments, default=None)
