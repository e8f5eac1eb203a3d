"""The rows of every Nachricht, and of the standing holds, beside their events of one moment: what `audit verify` compares.

Columns are read as they are, so that a value somebody wrote behind the store's back is compared and not stumbled over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, LargeBinary, Row, Table, Text, cast, select, type_coerce

from intermediary.audit.standing import HOLD, ROW, ZUSTELLUNG
from intermediary.store.columns import Json, Moment
from intermediary.store.records import Beside, HoldsBeside
from intermediary.store.steps import facts_sha256
from intermediary.store.tables import audit_events, delivery_steps, holds, nachrichten, zustellungen

_PAGE = 200


def _plain(table: Table, names: Sequence[str]) -> list[ColumnElement[Any]]:
    kinds: dict[type, Any] = {Json: Text(), Moment: BigInteger()}
    columns = ((name, table.c[name]) for name in names)
    return [_raw(column, kinds.get(type(column.type))).label(name) for name, column in columns]


def _raw(column: ColumnElement[Any], kind: Any) -> ColumnElement[Any]:
    return column if kind is None else type_coerce(column, kind)


_ROWS = select(nachrichten.c.id, *_plain(nachrichten, (*ROW, "plan"))).order_by(nachrichten.c.id).limit(_PAGE)
_ZUSTELLUNGEN = select(zustellungen.c.nachricht_id, *_plain(zustellungen, ("key", *ZUSTELLUNG, "proof")))
_STEPS = select(delivery_steps.c.key, delivery_steps.c.step, *_plain(delivery_steps, ("facts",)))
_BODY = cast(audit_events.c.body, LargeBinary)  # text, where somebody wrote behind our back
_CHAINS = select(audit_events.c.chain, _BODY).order_by(audit_events.c.chain, audit_events.c.seq)
_HOLDS = select(*_plain(holds, ("mandant", "route", *HOLD))).order_by(*holds.primary_key)
_ORPHANS = (
    select(audit_events.c.chain)
    .where(~select(nachrichten.c.id).where(nachrichten.c.id == audit_events.c.chain).exists())
    .distinct()
    .order_by(audit_events.c.chain)
)


def beside(tx: Connection, installation: str) -> Iterator[Beside]:
    """Page by page every Nachricht with its Zustellungen and events, then every chain of no Nachricht, without a row.

    The chain of the installation has no row and is not among them.
    """
    after = ""
    while page := tx.execute(_ROWS.where(nachrichten.c.id > after)).all():
        ids = [row.id for row in page]
        events: dict[str, list[bytes]] = {one: [] for one in ids}
        records: dict[str, list[dict[str, Any]]] = {one: [] for one in ids}
        for chain, body in tx.execute(_CHAINS.where(audit_events.c.chain.in_(ids))):
            events[chain].append(body)
        steps = _steps(tx, ids)
        for row in tx.execute(_ZUSTELLUNGEN.where(zustellungen.c.nachricht_id.in_(ids))):
            records[row.nachricht_id].append({**_values(row, ("proof",)), "steps": steps.get(row.key, {})})
        for row in page:
            values = _values(row, ("pins", "plan"))
            yield Beside(row.id, values, tuple(records[row.id]), tuple(events[row.id]))
        after = ids[-1]
    for chain in tx.scalars(_ORPHANS).all():
        if chain != installation:
            yield Beside(chain, None, (), ())


def holds_beside(tx: Connection, installation: str) -> HoldsBeside:
    """The standing holds, and the chain of the installation, read while it is compared."""
    rows = tuple(dict(row._mapping) for row in tx.execute(_HOLDS))
    return HoldsBeside(installation, rows, _bodies(tx, installation))


def _bodies(tx: Connection, chain: str) -> Iterator[bytes]:
    chosen = _CHAINS.where(audit_events.c.chain == chain).execution_options(yield_per=_PAGE)
    for _chain, body in tx.execute(chosen):
        yield body


def _steps(tx: Connection, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """The steps of the Zustellungen of these Nachrichten, by key: each with what its event says of its facts."""
    found: dict[str, dict[str, str]] = {}
    for row in tx.execute(_STEPS.where(delivery_steps.c.nachricht_id.in_(ids))):
        facts = _values(row, ("facts",))["facts"]
        found.setdefault(row.key, {})[row.step] = facts_sha256(facts) if isinstance(facts, dict) else "unreadable"
    return found


def _values(row: Row[Any], objects: Sequence[str]) -> dict[str, Any]:
    values = dict(row._mapping)
    for name in objects:
        try:
            values[name] = json.loads(values[name] or "{}")
        except ValueError:
            values[name] = None
    return values
