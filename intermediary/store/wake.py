"""Waking what waits for the operator, when the configuration has changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from intermediary.core.breaker import TargetState
from intermediary.core.codes import CATALOGUE, Healer
from intermediary.core.states import WORKABLE, ZustellungState
from intermediary.store.database import Database, whole
from intermediary.store.installation import record_installation
from intermediary.store.tables import nachrichten, targets, zustellungen
from intermediary.store.work import without_claim

OPERATORS_CODES = frozenset(code.name for code in CATALOGUE.values() if code.healer is Healer.OPERATOR) - {
    "target.paused"
}

_WAITING = (ZustellungState.DUE, ZustellungState.UNCLEAR, ZustellungState.AWAITING)


@whole
def wake_misconfigured(db: Database, now: datetime) -> int:
    """See `Store.wake_misconfigured`."""
    codes = sorted(OPERATORS_CODES)
    own = (
        select(nachrichten.c.id)
        .where(nachrichten.c.wait_reason.in_(codes))
        .where(nachrichten.c.state.in_(sorted(WORKABLE)))
        .where(nachrichten.c.own_due_at > now)
    )
    of_zustellungen = (
        select(zustellungen.c.nachricht_id)
        .where(zustellungen.c.code.in_(codes))
        .where(zustellungen.c.state.in_(_WAITING))
        .where(zustellungen.c.due_at > now)
    )
    with db.write() as tx:
        waiting = sorted(set(tx.scalars(own)) | set(tx.scalars(of_zustellungen)))
        for nachricht_id in waiting:
            work = without_claim(tx, nachricht_id, now)
            if work.nachricht.wait_reason in OPERATORS_CODES and work.nachricht.own_due_at is not None:
                work.change(own_due_at=now)
            for record in work.zustellungen:
                if record.code in OPERATORS_CODES and record.state in _WAITING and record.due_at is not None:
                    work.change_zustellung(record.key, due_at=now)
            work.save()
        rests = (targets.c.state == TargetState.RESTS, targets.c.code.in_(codes), targets.c.rest_until > now)
        tx.execute(update(targets).where(*rests).values(rest_until=now))
        record_installation(db, tx, "configuration.changed", {"woken": len(waiting)}, now=now)
    return len(waiting)
