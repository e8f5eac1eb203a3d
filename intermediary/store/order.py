"""The order of a Vorgang: numbers, who is held back by whom, and who is woken when that ends (promise G5).

A row of `vorgaenge` is what everybody locks before they number, look for earlier ones, or end what holds others back; so
nobody misses anybody, and whoever was numbered first was committed first. It is locked before any Nachricht is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from intermediary.core.states import VERDICTS, NachrichtState, ZustellungState
from intermediary.store.database import RUNG, Database
from intermediary.store.records import NachrichtRecord, Place
from intermediary.store.tables import nachrichten, vorgaenge, zustellungen
from intermediary.store.vorgang import EVERY, HOLDING, WAITS, is_waiting

if TYPE_CHECKING:
    from intermediary.store.work import Work

REMEMBERED = timedelta(days=90)
"""How long the last number of a Vorgang is kept once nothing of it is open."""

Wanted = tuple[str, str]
"""A Mandant and the key of a Vorgang."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """The place of a Nachricht in its Vorgang."""

    hash: str
    number: int


_V = vorgaenge.c
_LOCK = select(_V.hash).where(_V.hash == bindparam("hash")).with_for_update()
_KNOWN = (
    select(_V.hash, _V.last_number)
    .where(_V.hash.in_(bindparam("hashes", expanding=True)))
    .order_by(_V.hash)
    .with_for_update()
)
_COUNT_ON = (
    update(vorgaenge)
    .where(_V.hash == bindparam("own"))
    .values(last_number=bindparam("number"), last_at=bindparam("at"))
)


def hashes_of(db: Database, wanted: Wanted) -> tuple[str, ...]:
    """The keyed hashes of a Vorgang under the current KEK of its Mandant and those before; what `queue_for` is given."""
    mandant, key = wanted
    return db.keys.index_hashes(mandant, "vorgang\n" + unicodedata.normalize("NFC", key.strip()))


def number(db: Database, tx: Connection, wanted: Sequence[Wanted], now: datetime) -> list[Numbered]:
    """The next numbers, in this order; the caller has queued for all `hashes_of` them.

    A Vorgang keeps the hash it was begun with when the KEK is changed. Nobody else gets a number of it before this
    transaction ends: the order of numbers is the order of acceptance.
    """
    hashes = {one: hashes_of(db, one) for one in wanted}
    asked = sorted({each for several in hashes.values() for each in several})
    known = {row.hash: row.last_number for row in tx.execute(_KNOWN, {"hashes": asked})}
    last = dict(known)
    answers: list[Numbered] = []
    owners: dict[str, str] = {}
    for one in wanted:
        own = next((each for each in hashes[one] if each in last), hashes[one][0])
        last[own] = last.get(own, 0) + 1
        owners[own] = one[0]
        answers.append(Numbered(own, last[own]))
    fresh = [
        {"hash": own, "mandant": mandant, "last_number": last[own], "last_at": now}
        for own, mandant in owners.items()
        if own not in known
    ]
    if fresh:
        tx.execute(insert(vorgaenge), fresh)
    counted = [{"own": own, "number": last[own], "at": now} for own in owners if own in known]
    if counted:
        tx.execute(_COUNT_ON, counted)
    return answers


def lock(tx: Connection, vorgang_hash: str) -> None:
    """Nobody else numbers, looks or ends anything in this Vorgang until the transaction ends."""
    tx.execute(_LOCK, {"hash": vorgang_hash}).all()


_EARLIER = nachrichten.alias("earlier")
_OF_EARLIER = zustellungen.alias("of_earlier")


def _holds(vorgang: Any, before: Any, target: Any) -> ColumnElement[bool]:
    """`vorgang.held` in SQL: the rows in `_EARLIER` that hold back number `before` of the Vorgang at a target."""
    earlier, own = _EARLIER.c, _OF_EARLIER.c
    undecided = (
        select(own.key)
        .where(own.nachricht_id == earlier.id)
        .where(own.target == target)
        .where(own.redelivery == 0)
        .where(own.state.not_in(sorted(VERDICTS)))
        .limit(1)
        .correlate_except(_OF_EARLIER)
        .scalar_subquery()
    )
    return and_(
        earlier.vorgang_hash == vorgang,
        earlier.vorgang_open < before,
        earlier.vorgang_place.in_(sorted(HOLDING)),
        earlier.state != NachrichtState.DISCARDED,
        earlier.verdict != "rejected",
        or_(earlier.route == "", and_(earlier.vorgang_place != Place.OPEN, undecided.is_not(None))),
    )


BLOCKER = (
    select(_EARLIER.c.id)
    .where(_holds(bindparam("vorgang"), bindparam("before"), bindparam("target")))
    .order_by(_EARLIER.c.vorgang_open)
    .limit(1)
)
"""The first of those that hold back number `before` of a Vorgang at a target."""

_WAITS_THERE = (
    select(zustellungen.c.key)
    .where(zustellungen.c.nachricht_id == nachrichten.c.id)
    .where(zustellungen.c.target == bindparam("target"))
    .where(zustellungen.c.state == ZustellungState.DUE)
    .where(zustellungen.c.code == WAITS)
    .limit(1)
    .scalar_subquery()
)
NEXT_WAITING = (
    select(nachrichten.c.id, nachrichten.c.vorgang_waits, nachrichten.c.vorgang_place)
    .where(nachrichten.c.vorgang_hash == bindparam("vorgang"))
    .where(nachrichten.c.vorgang_waits > bindparam("after"))
    .where(_WAITS_THERE.is_not(None))
    .order_by(nachrichten.c.vorgang_waits)
    .limit(1)
)
"""Who waits first at a target, after number `after`.

Questions of one row each, here and above, so that no engine turns them into a join that begins with all who wait anywhere.
"""

_ALL_WAITING = (
    select(nachrichten.c.id)
    .where(nachrichten.c.vorgang_hash == bindparam("vorgang"))
    .where(nachrichten.c.vorgang_waits.is_not(None))
)
_TARGETS = (
    select(zustellungen.c.target)
    .where(zustellungen.c.nachricht_id.in_(bindparam("ids", expanding=True)))
    .where(zustellungen.c.code == WAITS)
)


def batched(found: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Pieces of a list that fit into one question."""
    for start in range(0, len(found), size):
        yield found[start : start + size]


def blocker(tx: Connection, nachricht: NachrichtRecord, target: str) -> str | None:
    """The id of the earliest Nachricht that this one waits for at a target; None when it may go. Lock first to be sure."""
    place = {"vorgang": nachricht.vorgang_hash, "before": nachricht.vorgang_number, "target": target}
    found: str | None = tx.execute(BLOCKER, place).scalar_one_or_none()
    return found


def wake(
    tx: Connection, vorgang_hash: str, released: Iterable[str], load: Callable[[str], Work], now: datetime
) -> None:
    """Make due who waited for what has just been written: at each released target the first that nobody holds any more."""
    lock(tx, vorgang_hash)
    targets = set(released)
    if EVERY in targets:
        waiting = list(tx.scalars(_ALL_WAITING, {"vorgang": vorgang_hash}))
        targets = {target for ids in batched(waiting, 500) for target in tx.scalars(_TARGETS, {"ids": ids})}
    for target in sorted(targets):
        _wake_at(tx, vorgang_hash, target, load, now)


def _wake_at(tx: Connection, vorgang_hash: str, target: str, load: Callable[[str], Work], now: datetime) -> None:
    asked = {"vorgang": vorgang_hash, "target": target, "after": 0}
    while (first := tx.execute(NEXT_WAITING, asked).one_or_none()) is not None:
        place = {"vorgang": vorgang_hash, "before": first.vorgang_waits, "target": target}
        if tx.execute(BLOCKER, place).first() is None:
            rouse(tx, load(first.id), [target], now)
        if first.vorgang_place != Place.PASSED:
            return  # it holds back everybody behind it
        asked["after"] = first.vorgang_waits


def rouse(tx: Connection, work: Work, targets: Sequence[str], now: datetime) -> None:
    """What waited at these targets is due now; its time until a person is asked begins now as well."""
    for record in work.zustellungen:
        if record.target in targets and is_waiting(record):
            work.change_zustellung(record.key, code="", due_at=now, since=now)
            tx.info[RUNG] = True
    work.save()


def stranded() -> Select[tuple[str]]:
    """Those that wait although nobody holds them: a program that knew no order ended what they waited for."""
    waiting = nachrichten.alias("waiting")
    own = zustellungen.alias("own")
    return (
        select(waiting.c.id)
        .join(own, own.c.nachricht_id == waiting.c.id)
        .where(waiting.c.vorgang_waits.is_not(None))
        .where(own.c.state == ZustellungState.DUE)
        .where(own.c.code == WAITS)
        .where(
            ~exists()
            .where(_holds(waiting.c.vorgang_hash, waiting.c.vorgang_waits, own.c.target))
            .correlate(waiting, own)
        )
        .order_by(waiting.c.id)
        .limit(1000)
    )


def forgettable(now: datetime) -> Any:
    """Deletes the last numbers of Vorgaenge of which nothing is open, after a while."""
    is_open = exists().where(nachrichten.c.vorgang_hash == _V.hash).where(nachrichten.c.vorgang_open.is_not(None))
    return delete(vorgaenge).where(_V.last_at < now - REMEMBERED).where(~is_open)


def count_behind(tx: Connection, nachricht: NachrichtRecord, most: int) -> int:
    """How many later ones of its Vorgang wait; counting ends at `most`."""
    behind = (
        select(nachrichten.c.id)
        .where(nachrichten.c.vorgang_hash == nachricht.vorgang_hash)
        .where(nachrichten.c.vorgang_waits > nachricht.vorgang_number)
        .limit(most)
    )
    counted: int = tx.execute(select(func.count()).select_from(behind.subquery())).scalar_one()
    return counted


def placed(nachricht: NachrichtRecord, found: Numbered | None, *, in_order: bool) -> Mapping[str, Any]:
    """What judging changes of the place of a Nachricht in its Vorgang."""
    if found is not None:
        return {"vorgang_hash": found.hash, "vorgang_number": found.number, "vorgang_place": Place.OPENED}
    if nachricht.vorgang_place not in (Place.OPEN, Place.PASSED):
        return {}
    if not in_order:
        return {"vorgang_place": Place.FREE}
    return {"vorgang_place": Place.KEPT if nachricht.vorgang_place is Place.OPEN else Place.PASSED}


def unplaced(nachricht: NachrichtRecord) -> Mapping[str, Any]:
    """What forgetting a judgement changes: a number from intake is kept, one of a key found by opening is given up."""
    if nachricht.vorgang_place is Place.OPENED:
        return {"vorgang_hash": "", "vorgang_number": 0, "vorgang_place": Place.NONE}
    return {"vorgang_place": Place.OPEN} if nachricht.vorgang_place in (Place.KEPT, Place.FREE) else {}
