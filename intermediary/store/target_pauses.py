"""Pauses of targets, made and ended by people or by the clock; each with its event of the installation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from intermediary.store.database import Database, whole
from intermediary.store.installation import record_installation
from intermediary.store.tables import target_pauses, target_turns, targets
from intermediary.store.target_rows import Pause, told


@whole
def pause(db: Database, wanted: Pause) -> None:
    """See `Targets.pause`."""
    with db.write() as tx:
        db.dialect.queue_for(tx, ["target pauses"])
        tx.execute(delete(target_pauses).where(target_pauses.c.scope == wanted.scope))
        values = {"scope": wanted.scope, "reason": wanted.reason, "actor": wanted.actor}
        tx.execute(insert(target_pauses), {**values, "paused_at": wanted.paused_at, "until": wanted.until})
        fields = {"target": wanted.scope, "reason": wanted.reason, "until": told(wanted.until)}
        record_installation(db, tx, "target.paused", fields, now=wanted.paused_at, actor=wanted.actor)


@whole
def resume(db: Database, scope: str, *, actor: str, reason: str, now: datetime) -> bool:
    """See `Targets.resume`."""
    with db.write() as tx:
        db.dialect.queue_for(tx, ["target pauses"])
        return _end(db, tx, scope, actor=actor, reason=reason, now=now)


@whole
def end_those_over(db: Database, now: datetime) -> int:
    """End every pause whose time is up; how many."""
    over = select(target_pauses.c.scope).where(target_pauses.c.until <= now).order_by(target_pauses.c.scope)
    with db.read() as tx:
        if tx.scalars(over.limit(1)).first() is None:
            return 0
    with db.write() as tx:
        db.dialect.queue_for(tx, ["target pauses"])
        ended = [_end(db, tx, scope, actor="", reason="", now=now) for scope in tx.scalars(over).all()]
    return sum(ended)


def forget_targets_of(db: Database, tx: Connection, mandant: str, *, actor: str, reason: str, now: datetime) -> None:
    """Whatever is known of a Mandant's targets, for who deletes it; a pause that stood is told as ended."""
    own = f"{mandant}/"
    paused = (target_pauses.c.scope == mandant) | target_pauses.c.scope.startswith(own, autoescape=True)
    for scope in tx.scalars(select(target_pauses.c.scope).where(paused).order_by(target_pauses.c.scope)).all():
        _end(db, tx, scope, actor=actor, reason=reason, now=now)
    tx.execute(delete(target_turns).where(target_turns.c.target.startswith(own, autoescape=True)))
    tx.execute(delete(targets).where(targets.c.id.startswith(own, autoescape=True)))


def _end(db: Database, tx: Connection, scope: str, *, actor: str, reason: str, now: datetime) -> bool:
    if not tx.execute(delete(target_pauses).where(target_pauses.c.scope == scope)).rowcount:
        return False
    record_installation(db, tx, "target.resumed", {"target": scope, "reason": reason}, now=now, actor=actor)
    return True
