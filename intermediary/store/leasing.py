"""The statements by which work is leased: what is due, Mandant by Mandant in their turn, and suspects apart from it.

A Mandant that has nothing due costs one look into an index that holds nothing but what may be leased, and whose turn it is
ends the search; so a claim costs the same whatever is stored, whatever waits, and whoever has it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Executable,
    Integer,
    Text,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeDecorator

from intermediary.store.columns import Moment
from intermediary.store.tables import nachrichten

LEASE = update(nachrichten).values(
    lease_owner=bindparam("owner"),
    lease_until=bindparam("until"),
    lease_token=nachrichten.c.lease_token + 1,
    took_over=nachrichten.c.lease_owner.is_not(None),
)
"""The part of a claim that all engines share: a new token, and whether somebody else's lease was taken over."""

_ZERO: ColumnElement[int] = literal_column("0")
"""Written out: an index of suspects cannot serve a question whose number is bound later."""

_NOW = bindparam("now", type_=Moment)
_IS_DUE = nachrichten.c.due_at <= _NOW


class _JsonList(TypeDecorator[Sequence[str]]):
    """A list of names as SQLite's `json_each` takes it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, _dialect: Dialect) -> str:
        return json.dumps(value or [])


_LIMIT = bindparam("limit", type_=Integer, literal_execute=True)
"""Written out: PostgreSQL takes a tenth of all that waits for wanted where it cannot read how much is, and among millions of
rows that plan looks so dear that it makes a new one for every claim.
"""

_TURNS_SQLITE = text(
    "SELECT due.id FROM json_each(:turns) AS turn"
    " CROSS JOIN nachrichten AS due INDEXED BY ix_nachrichten_turn"
    " WHERE due.mandant = turn.value AND due.due_at <= :now AND due.lease_until IS NULL AND due.unexplained = 0"
    " LIMIT :limit"
).bindparams(_NOW, _LIMIT, bindparam("turns", type_=_JsonList))
"""`CROSS JOIN` keeps SQLite to this order of the loops: turn by turn, and in each by the index."""

_TURNS_POSTGRES = text(
    "SELECT picked.id FROM unnest(:turns) WITH ORDINALITY AS turn (mandant, place)"
    " CROSS JOIN LATERAL (SELECT due.id FROM nachrichten AS due"
    " WHERE due.mandant = turn.mandant AND due.due_at <= :now AND due.lease_until IS NULL AND due.unexplained = 0"
    " ORDER BY due.due_at, due.received_at LIMIT :limit FOR UPDATE SKIP LOCKED) AS picked"
    " LIMIT :limit"
).bindparams(_NOW, _LIMIT, bindparam("turns", type_=ARRAY(Text)))

LEASE_SQLITE: Executable = LEASE.where(nachrichten.c.id.in_(_TURNS_SQLITE.columns(nachrichten.c.id))).returning(
    nachrichten
)

LEASE_POSTGRES: Executable = LEASE.where(
    nachrichten.c.id.in_(
        select(_TURNS_POSTGRES.columns(nachrichten.c.id).cte("chosen").prefix_with("MATERIALIZED").c.id)
    )
).returning(nachrichten)

_ALONE = union_all(
    select(nachrichten.c.id, nachrichten.c.due_at)
    .where(_IS_DUE)
    .where(nachrichten.c.unexplained > _ZERO)
    .where(nachrichten.c.lease_until.is_(None)),
    select(nachrichten.c.id, nachrichten.c.due_at)
    .where(_IS_DUE)
    .where(nachrichten.c.lease_owner.is_not(None))
    .where(nachrichten.c.lease_until <= _NOW),
).subquery()

SUSPECTS = select(_ALONE.c.id).order_by(_ALONE.c.due_at).limit(_LIMIT)
"""What is due and opened alone: claims that ended unexplained, and leases that ran out. Never in `claim`."""

LEASE_SUSPECTS_SQLITE: Executable = LEASE.where(nachrichten.c.id.in_(SUSPECTS)).returning(nachrichten)

LEASE_SUSPECTS_POSTGRES: Executable = LEASE.where(
    nachrichten.c.id.in_(
        select(
            select(nachrichten.c.id)
            .where(nachrichten.c.id.in_(SUSPECTS))
            .where(_IS_DUE)
            .where(or_(nachrichten.c.lease_until.is_(None), nachrichten.c.lease_until <= _NOW))
            .with_for_update(skip_locked=True)
            .cte("chosen")
            .c.id
        )
    )
).returning(nachrichten)

WHO_HAS_WORK = text(
    "WITH RECURSIVE found (mandant) AS ("
    "SELECT min(mandant) FROM nachrichten WHERE due_at IS NOT NULL AND lease_until IS NULL AND unexplained = 0"
    " UNION ALL SELECT (SELECT min(due.mandant) FROM nachrichten AS due WHERE due.mandant > found.mandant"
    " AND due.due_at IS NOT NULL AND due.lease_until IS NULL AND due.unexplained = 0)"
    " FROM found WHERE found.mandant IS NOT NULL)"
    " SELECT mandant FROM found WHERE mandant IS NOT NULL"
)
"""The Mandanten with anything due or waiting for a moment: one look into the index for each of them."""

AT_WORK = (
    select(nachrichten.c.mandant, func.count().label("at_work"))
    .where(nachrichten.c.lease_owner.is_not(None))
    .where(nachrichten.c.lease_until > _NOW)
    .where(nachrichten.c.mandant.in_(bindparam("limited", expanding=True)))
    .group_by(nachrichten.c.mandant)
)
"""How many Nachrichten of these Mandanten are leased, to whomever; what a lost host left behind is nobody's work."""
