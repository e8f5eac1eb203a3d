"""Measures of the store that stay cheap however much it holds: only what is open or stuck is looked at, by its index."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, exists, func, literal, or_, select, text

from intermediary.core.states import WORKABLE, NachrichtState, ZustellungState
from intermediary.core.values import EMPTY
from intermediary.store.columns import Moment
from intermediary.store.database import Database
from intermediary.store.due import GIVEN_UP, REFUSED_AGAIN
from intermediary.store.tables import STUCK, STUCK_ZUSTELLUNG, audit_events, nachrichten, zustellungen

_N, _Z, _E = nachrichten.c, zustellungen.c, audit_events.c
_OPEN = tuple(sorted(state.value for state in (*WORKABLE, NachrichtState.PARKED)))
_WORKABLE = tuple(sorted(state.value for state in WORKABLE))
_HOLDING = (NachrichtState.PLANNED.value, NachrichtState.ANSWERING.value, NachrichtState.COMPLETED.value)
_RUNNING = (ZustellungState.DUE.value, ZustellungState.INTENDED.value, ZustellungState.UNCLEAR.value)
_NEAR = "delivery.deadline.near"
MOST_EVENTS = 20_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """Nachrichten or Zustellungen that stand still for one reason at one place; `parked` ones wait for a person."""

    code: str
    is_parked: bool
    mandant: str
    route: str
    channel: str
    target: str
    count: int


@dataclass(frozen=True, slots=True)
class Tail:
    """Events that are not under a signed head yet (counting ends at a limit), and when the first of them was."""

    events: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened between two places of the sealed log: how often each event, and what each channel took."""

    upto: int
    events: Counter[str]
    taken: Counter[str]
    answered: Counter[str]


class Gauges:
    """Measures for health and incidents; `Store.gauges`. Each is one short reading transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def troubles(self) -> tuple[Trouble, ...]:
        """Everything that waits with a code or is parked, by code and place; as parked also what was refused again."""
        with self._db.read() as tx:
            return (*_stuck_nachrichten(tx), *_stuck_zustellungen(tx), *_refused_again(tx))

    def open_counts(self) -> dict[tuple[NachrichtState, str], int]:
        """How many Nachrichten are open by state and code (or wait reason); finished ones are not counted."""
        chosen = select(_N.state, _N.code, _N.wait_reason, func.count()).where(_N.state.in_(_OPEN))
        found: Counter[tuple[NachrichtState, str]] = Counter()
        with self._db.read() as tx:
            for state, code, reason, count in tx.execute(chosen.group_by(_N.state, _N.code, _N.wait_reason)):
                found[NachrichtState(state), reason or code] += count
        return dict(found)

    def oldest(self) -> dict[NachrichtState, datetime]:
        """The moment of receipt of the oldest Nachricht in each open state that has any."""
        found = {}
        with self._db.read() as tx:
            for state in _OPEN:
                first = select(_N.received_at).where(_N.state == state).order_by(_N.received_at).limit(1)
                moment = tx.execute(first).scalar_one_or_none()
                if moment is not None:
                    found[NachrichtState(state)] = moment
        return found

    def at_risk(
        self,
        deadline: timedelta,
        share: float,
        now: datetime,
        *,
        routes: Collection[str] = (),
        without: Collection[str] = (),
    ) -> int:
        """How many Nachrichten have used up this share of their deadline and are not done.

        `routes` are those whose deadline this is; without any, it is everybody's but that of the routes `without`.
        """
        latest = now - deadline * share
        chosen = select(func.count()).where(_N.state.in_(_WORKABLE), _N.received_at <= latest, _N.since <= latest)
        if routes:
            chosen = chosen.where(_N.route.in_(tuple(routes)))
        if without:
            chosen = chosen.where(_N.route.not_in(tuple(without)))
        with self._db.read() as tx:
            return tx.execute(chosen.select_from(nachrichten)).scalar_one()

    def near_deadline(
        self, deadline: timedelta, own: Mapping[str, timedelta], share: float, now: datetime
    ) -> tuple[Trouble, ...]:
        """What will be parked unless it goes on: this share of its deadline is used up, by place.

        `own` are the deadlines of targets (`mandant/route/target`) that have one. What waits for an earlier one of its
        Vorgang, or for a verdict, has none running.
        """
        with self._db.read() as tx:
            return (*_near_nachrichten(tx, now - deadline * share), *_near_zustellungen(tx, deadline, own, share, now))

    def tail(self, most: int = 100_000) -> Tail:
        """The unsealed tail."""
        waiting = select(_E.id).where(_E.number.is_(None)).limit(most).subquery()
        first = select(_E.body).where(_E.number.is_(None)).order_by(_E.id).limit(1)
        with self._db.read() as tx:
            count = tx.execute(select(func.count()).select_from(waiting)).scalar_one()
            body = tx.execute(first).scalar_one_or_none()
        said = _event(body).get("at", "") if body is not None else ""
        return Tail(count, datetime.fromisoformat(said) if said else None)

    def log_length(self) -> int:
        """How many events are sealed."""
        with self._db.read() as tx:
            return tx.execute(select(func.max(_E.number)).where(_E.number.is_not(None))).scalar_one() or 0

    def progress(self, after: int, most: int = MOST_EVENTS) -> Progress:
        """What the sealed log says behind this place, at most so many events of it: nothing is counted twice or missed."""
        chosen = select(_E.number, _E.body).where(_E.number > after).order_by(_E.number).limit(most)
        events: Counter[str] = Counter()
        taken: Counter[str] = Counter()
        answered: Counter[str] = Counter()
        upto = after
        with self._db.read() as tx:
            for number, body in tx.execute(chosen):
                upto = number
                event = _event(body)
                name = str(event.get("name", ""))
                events[name] += 1
                if name == "intake.taken":
                    taken[str(event["fields"].get("channel", ""))] += 1
                elif name == "answer.sent":
                    answered[str(event["fields"].get("state", ""))] += 1
        return Progress(upto, events, taken, answered)


def _near_nachrichten(tx: Connection, latest: datetime) -> list[Trouble]:
    columns = (_N.mandant, _N.route, _N.channel)
    is_own = or_(_N.state != NachrichtState.PLANNED.value, _N.own_due_at.is_not(None))
    chosen = select(*columns, func.count().label("number")).where(
        _N.state.in_(_WORKABLE), is_own, _N.received_at <= latest, _N.since <= latest
    )
    return [
        Trouble(_NEAR, False, row.mandant, row.route, row.channel, "", row.number)
        for row in tx.execute(chosen.group_by(*columns))
    ]


def _near_zustellungen(
    tx: Connection, deadline: timedelta, own: Mapping[str, timedelta], share: float, now: datetime
) -> list[Trouble]:
    """Found by the age of their Nachrichten: none is older, and few that are open are as old as that."""
    columns = (_N.mandant, _N.route, _N.channel, _Z.target)
    name = _N.mandant + "/" + _N.route + "/" + _Z.target
    general = literal(now - deadline * share, Moment)
    latest = case({one: literal(now - its * share, Moment) for one, its in own.items()}, value=name, else_=general)
    chosen = (
        select(*columns, func.count().label("number"))
        .join(zustellungen, _Z.nachricht_id == _N.id)
        .where(_N.state == NachrichtState.PLANNED.value, _N.own_due_at.is_(None))
        .where(_N.received_at <= now - min((deadline, *own.values())) * share)
        .where(_Z.state.in_(_RUNNING), _Z.code != "order.waits", _Z.since <= (latest if own else general))
    )
    return [
        Trouble(_NEAR, False, row.mandant, row.route, row.channel, row.target, row.number)
        for row in tx.execute(chosen.group_by(*columns))
    ]


def _stuck_nachrichten(tx: Connection) -> list[Trouble]:
    columns = (_N.state, _N.code, _N.wait_reason, _N.mandant, _N.route, _N.channel)
    chosen = select(*columns, func.count().label("number")).where(text(f"({STUCK})"), _N.state.in_(_OPEN))
    return [
        Trouble(
            code=row.code if row.state == NachrichtState.PARKED else row.wait_reason,
            is_parked=row.state == NachrichtState.PARKED,
            mandant=row.mandant,
            route=row.route,
            channel=row.channel,
            target="",
            count=row.number,
        )
        for row in tx.execute(chosen.group_by(*columns))
    ]


def _stuck_zustellungen(tx: Connection) -> list[Trouble]:
    """A parked one counts while a decision about it still means something; one that was given up does not.

    The state of the Nachricht is hidden from its index, which would lead through all completed ones.
    """
    columns = (_Z.nachricht_id, _Z.code, _Z.target, _Z.state, _Z.due_at, _Z.waits_for)
    own = select(*columns).where(text(f"({STUCK_ZUSTELLUNG})")).subquery().c
    is_stuck = (own.state == ZustellungState.PARKED.value) | own.due_at.is_not(None) | (own.waits_for != "")
    groups = (own.state, own.code, _N.mandant, _N.route, _N.channel, own.target)
    chosen = (
        select(*groups, func.count().label("number"))
        .join(nachrichten, _N.id == own.nachricht_id)
        .where(func.coalesce(_N.state, "").in_(_HOLDING), is_stuck)
    )
    return [
        Trouble(
            code=row.code,
            is_parked=row.state == ZustellungState.PARKED,
            mandant=row.mandant,
            route=row.route,
            channel=row.channel,
            target=row.target,
            count=row.number,
        )
        for row in tx.execute(chosen.group_by(*groups))
    ]


def _refused_again(tx: Connection) -> list[Trouble]:
    """Redeliveries that were refused and that a person may still act on: their Nachrichten bear it (`store/due.py`)."""
    later = zustellungen.alias().c
    is_newest = ~exists().where(
        later.nachricht_id == _Z.nachricht_id, later.target == _Z.target, later.redelivery > _Z.redelivery
    )
    groups = (_N.mandant, _N.route, _N.channel, _Z.target)
    chosen = (
        select(*groups, func.count().label("number"))
        .join(zustellungen, _Z.nachricht_id == _N.id)
        .where(_N.wait_reason == REFUSED_AGAIN, _N.wait_reason != "", _N.payload == "present")
        .where(_Z.state == ZustellungState.REFUSED.value, _Z.redelivery > 0, _Z.required.is_(False))
        .where(_Z.code != GIVEN_UP, is_newest)
    )
    return [
        Trouble(REFUSED_AGAIN, True, row.mandant, row.route, row.channel, row.target, row.number)
        for row in tx.execute(chosen.group_by(*groups))
    ]


def _event(body: bytes) -> Mapping[str, Any]:
    """What an event says; nothing, where somebody wrote behind our back: `audit verify` tells of that."""
    try:
        said = json.loads(body)
    except ValueError:
        return EMPTY
    return said if isinstance(said, dict) and isinstance(said.get("fields"), dict) else EMPTY
