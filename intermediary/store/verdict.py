"""What the Zustellungen together mean for their Nachricht, obeyed inside the transaction that settled one of them."""

from __future__ import annotations

from datetime import datetime

from intermediary.core.decide import compose
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.store.due import standings
from intermediary.store.work import Work


def compose_verdict(work: Work, now: datetime) -> None:
    """Move a planned Nachricht to `answering` or `parked` when its Zustellungen say so."""
    if work.nachricht.state is not NachrichtState.PLANNED:
        return
    decision = compose(standings(work.zustellungen))
    if decision is None:
        return
    if decision.state is NachrichtState.PARKED:
        fields = {"state": work.nachricht.state, "code": decision.code}
        work.move(NachrichtState.PARKED, "nachricht.parked", fields, code=decision.code)
    elif decision.code:
        work.move(
            NachrichtState.ANSWERING,
            "verdict.rejected",
            {"code": decision.code},
            code=decision.code,
            verdict="rejected",
            verdict_code=decision.code,
            own_due_at=now,
        )
    else:
        work.move(NachrichtState.ANSWERING, "verdict.accepted", verdict="accepted", own_due_at=now)


def stay_unsent(work: Work) -> None:
    """After a rejection nothing of the first round is sent any more; what a person ordered later is."""
    if work.nachricht.verdict != "rejected":
        return
    for record in work.zustellungen:
        is_sendable = record.state in (ZustellungState.DUE, ZustellungState.UNCLEAR)
        if is_sendable and record.redelivery == 0 and record.due_at is not None:
            work.change_zustellung(record.key, due_at=None)
