"""Audit events that change no state: what a person looked at, a dry run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from intermediary.store.database import Database, whole
from intermediary.store.installation import record_installation
from intermediary.store.records import Claim
from intermediary.store.work import under_claim, without_claim


@whole
def note(
    db: Database, subject: Claim | str, event: str, *, now: datetime, actor: str, fields: Mapping[str, Any]
) -> None:
    """See `Store.record`."""
    with db.write() as tx:
        work = under_claim(tx, subject, now) if isinstance(subject, Claim) else without_claim(tx, subject, now)
        work.event(event, fields, actor=actor)
        work.save()


@whole
def note_of_installation(db: Database, event: str, *, now: datetime, actor: str, fields: Mapping[str, Any]) -> None:
    """See `Store.record_of_installation`."""
    with db.write() as tx:
        record_installation(db, tx, event, fields, now=now, actor=actor)
