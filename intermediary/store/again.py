"""What a person orders for a Nachricht that waits: look at it now, or judge it anew with today's versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete

from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.store.database import Database, whole
from intermediary.store.doubt import may_have_arrived
from intermediary.store.errors import NotPossible
from intermediary.store.order import unplaced
from intermediary.store.records import Claim
from intermediary.store.tables import search_keys, zustellungen
from intermediary.store.work import Work, under_claim

_N, _Z = NachrichtState, ZustellungState
_WAITING = frozenset({_Z.DUE, _Z.UNCLEAR, _Z.AWAITING})


@whole
def hurry(db: Database, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
    """See `Store.hurry`."""
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        order_haste(work, actor=actor, because={"reason": reason}, now=now)
        return work.save()


def order_haste(work: Work, *, actor: str, because: Mapping[str, str], now: datetime) -> None:
    """`hurry` inside a transaction; `because` is the reason, and the job it belongs to."""
    work.event("person.hurried", because, actor=actor)
    if work.nachricht.own_due_at is not None:
        work.change(own_due_at=now)
    for record in work.zustellungen:
        if record.state in _WAITING and record.due_at is not None:
            work.change_zustellung(record.key, due_at=now)


@whole
def judge_anew(db: Database, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
    """See `Store.judge_anew`."""
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        order_judgement(tx, work, actor=actor, because={"reason": reason}, now=now)
        return work.save()


def order_judgement(tx: Connection, work: Work, *, actor: str, because: Mapping[str, str], now: datetime) -> None:
    """`judge_anew` inside a transaction, as `order_haste`."""
    if (
        work.nachricht.state is _N.DISCARDED
        or work.nachricht.verdict
        or any(may_have_arrived(record) for record in work.zustellungen)
    ):
        raise NotPossible("what was delivered, tried or discarded stays as it was judged")
    if work.nachricht.state is _N.PLANNED:
        work.move(_N.PARKED, "nachricht.parked", {"state": _N.PLANNED, "code": "judged-anew"}, code="judged-anew")
    _forget_judgement(work, actor=actor, because=because, now=now)
    tx.execute(delete(search_keys).where(search_keys.c.nachricht_id == work.nachricht.id))
    tx.execute(delete(zustellungen).where(zustellungen.c.nachricht_id == work.nachricht.id))


def _forget_judgement(work: Work, *, actor: str, because: Mapping[str, str], now: datetime) -> None:
    """The revision counts on, so that the output carries a new nachrichtenUUID; keys of the Zustellungen repeat."""
    revision = work.nachricht.revision + 1
    fields = {**because, "revision": revision}
    fresh = {"route": "", "pins": {}, "plan": {}, "revision": revision, "own_due_at": now, "since": now}
    fresh |= unplaced(work.nachricht)
    if work.nachricht.state is _N.RECEIVED:
        work.event("person.judged-anew", fields, actor=actor)
        work.change(**fresh, wait_reason="", code="")
    else:
        work.move(_N.RECEIVED, "person.judged-anew", fields, actor=actor, unexplained=0, **fresh)
    work.drop_zustellungen()
