"""The only place that knows which state may follow which; what follows from an outcome is in `core/decide.py`.

The store refuses a transition that is not in these tables; `docs/reference/states.md` and its diagram come from them.
"""

from __future__ import annotations

from enum import StrEnum


class NachrichtState(StrEnum):
    """Where a Nachricht stands; three are final (DESIGN §4)."""

    RECEIVED = "received"
    PLANNED = "planned"
    ANSWERING = "answering"
    COMPLETED = "completed"
    REJECTED = "rejected"
    DISCARDED = "discarded"
    PARKED = "parked"


class ZustellungState(StrEnum):
    """Where one Zustellung stands; `delivered` and `refused` are verdicts and never left."""

    DUE = "due"
    INTENDED = "intended"
    DELIVERED = "delivered"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    AWAITING = "awaiting"
    PARKED = "parked"


_N = NachrichtState
_Z = ZustellungState

NACHRICHT_TRANSITIONS: frozenset[tuple[NachrichtState, NachrichtState]] = frozenset(
    {
        (_N.RECEIVED, _N.PLANNED),
        (_N.RECEIVED, _N.ANSWERING),
        (_N.PLANNED, _N.ANSWERING),
        (_N.ANSWERING, _N.COMPLETED),
        (_N.ANSWERING, _N.REJECTED),
        (_N.RECEIVED, _N.PARKED),
        (_N.PLANNED, _N.PARKED),
        (_N.ANSWERING, _N.PARKED),
        (_N.PARKED, _N.RECEIVED),
        (_N.PARKED, _N.PLANNED),
        (_N.PARKED, _N.ANSWERING),
        (_N.PARKED, _N.DISCARDED),
    }
)

ZUSTELLUNG_TRANSITIONS: frozenset[tuple[ZustellungState, ZustellungState]] = frozenset(
    {
        (_Z.DUE, _Z.INTENDED),
        (_Z.INTENDED, _Z.DELIVERED),
        (_Z.INTENDED, _Z.REFUSED),
        (_Z.INTENDED, _Z.AWAITING),
        (_Z.INTENDED, _Z.UNCLEAR),
        (_Z.INTENDED, _Z.DUE),
        (_Z.AWAITING, _Z.DELIVERED),
        (_Z.AWAITING, _Z.REFUSED),
        (_Z.AWAITING, _Z.UNCLEAR),
        (_Z.UNCLEAR, _Z.DUE),
        (_Z.UNCLEAR, _Z.DELIVERED),
        (_Z.UNCLEAR, _Z.AWAITING),
        (_Z.DUE, _Z.PARKED),
        (_Z.DUE, _Z.UNCLEAR),
        (_Z.INTENDED, _Z.PARKED),
        (_Z.UNCLEAR, _Z.PARKED),
        (_Z.PARKED, _Z.DUE),
        (_Z.PARKED, _Z.UNCLEAR),
        (_Z.PARKED, _Z.DELIVERED),
    }
)

FINAL = frozenset({_N.COMPLETED, _N.REJECTED, _N.DISCARDED})
VERDICTS = frozenset({_Z.DELIVERED, _Z.REFUSED})
WORKABLE = frozenset({_N.RECEIVED, _N.PLANNED, _N.ANSWERING})

UNEXPLAINED_LIMIT = 10
CRASH_LIMIT = 2


class IllegalTransition(Exception):
    """A caller asked for a transition that is in neither table: a defect, never an operator's mistake."""


def check_nachricht(old: NachrichtState, new: NachrichtState) -> None:
    """Refuse what the table does not know; staying in a state (waiting) is always allowed."""
    if old is not new and (old, new) not in NACHRICHT_TRANSITIONS:
        raise IllegalTransition(f"Nachricht: {old} -> {new}")


def check_zustellung(old: ZustellungState, new: ZustellungState) -> None:
    """Refuse what the table does not know; staying in a state (waiting) is always allowed."""
    if old is not new and (old, new) not in ZUSTELLUNG_TRANSITIONS:
        raise IllegalTransition(f"Zustellung: {old} -> {new}")
