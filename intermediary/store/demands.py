"""What needs a second person here, remembered beside the configuration: whoever names another file is not rid of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from intermediary.store.database import Database, whole
from intermediary.store.installation import record_installation
from intermediary.store.tables import meta

_NAME = "approvals"


@dataclass(frozen=True, slots=True)
class Demands:
    """Verbs that need a second person, and groups of accounts that count as one person."""

    required: frozenset[str] = frozenset()
    same_person: frozenset[tuple[str, ...]] = frozenset()

    def __or__(self, other: Demands) -> Demands:
        return Demands(self.required | other.required, self.same_person | other.same_person)

    def __sub__(self, other: Demands) -> Demands:
        return Demands(self.required - other.required, self.same_person - other.same_person)

    def __bool__(self) -> bool:
        return bool(self.required or self.same_person)

    def told(self) -> dict[str, Any]:
        """As JSON, the same for the same demands."""
        return {"required": sorted(self.required), "same_person": sorted(map(list, self.same_person))}


def demands_of(required: Iterable[str], same_person: Iterable[Iterable[str]]) -> Demands:
    """Of what a configuration says, whatever the order it says it in."""
    return Demands(frozenset(required), frozenset(tuple(sorted(group)) for group in same_person))


class Remembered:
    """The demands that one store remembers, reached by `Approvals.remembered`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self) -> Demands:
        """All that has been demanded since it was last loosened."""
        with self._db.glance() as tx:
            return remembered(tx)

    def add(self, demands: Demands) -> None:
        """Remember these too; writes nothing when they are known. For everybody who opens an installation."""
        if demands - self.get():
            _add(self._db, demands)

    def loosen(self, gone: Demands, *, names: Mapping[str, str], actor: str, reason: str, now: datetime) -> None:
        """Forget these, with the event that tells who wanted and who approved it (`names`, fields of the event)."""
        _loosen(self._db, gone, names, actor=actor, reason=reason, now=now)


def remembered(tx: Connection) -> Demands:
    """What is written down now."""
    return _parsed(tx.execute(select(meta.c.value).where(meta.c.name == _NAME)).scalar_one_or_none())


@whole
def _add(db: Database, demands: Demands) -> None:
    with db.write() as tx:
        _write(tx, _locked(db, tx) | demands)


@whole
def _loosen(db: Database, gone: Demands, names: Mapping[str, str], *, actor: str, reason: str, now: datetime) -> None:
    with db.write() as tx:
        _write(tx, _locked(db, tx) - gone)
        fields = {**gone.told(), **names, "reason": reason}
        record_installation(db, tx, "approval.loosened", fields, now=now, actor=actor)


def _locked(db: Database, tx: Connection) -> Demands:
    db.dialect.queue_for(tx, ["approvals"])
    return remembered(tx)


def _write(tx: Connection, demands: Demands) -> None:
    value = json.dumps(demands.told(), sort_keys=True)
    if not tx.execute(update(meta).where(meta.c.name == _NAME).values(value=value)).rowcount:
        tx.execute(insert(meta), {"name": _NAME, "value": value})


def _parsed(value: str | None) -> Demands:
    found = json.loads(value or "{}")
    return demands_of(found.get("required", ()), found.get("same_person", ()))
