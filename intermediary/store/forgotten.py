"""How far the search keys were forgotten: kept, so that a pass does not look at millions again that have none left."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from intermediary.store.erasure import Place
from intermediary.store.tables import meta

_NAME = "retention.search_keys"


def read(tx: Connection) -> Place | None:
    """The last Nachricht that was looked at; None when none was."""
    noted = tx.execute(select(meta.c.value).where(meta.c.name == _NAME)).scalar_one_or_none()
    if noted is None:
        return None
    at, last = json.loads(noted)
    return datetime.fromisoformat(at), last


def write(tx: Connection, place: Place) -> None:
    """The next pass begins behind this Nachricht."""
    tx.execute(delete(meta).where(meta.c.name == _NAME))
    tx.execute(insert(meta), {"name": _NAME, "value": json.dumps([place[0].isoformat(), place[1]])})


def look_again(tx: Connection, received_at: datetime | None) -> None:
    """A hold ended: what it kept, received at this moment or later (None: nothing), is looked at once more."""
    last = read(tx)
    if last is not None and received_at is not None and received_at <= last[0]:
        write(tx, (received_at, ""))
