"""The Nachrichten of a job: frozen when it is ordered, and each moved on together with the mark that it had its turn.

Effect and mark are one transaction, so that no kill, no second runner and no repetition makes a second effect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Text,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    update,
)

from intermediary.core.states import VERDICTS
from intermediary.store import rows
from intermediary.store.again import order_haste, order_judgement
from intermediary.store.choose import Chosen, conditions
from intermediary.store.claim import take_over
from intermediary.store.database import Database
from intermediary.store.errors import NotPossible
from intermediary.store.foresee import GROUNDS, Effect, act_of, foresee
from intermediary.store.people import order_again, order_redelivery, order_resumption
from intermediary.store.records import ZustellungRecord
from intermediary.store.tables import job_items, jobs, nachrichten, zustellungen
from intermediary.store.work import Work

_I, _N, _Z = job_items.c, nachrichten.c, zustellungen.c

_UNDECIDED = -1
_OTHER_JOB = -2
_ANY = 0

BUSY_TRIES = 20
_PAGE = 500
_HANDS = timedelta(seconds=30)

_MARK = (
    update(job_items)
    .where(_I.job_id == bindparam("_job"), _I.position == bindparam("_position"))
    .values({name: bindparam(name) for name in ("state", "action", "ground", "key", "tries", "again_at")})
)


def freeze(db: Database, tx: Connection, job_id: str, chosen: Chosen, *, redeliver: str) -> int:
    """Write down whom the job is about, oldest first, in one statement: the selection of this moment; how many there are.

    Beside each stands which of its Zustellungen may be repeated: the latest one, if it was decided and no other open job
    is about to repeat it. What is ordered later by anybody else makes it another one, and nothing is done then.
    """
    expected = _expected(tx, job_id, redeliver) if redeliver else literal(_ANY, Integer)
    parts: list[list[ColumnElement[bool]]] = [conditions(db, chosen)]
    if chosen.ids:
        ids = sorted(set(chosen.ids))
        parts = [[*parts[0], _N.id.in_(ids[at : at + _PAGE])] for at in range(0, len(ids), _PAGE)]
    total = 0
    for part in parts:
        place = func.row_number().over(order_by=(_N.received_at, _N.id)) + total
        blank = literal("", Text)
        frozen = select(
            literal(job_id, Text),
            place,
            _N.id,
            expected,
            literal("open", Text),
            blank,
            blank,
            blank,
            literal(0, Integer),
        ).where(*part)
        columns = ("job_id", "position", "nachricht_id", "expected", "state", "action", "ground", "key", "tries")
        tx.execute(insert(job_items).from_select(columns, frozen))
        total = tx.execute(select(func.count()).select_from(job_items).where(_I.job_id == job_id)).scalar_one()
    return total


def _expected(tx: Connection, job_id: str, target: str) -> ColumnElement[int]:
    open_ = select(jobs.c.id, jobs.c.options).where(jobs.c.ended_at.is_(None), jobs.c.id != job_id)
    others = [row.id for row in tx.execute(open_) if row.options.get("redeliver") == target]
    of_target = (_Z.nachricht_id == _N.id, _Z.target == target)
    latest = select(func.coalesce(func.max(_Z.redelivery), _UNDECIDED)).where(*of_target).scalar_subquery()
    undecided = select(_Z.key).where(*of_target, _Z.state.not_in(sorted(VERDICTS))).exists()
    elsewhere = select(_I.position).where(_I.nachricht_id == _N.id, _I.job_id.in_(others)).exists()
    cases = [(undecided, literal(_UNDECIDED, Integer))]
    if others:
        cases.insert(0, (elsewhere, literal(_OTHER_JOB, Integer)))
    return cast(case(*cases, else_=latest), Integer)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a batch came to: how many items by the state they are in now, and the last place that had its turn."""

    counts: Counter[str]
    cursor: int


def next_items(tx: Connection, job: Row[Any], now: datetime, count: int) -> Sequence[Row[Any]]:
    """Whose turn it is: those that were busy and whose time has come, then the next in order."""
    own = select(job_items).where(_I.job_id == job.id).limit(count)
    items = list(tx.execute(own.where(_I.again_at.is_not(None), _I.again_at <= now).order_by(_I.again_at, _I.position)))
    if len(items) < count:
        behind = own.where(_I.position > job.cursor).order_by(_I.position).limit(count - len(items))
        items += tx.execute(behind).all()
    return items


def next_busy(tx: Connection, job: Row[Any]) -> datetime | None:
    """When the next of those that were busy is due again."""
    chosen = select(_I.again_at).where(_I.job_id == job.id, _I.again_at.is_not(None))
    return tx.scalars(chosen.order_by(_I.again_at).limit(1)).first()


def carry_out_items(db: Database, tx: Connection, job: Row[Any], items: Sequence[Row[Any]], now: datetime) -> Turn:
    """Move each on, or write down why not; all in the caller's transaction."""
    ids = [item.nachricht_id for item in items]
    locked = select(nachrichten).where(_N.id.in_(ids)).with_for_update(skip_locked=True)
    found = {row.id: row for row in tx.execute(locked)}
    absent = [one for one in ids if one not in found]
    existing = set(tx.scalars(select(_N.id).where(_N.id.in_(absent)))) if absent else set()
    records = rows.zustellungen_of(tx, list(found))
    marks = []
    for item in items:
        row = found.get(item.nachricht_id)
        if row is None:
            busy = item.nachricht_id in existing
            mark = _defer(item, now) if busy else _mark(item, "nothing", ground="gone")
        elif row.lease_owner is not None and row.lease_until > now:
            mark = _defer(item, now)
        else:
            mark = _move(db, tx, job, item, row, records[row.id], now)
        marks.append(mark)
    tx.execute(_MARK, [{**mark, "_job": job.id} for mark in marks])
    cursor = max(job.cursor, *(item.position for item in items))
    return Turn(Counter(mark["state"] for mark in marks), cursor)


def give_up_item(tx: Connection, job: Row[Any], item: Row[Any], code: str) -> Turn:
    """Write down that one could not be moved for a reason nobody expected."""
    tx.execute(_MARK, {**_mark(item, "failed", ground=code), "_job": job.id})
    return Turn(Counter(["failed"]), max(job.cursor, item.position))


def _move(
    db: Database,
    tx: Connection,
    job: Row[Any],
    item: Row[Any],
    row: Row[Any],
    records: tuple[ZustellungRecord, ...],
    now: datetime,
) -> dict[str, Any]:
    is_left = row.lease_owner is not None
    work = take_over(tx, row.id, row.lease_owner, now=now, lease=_HANDS) if is_left else Work(tx, row, records, now)
    because = {"reason": job.reason, "job": job.id}
    done: list[str] = []
    key, problem, effects = "", "", _effects(job, item, work)
    approved = job.options.get("approved")
    if approved and any(effect.action != "nothing" for effect in effects):
        work.event("person.approved", approved, actor=job.actor)
    for effect in effects:
        if effect.action == "nothing":
            continue
        try:
            key = _order(db, tx, work, effect, actor=job.actor, because=because, now=now)
        except NotPossible as refusal:
            problem = str(refusal)
        else:
            done.append(effect.action)
    if not done:
        verb = "redeliver" if job.options.get("redeliver") else "replay"
        work.event("person.denied", {"verb": verb, "why": problem or effects[0].why, **because}, actor=job.actor)
    if is_left:
        work.end_lease()
    work.save()
    if done:
        return _mark(item, "done", action=done[0], key=key)
    return _mark(item, "failed", ground=problem) if problem else _mark(item, "nothing", ground=effects[0].ground)


def _effects(job: Row[Any], item: Row[Any], work: Work) -> list[Effect]:
    """What is foreseen, unless somebody else has repeated it since the order, or what was approved was another thing."""
    options = job.options
    target = options.get("redeliver", "")
    pair = [work.nachricht.mandant, work.nachricht.route]
    effects = foresee(
        work.nachricht,
        work.zustellungen,
        redeliver=target,
        with_current=bool(options.get("with_current")),
        twice_hurts=not options.get("repeat_anyway") and pair not in options.get("tells_doubles", ()),
    )
    acts = [act_of(one, work.nachricht, work.zustellungen) for one in effects if one.action != "nothing"]
    if acts and not set(acts) <= set(options.get("acts", acts)):
        return [Effect(work.nachricht.id, work.nachricht.state, "nothing", target, GROUNDS["other"], "other")]
    if not target or not acts:
        return effects
    latest = max(record.redelivery for record in work.zustellungen if record.target == target)
    if latest == item.expected:
        return effects
    ground = {_UNDECIDED: "undecided", _OTHER_JOB: "other-job"}.get(item.expected, "redelivered")
    return [Effect(work.nachricht.id, work.nachricht.state, "nothing", target, GROUNDS[ground], ground)]


def _order(
    db: Database,
    tx: Connection,
    work: Work,
    effect: Effect,
    *,
    actor: str,
    because: dict[str, str],
    now: datetime,
) -> str:
    """Do it; the key of a Zustellung that was made for it."""
    match effect.action:
        case "redeliver":
            return order_redelivery(db, work, effect.target, actor=actor, because=because, now=now)
        case "send-again":
            of_target = [record for record in work.zustellungen if record.target == effect.target]
            order_again(work, of_target[-1].key, actor=actor, because=because, now=now)
        case "resume":
            order_resumption(work, actor=actor, because=because, now=now)
        case "now":
            order_haste(work, actor=actor, because=because, now=now)
        case "anew":
            order_judgement(tx, work, actor=actor, because=because, now=now)
        case _:
            raise ValueError(f"unknown effect {effect.action}")
    return ""


def _defer(item: Row[Any], now: datetime) -> dict[str, Any]:
    if item.tries >= BUSY_TRIES:
        return _mark(item, "failed", ground="job.item.busy")
    wait = timedelta(seconds=min(60, 2 ** min(item.tries, 6)))
    return {**_mark(item, "open"), "tries": item.tries + 1, "again_at": now + wait}


def _mark(item: Row[Any], state: str, *, action: str = "", ground: str = "", key: str = "") -> dict[str, Any]:
    return {
        "_position": item.position,
        "state": state,
        "action": action,
        "ground": ground,
        "key": key,
        "tries": item.tries,
        "again_at": None,
    }


def claimed_by(tx: Connection, nachricht_id: str, target: str) -> str:
    """The open job that redelivers this Nachricht to this target, or has done so; empty when there is none."""
    chosen = (
        select(jobs.c.id, jobs.c.options)
        .join(job_items, _I.job_id == jobs.c.id)
        .where(_I.nachricht_id == nachricht_id, _I.expected >= 0, jobs.c.ended_at.is_(None))
    )
    return next((row.id for row in tx.execute(chosen) if row.options.get("redeliver") == target), "")
