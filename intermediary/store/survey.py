"""Goes through what is chosen, page by page, for a dry run: every page its own short transaction, nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, func, select, tuple_

from intermediary.store import rows
from intermediary.store.choose import Chosen, conditions
from intermediary.store.database import Database
from intermediary.store.records import NachrichtRecord, ZustellungRecord
from intermediary.store.tables import nachrichten

_PAGE = 500
_N = nachrichten.c

Found = tuple[NachrichtRecord, tuple[ZustellungRecord, ...]]


def survey(db: Database, chosen: Chosen) -> Iterator[Found]:
    """Every Nachricht that is chosen, oldest first (by pages where ids are given), with its Zustellungen."""
    asked = conditions(db, chosen)
    if chosen.ids:
        ids = sorted(set(chosen.ids))
        for start in range(0, len(ids), _PAGE):
            yield from _page(db, [*asked, _N.id.in_(ids[start : start + _PAGE])])
        return
    last: NachrichtRecord | None = None
    while True:
        behind = [] if last is None else [tuple_(_N.received_at, _N.id) > (last.received_at, last.id)]
        page = _page(db, [*asked, *behind])
        yield from page
        if len(page) < _PAGE:
            return
        last = page[-1][0]


def examples_of(db: Database, chosen: Chosen) -> list[NachrichtRecord]:
    """One of the chosen for every Mandant and route among them."""
    asked = conditions(db, chosen)
    parts = [asked]
    if chosen.ids:
        ids = sorted(set(chosen.ids))
        parts = [[*asked, _N.id.in_(ids[start : start + _PAGE])] for start in range(0, len(ids), _PAGE)]
    found: dict[tuple[str, str], str] = {}
    with db.read() as tx:
        for part in parts:
            some = select(_N.mandant, _N.route, func.min(_N.id)).where(*part).group_by(_N.mandant, _N.route)
            found |= {(mandant, route): own for mandant, route, own in tx.execute(some)}
        statement = select(*rows.NACHRICHT_COLUMNS).where(_N.id.in_(list(found.values())))
        return [rows.nachricht(row) for row in tx.execute(statement)]


def _page(db: Database, asked: list[ColumnElement[bool]]) -> list[Found]:
    statement = select(*rows.NACHRICHT_COLUMNS).where(*asked).order_by(_N.received_at, _N.id).limit(_PAGE)
    with db.read() as tx:
        found = [rows.nachricht(row) for row in tx.execute(statement)]
        records = rows.zustellungen_of(tx, [one.id for one in found])
    return [(one, records[one.id]) for one in found]
