"""What an erasure does to the rows of a Nachricht, whoever orders it; and how much of it fits into one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, update

from intermediary.store import records
from intermediary.store.steps import forget_steps
from intermediary.store.tables import data_keys, nachrichten

BATCH = 200
"""So many Nachrichten are erased in one transaction: a fraction of a second."""

Place = tuple[datetime, str]
"""Where a look ended: the receipt and id of the last Nachricht."""


ERASED: Mapping[str, Any] = {
    "payload": "erased",
    "vorgang_hash": "",
    "vorgang_number": 0,
    "vorgang_place": records.Place.NONE,
}
"""What a row says of an erased payload: nothing of what the sender called its Vorgang either, not even hashed."""

NOBODYS: Mapping[str, Any] = {
    "lease_owner": None,
    "lease_until": None,
    "took_over": False,
    "lease_token": nachrichten.c.lease_token + 1,
}
"""The end of a lease that ran out: its holder, should it come back, finds it lost."""


def erase_keys(tx: Connection, ids: Sequence[str]) -> None:
    """Erase data keys, sealed headers and steps of Nachrichten whose erasure is told by an event of this transaction."""
    if ids:
        forget_steps(tx, ids)
        tx.execute(delete(data_keys).where(data_keys.c.nachricht_id.in_(ids)))
        tx.execute(update(nachrichten).where(nachrichten.c.id.in_(ids)).values(headers=None))
