"""Claims: leases with a fencing token, what a lost lease means, and how leases end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from intermediary.core.states import CRASH_LIMIT, FINAL, UNEXPLAINED_LIMIT, NachrichtState, ZustellungState
from intermediary.store import rows
from intermediary.store.database import Database, whole
from intermediary.store.errors import Busy, LeaseLost, NotFound
from intermediary.store.installation import record_installation
from intermediary.store.leasing import LEASE, SUSPECTS
from intermediary.store.records import Claim, ZustellungRecord
from intermediary.store.tables import nachrichten
from intermediary.store.turns import lease_fairly
from intermediary.store.work import Work, under_claim

_LEASE_ONE = LEASE.where(nachrichten.c.id == bindparam("wanted")).returning(nachrichten)

_FREE = {"lease_owner": None, "lease_until": None, "took_over": False}


@whole
def claim(db: Database, owner: str, now: datetime, lease: timedelta, limit: int, *, suspects: bool) -> list[Claim]:
    """See `Store.claim` and `Store.claim_suspects`."""
    claims: list[Claim] = []
    asked = {"owner": owner, "now": now, "until": now + lease, "limit": limit}
    with db.write(lasting=False) as tx:
        while not claims:
            leased_rows = (
                tx.execute(db.dialect.claim_suspects, asked).all() if suspects else lease_fairly(db, tx, asked)
            )
            if not leased_rows:
                break
            claims = _begin_all(tx, leased_rows, now)
    return sorted(claims, key=lambda one: (one.nachricht.due_at or now, one.nachricht.received_at))


@whole
def claim_one(db: Database, nachricht_id: str, owner: str, now: datetime, lease: timedelta) -> Claim:
    """See `Store.claim_one`."""
    with db.write() as tx:
        row = tx.execute(select(nachrichten).where(nachrichten.c.id == nachricht_id).with_for_update()).one_or_none()
        if row is None:
            raise NotFound(nachricht_id)
        if row.lease_owner is not None and row.lease_until > now:
            raise Busy(nachricht_id)
        return take_over(tx, nachricht_id, owner, now=now, lease=lease).save()


def take_over(tx: Connection, nachricht_id: str, owner: str, *, now: datetime, lease: timedelta) -> Work:
    """Lease a locked row that nobody holds (any more), with whatever an earlier holder left written down."""
    taken = tx.execute(_LEASE_ONE, {"owner": owner, "until": now + lease, "wanted": nachricht_id}).one()
    work = Work(tx, taken, rows.zustellungen_of_one(tx, nachricht_id), now)
    _explain(work, taken, now)
    return work


@whole
def extend(db: Database, held: Claim, now: datetime, lease: timedelta) -> Claim:
    """See `Store.extend`."""
    with db.write() as tx:
        changed = tx.execute(_held(held).values(lease_until=now + lease))
        if not changed.rowcount:
            raise LeaseLost(held.nachricht.id)
    return held


@whole
def release(db: Database, held: Claim, now: datetime) -> None:
    """See `Store.release`."""
    with db.write() as tx:
        if held.draft is None:
            tx.execute(_held(held).values(**_FREE))
            return
        work = under_claim(tx, held, now)
        work.end_lease()
        with suppress(LeaseLost):  # whoever has it now judges anew
            work.save()


@whole
def release_all_of(db: Database, owner: str, now: datetime) -> int:
    """See `Store.release_all_of`."""
    with db.write() as tx:
        held = update(nachrichten).where(nachrichten.c.lease_owner == owner)
        freed: int = tx.execute(held.values(**_FREE, lease_token=nachrichten.c.lease_token + 1)).rowcount
        if freed:
            record_installation(db, tx, "leases.released", {"released": freed}, now=now)
    return freed


@whole
def release_dead(db: Database, is_alive: Callable[[str], bool], now: datetime) -> int:
    """See `Store.release_dead`."""
    with db.read() as tx:
        owners = tx.scalars(
            select(nachrichten.c.lease_owner).where(nachrichten.c.lease_owner.is_not(None)).distinct()
        ).all()
    dead = [owner for owner in owners if owner is not None and not is_alive(owner)]
    if not dead:
        return 0
    with db.write() as tx:
        freed = tx.execute(
            update(nachrichten)
            .where(nachrichten.c.lease_owner.in_(dead))
            .values(**_FREE, lease_token=nachrichten.c.lease_token + 1)
        ).rowcount
        if freed:
            record_installation(db, tx, "leases.released", {"released": freed}, now=now)
    return freed


@whole
def release_crashed(db: Database, process: str, now: datetime, *, alone: bool) -> int:
    """See `Store.release_crashed`."""
    left = nachrichten.c.lease_owner.startswith(f"{process}:", autoescape=True)
    with db.read() as tx:
        if not tx.scalars(select(nachrichten.c.id).where(left).limit(1)).all():
            return 0
    with db.write() as tx:
        crashed = tx.execute(select(nachrichten).where(left).with_for_update()).all()
        records = rows.zustellungen_of(tx, [row.id for row in crashed])
        for row in crashed:
            _count_crash(tx, Work(tx, row, records[row.id], now), row, alone=alone, now=now)
    return len(crashed)


def _count_crash(tx: Connection, work: Work, row: Row[Any], *, alone: bool, now: datetime) -> None:
    crashes = row.crashes + alone
    _count(work)
    if crashes >= CRASH_LIMIT or work.nachricht.unexplained >= UNEXPLAINED_LIMIT:
        _end_intents(work, now)
        _park(work, "poison.crash" if crashes >= CRASH_LIMIT else "suspect")
    work.end_lease()
    work.save()
    tx.execute(update(nachrichten).where(nachrichten.c.id == row.id).values(crashes=crashes))


def has_suspect(db: Database, now: datetime) -> bool:
    """See `Store.has_suspect`."""
    with db.read() as tx:
        return tx.scalars(SUSPECTS, {"now": now, "limit": 1}).first() is not None


def _begin_all(tx: Connection, leased_rows: Sequence[Row[Any]], now: datetime) -> list[Claim]:
    records = rows.zustellungen_of(tx, [row.id for row in leased_rows if row.state != NachrichtState.RECEIVED])
    begun = (_begin(tx, row, records.get(row.id, ()), now) for row in leased_rows)  # before a judgement there are none
    return [one for one in begun if one is not None]


def _begin(tx: Connection, row: Row[Any], records: tuple[ZustellungRecord, ...], now: datetime) -> Claim | None:
    """The claim in a freshly leased row; None when it is parked instead."""
    is_interrupted = any(record.state is ZustellungState.INTENDED for record in records)
    if not row.took_over and not is_interrupted:
        return rows.claim(row, records)
    work = Work(tx, row, records, now)
    _explain(work, row, now)
    if work.nachricht.unexplained < UNEXPLAINED_LIMIT:
        return work.save()
    _park(work, "suspect")
    work.end_lease()
    work.save()
    return None


def _explain(work: Work, row: Row[Any], now: datetime) -> None:
    """Write down what an earlier holder left behind: an unexplained end, intents without a verdict."""
    if row.took_over:
        _count(work)
    _end_intents(work, now)


def _count(work: Work) -> None:
    count = work.nachricht.unexplained + 1
    work.event("claim.unexplained", {"count": count})
    work.change(unexplained=count)


def _end_intents(work: Work, now: datetime) -> None:
    for record in work.zustellungen:
        if record.state is ZustellungState.INTENDED:
            work.move_zustellung(
                record.key,
                ZustellungState.UNCLEAR,
                "delivery.unclear",
                {"attempt": record.attempts, "code": "delivery.unclear", "reason": "crash"},
                code="delivery.unclear",
                due_at=now,
            )


def _park(work: Work, code: str) -> None:
    """Park the Nachricht; where it is final already, what is still open of it."""
    if work.nachricht.state not in FINAL:
        work.move(
            NachrichtState.PARKED,
            "nachricht.parked",
            {"state": work.nachricht.state, "code": code},
            code=code,
        )
        return
    for record in work.zustellungen:
        if record.state in (ZustellungState.DUE, ZustellungState.UNCLEAR):
            work.move_zustellung(
                record.key,
                ZustellungState.PARKED,
                "delivery.parked",
                {"attempt": record.attempts, "code": code},
                code=code,
                due_at=None,
            )
        elif record.state is ZustellungState.AWAITING:
            work.change_zustellung(record.key, due_at=None)


def _held(held: Claim) -> Any:
    return (
        update(nachrichten)
        .where(nachrichten.c.id == held.nachricht.id)
        .where(nachrichten.c.lease_token == held.token)
        .where(nachrichten.c.lease_owner == held.owner)
    )
