"""What a Nachricht as it stands durably means for the one who delivered it; pure, so that a repetition is told the same."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from intermediary.core.states import NachrichtState
from intermediary.osci.passive.feedback import EXECUTED, NOT_ACCEPTED, USED_MESSAGE_ID, entry, is_known
from intermediary.store.records import NachrichtRecord
from intermediary.unseal.osci.feedback import Entry

OSCI_CODE = "osci_code"
"""Where a plan keeps the OSCI code of a refusal; written with the judgement."""

_N = NachrichtState
_OWN_CODE = frozenset({_N.REJECTED, _N.DISCARDED, _N.ANSWERING})


class Open(Enum):
    """There is no verdict yet: somebody is at it or will be at once, or it waits for time, the operator or a person."""

    IN_HAND = auto()
    WAITS = auto()


def read_verdict(nachricht: NachrichtRecord, now: datetime) -> Entry | Open:
    """What the deliverer is told, or that it is open.

    Once planned, a Nachricht was judged good: what becomes of it afterwards is another answer's business. The line is
    the same each time it is asked for (promise G13).
    """
    if nachricht.route:
        return entry(EXECUTED)
    if nachricht.code == "intake.conflict":
        return entry(USED_MESSAGE_ID)
    if nachricht.state in _OWN_CODE:
        return _refusal(nachricht)
    due = nachricht.own_due_at
    if nachricht.state is _N.RECEIVED and due is not None and due <= now:
        return Open.IN_HAND
    return Open.WAITS


def _refusal(nachricht: NachrichtRecord) -> Entry:
    """A refusal of unseal has a code in OSCI where the protocol knows its reason; everything else was not accepted."""
    known = str(nachricht.plan.get(OSCI_CODE) or "")
    if is_known(known):
        return entry(known)
    return entry(NOT_ACCEPTED, nachricht.verdict_code)
