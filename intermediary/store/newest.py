"""Newest first, page by page: what is found along one index or several that have it in this order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, UnaryExpression, desc, select, tuple_, union_all

from intermediary.store import rows
from intermediary.store.database import Database
from intermediary.store.records import NachrichtRecord
from intermediary.store.tables import nachrichten

_PAGE = 200
_MOST_AT_ONCE = 100
"""Ways in one statement; SQLite takes 500."""

_AT, _ID = "way_at", "way_id"
_NEWEST: tuple[UnaryExpression[Any], ...] = (desc(_AT), desc(_ID))

Spot = tuple[datetime, str]
"""Where in the order a Nachricht stands: its moment of receipt and its id."""


@dataclass(frozen=True, slots=True)
class Way:
    """Nachrichten along an index that has them by `at` and `id`: their moment of receipt, and which they are.

    `leads` is what joins it with `nachrichten`, where more is asked of them than the index knows.
    """

    at: ColumnElement[Any]
    id: ColumnElement[str]
    conditions: tuple[ColumnElement[bool], ...] = ()
    leads: tuple[ColumnElement[bool], ...] = ()

    def where(self, *asked: ColumnElement[bool]) -> Way:
        """Only Nachrichten that meet this as well."""
        return replace(self, conditions=(*self.conditions, *self.leads, *asked), leads=()) if asked else self

    def within(self, since: datetime | None, until: datetime | None) -> Way:
        """Only those received since then and before that."""
        begun = () if since is None else (self.at >= since,)
        ended = () if until is None else (self.at < until,)
        return replace(self, conditions=(*self.conditions, *begun, *ended))

    def spots(self, after: Spot | None, size: int) -> Select[Any]:
        """The first of them behind a spot."""
        behind = () if after is None else (tuple_(self.at, self.id) < after,)
        found = select(self.at.label(_AT), self.id.label(_ID)).where(*self.conditions, *behind)
        return found.order_by(*_NEWEST).limit(size)


BY_MOMENT = Way(nachrichten.c.received_at, nachrichten.c.id)
"""All Nachrichten."""


def newest(db: Database, ways: Sequence[Way], after: Spot | None, limit: int | None) -> Iterator[NachrichtRecord]:
    """What any of the ways leads to, each Nachricht once, newest first.

    Page by page, each its own short transaction: a slow reader holds nothing.
    """
    groups = [ways[first : first + _MOST_AT_ONCE] for first in range(0, len(ways), _MOST_AT_ONCE)]
    found = merge(*(_pages(db, group, after, limit) for group in groups), key=spot_of, reverse=True)
    return islice(found, limit)


def _pages(db: Database, ways: Sequence[Way], after: Spot | None, limit: int | None) -> Iterator[NachrichtRecord]:
    left = limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        with db.read(varied=True) as tx:
            found = tx.execute(_page(ways, after, size)).all()
        records = {row.id: rows.nachricht(row) for row in found}  # one that has a value under two names is met twice
        yield from records.values()
        if len(found) < size:
            return
        after = getattr(found[-1], _AT), getattr(found[-1], _ID)
        left = None if left is None else left - len(records)


def _page(ways: Sequence[Way], after: Spot | None, size: int) -> Select[Any]:
    """Each way ends at the size of the page: PostgreSQL goes through all of it where only the whole has an end."""
    parts = [way.spots(after, size) for way in ways]
    if len(parts) > 1:
        spots = union_all(*(select(part.subquery()) for part in parts)).order_by(*_NEWEST).limit(size).subquery()
    else:
        spots = parts[0].subquery()
    found = select(*rows.NACHRICHT_COLUMNS, spots.c[_AT], spots.c[_ID])
    return found.join(spots, spots.c[_ID] == nachrichten.c.id).order_by(*_NEWEST)


def spot_of(nachricht: NachrichtRecord) -> Spot:
    """Where it stands."""
    return nachricht.received_at, nachricht.id
