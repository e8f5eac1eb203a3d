"""How each target stands: the rows, read and written as the values of `core`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from intermediary.audit.chain import moment
from intermediary.core.breaker import Health, Probe, TargetState
from intermediary.core.decide import DEADLINES
from intermediary.core.states import ZustellungState
from intermediary.core.turns import Return, Turns
from intermediary.store.columns import Moment
from intermediary.store.tables import nachrichten, target_pauses, target_turns, targets, zustellungen

PAUSED, RESTING = "target.paused", "target.resting"
HELD = (PAUSED, RESTING)
"""The codes of what waits until its target is free again; what is limited comes round by itself."""

_WAITS = (ZustellungState.DUE, ZustellungState.UNCLEAR)
_MICROSECOND = timedelta(microseconds=1)
_LOAD = select(targets).where(targets.c.id == bindparam("wanted")).with_for_update()
_PAUSES = select(target_pauses).order_by(target_pauses.c.scope)
_NOW = bindparam("now", type_=Moment)
_LEASED = nachrichten.c.lease_owner.is_not(None) & (nachrichten.c.lease_until > _NOW)
_ALIVE = (
    select(nachrichten.c.id)
    .where(nachrichten.c.id == bindparam("wanted"))
    .where(nachrichten.c.lease_token == bindparam("token"))
    .where(_LEASED)
)
_HOLDER = (
    select(nachrichten.c.id)
    .where(nachrichten.c.id == target_turns.c.nachricht_id)
    .where(nachrichten.c.lease_token == target_turns.c.token)
    .where(_LEASED)
    .exists()
)
"""Whether the claim under which a delivery began is still held."""

_NOBODY: ColumnElement[str] = literal_column("''")
"""Written out, so that the index of those who wait is used."""


@dataclass(frozen=True, slots=True)
class Pause:
    """That a person has stopped what goes to a target (`mandant/route/target`), a route or a Mandant; None: open-ended."""

    scope: str
    reason: str
    actor: str
    paused_at: datetime
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether its time is not up yet."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """How one target stands durably; one without a row works and was never in trouble.

    `normal_per_minute` is what it took before it last began to rest, None when nobody knows.
    """

    id: str
    health: Health
    turns: Turns = field(default_factory=Turns)
    progress: Return = field(default_factory=Return)
    normal_per_minute: int | None = None


def lock_name(target: str) -> str:
    """What everybody queues for who changes how a target stands."""
    return f"target {target}"


def told(at: datetime | None) -> str:
    """A moment as an event tells it; empty when it is open."""
    return "" if at is None else moment(at)


def load(tx: Connection, target: str, now: datetime) -> TargetRecord:
    """The record under a lock until the transaction ends; the caller has queued for its name."""
    row = tx.execute(_LOAD, {"wanted": target}).one_or_none()
    if row is not None:
        return _record(row)
    fresh = TargetRecord(target, Health(TargetState.WORKS, now))
    tx.execute(insert(targets), {"id": target, **_values(fresh)})
    return fresh


def save(tx: Connection, record: TargetRecord) -> None:
    """Write all of it."""
    tx.execute(update(targets).where(targets.c.id == record.id).values(**_values(record)))


def all_of(tx: Connection) -> dict[str, TargetRecord]:
    """Every record by the target's id."""
    return {row.id: _record(row) for row in tx.execute(select(targets).order_by(targets.c.id))}


def pauses(tx: Connection) -> tuple[Pause, ...]:
    """Every pause, also those whose time is up."""
    return tuple(Pause(**row._mapping) for row in tx.execute(_PAUSES))


def is_alive(tx: Connection, probe: Probe, now: datetime) -> bool:
    """Whether the claim that a probe was made under is still held."""
    asked = {"wanted": probe.nachricht_id, "token": probe.token, "now": now}
    return tx.execute(_ALIVE, asked).first() is not None


def begin_turn(tx: Connection, target: str, probe: Probe, now: datetime) -> None:
    """A delivery to a limited target begins."""
    values = {"target": target, "nachricht_id": probe.nachricht_id, "token": probe.token, "began_at": now}
    end_turn(tx, probe)
    tx.execute(insert(target_turns), {"key": probe.key, **values})


def end_turn(tx: Connection, probe: Probe) -> None:
    """It has ended."""
    tx.execute(delete(target_turns).where(target_turns.c.key == probe.key))


def count_turns(tx: Connection, target: str, probe: Probe, now: datetime) -> int:
    """How many other deliveries to it are under way; those whose claim is lost are forgotten."""
    tx.execute(delete(target_turns).where(target_turns.c.target == target).where(~_HOLDER), {"now": now})
    others = select(func.count()).where(target_turns.c.target == target).where(target_turns.c.key != probe.key)
    return tx.execute(others).scalar_one()


def waiting(tx: Connection) -> dict[str, int]:
    """How many Zustellungen wait for each target."""
    counted = (
        select(zustellungen.c.waits_for, func.count().label("many"))
        .where(zustellungen.c.waits_for != _NOBODY)
        .where(zustellungen.c.state.in_(_WAITS))
        .where(zustellungen.c.code.in_(sorted(DEADLINES)))
        .group_by(zustellungen.c.waits_for)
    )
    return {row.waits_for: row.many for row in tx.execute(counted)}


def held(target: Any, now: Any) -> Any:
    """The condition of a Zustellung that waits until this target is free, and for nothing sooner."""
    return (
        (zustellungen.c.waits_for == target)
        & (zustellungen.c.waits_for != _NOBODY)
        & zustellungen.c.code.in_(HELD)
        & zustellungen.c.state.in_(_WAITS)
        & (zustellungen.c.due_at > now)
    )


def _record(row: Row[Any]) -> TargetRecord:
    probe = Probe(row.probe_key, row.probe_nachricht, row.probe_token) if row.probe_nachricht else None
    state = TargetState(row.state)
    health = Health(state, row.since, row.failures, row.rests, row.rest_until, row.code, probe, row.probe_key)
    turns = Turns(row.passes_at, row.queue_ends_at, row.deed_micros * _MICROSECOND)
    return TargetRecord(row.id, health, turns, Return(row.return_began_at, row.return_last_at), row.normal_per_minute)


def _values(record: TargetRecord) -> Mapping[str, Any]:
    health, turns, progress = record.health, record.turns, record.progress
    probe = health.probe or Probe(health.tried, "", 0)
    return {
        "state": health.state,
        "since": health.since,
        "failures": health.failures,
        "rests": health.rests,
        "rest_until": health.rest_until,
        "code": health.code,
        "probe_key": probe.key,
        "probe_nachricht": probe.nachricht_id,
        "probe_token": probe.token,
        "normal_per_minute": record.normal_per_minute,
        "return_began_at": progress.began_at,
        "return_last_at": progress.last_at,
        "passes_at": turns.passes_at,
        "queue_ends_at": turns.queue_ends_at,
        "deed_micros": turns.deed // _MICROSECOND,
    }
