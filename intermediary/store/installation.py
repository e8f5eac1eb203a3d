"""What concerns the installation as a whole: its identity, and the audit chain of what belongs to no Nachricht."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from intermediary.audit.chain import START, follow
from intermediary.core.faults import Misconfigured
from intermediary.store.database import Database
from intermediary.store.tables import meta
from intermediary.store.work import write_entries

_ID = "installation"
_CHAIN = "installation.chain"


def remember_installation(tx: Connection, installation: uuid.UUID) -> None:
    """Write the id at first, compare it ever after: another id would give every Zustellung another key (G3)."""
    known = _read(tx, _ID)
    if known is None:
        tx.execute(insert(meta), {"name": _ID, "value": str(installation)})
        tx.execute(insert(meta), {"name": _CHAIN, "value": json.dumps({"seq": 0, "digest": START})})
    elif known != str(installation):
        raise Misconfigured("store.installation.differs", where="installation id")


def record_installation(
    db: Database, tx: Connection, event: str, fields: Mapping[str, Any], *, now: datetime, actor: str = ""
) -> None:
    """Chain an event of the installation into this transaction."""
    last = json.loads(_read(tx, _CHAIN) or "{}")
    entry = follow(
        chain=str(db.installation),
        seq=last["seq"] + 1,
        prev=last["digest"],
        at=now,
        name=event,
        mandant="",
        actor=actor,
        fields=fields,
    )
    write_entries(tx, [entry])
    value = json.dumps({"seq": entry.event.seq, "digest": entry.digest})
    tx.execute(update(meta).where(meta.c.name == _CHAIN).values(value=value))


def _read(tx: Connection, name: str) -> str | None:
    return tx.execute(select(meta.c.value).where(meta.c.name == name).with_for_update()).scalar_one_or_none()
