"""What people see and decide of the order of a Vorgang, and the store's own care for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from intermediary.store import order, rows
from intermediary.store.database import Database, whole
from intermediary.store.errors import NotFound, NotPossible
from intermediary.store.records import Claim, Place
from intermediary.store.tables import nachrichten
from intermediary.store.vorgang import HOLDING, INVOLVED, held, is_waiting
from intermediary.store.work import under_claim, without_claim

MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a Nachricht stands in its Vorgang: its number, by target the id it waits for, how many wait behind it.

    `behind` counts to `MOST_COUNTED`. A target without an id is about to be woken.
    """

    number: int
    place: Place
    waits_for: Mapping[str, str]
    behind: int


class Precedence:
    """The order of Vorgaenge, apart from what `plan` and `intend` do of it; reached as `store.order`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def standing(self, nachricht_id: str) -> Standing | None:
        """Where it stands now; None when it belongs to no Vorgang, or its route keeps no order."""
        with self._db.read() as tx:
            row = tx.execute(select(*rows.NACHRICHT_COLUMNS).where(nachrichten.c.id == nachricht_id)).one_or_none()
            if row is None:
                raise NotFound(nachricht_id)
            nachricht = rows.nachricht(row)
            if nachricht.vorgang_place not in INVOLVED:
                return None
            records = rows.zustellungen_of_one(tx, nachricht_id)
            waiting = [record.target for record in records if is_waiting(record)]
            waits_for = {target: order.blocker(tx, nachricht, target) or "" for target in waiting}
            holds = held(nachricht, records)
            behind = order.count_behind(tx, nachricht, MOST_COUNTED) if holds else 0
        return Standing(nachricht.vorgang_number, nachricht.vorgang_place, waits_for, behind)

    def let_pass(self, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
        """A person lets the later ones of its Vorgang go ahead of this one, which stays as it is; they keep their order.

        `NotPossible` when it holds back nobody.
        """
        return _let_pass(self._db, claim, actor=actor, reason=reason, now=now)

    def care(self, now: datetime) -> int:
        """Wake those whose blocker was ended by a program that knew no order, and forget old Vorgaenge; how many woke.

        For the daemon, at its start and every few minutes; what this program ends wakes the others by itself.
        """
        with self._db.read() as tx:
            found = [row.id for row in tx.execute(order.stranded())]
        woken = sum(_wake(self._db, one, now) for one in found)
        _forget(self._db, now)
        return woken


@whole
def _let_pass(db: Database, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        if work.nachricht.vorgang_place not in HOLDING or not held(work.nachricht, work.zustellungen):
            raise NotPossible(_why_not(work.nachricht.vorgang_place))
        work.event("person.let-pass", {"reason": reason}, actor=actor)
        work.change(vorgang_place=Place.PASSED)
        return work.save()


def _why_not(place: Place) -> str:
    if place is Place.PASSED:
        return "the later ones of its Vorgang may pass it already"
    return "no later one waits for it: `pass` is ordered for the Nachricht that others wait for (`explain` names it)"


@whole
def _wake(db: Database, nachricht_id: str, now: datetime) -> bool:
    with db.write() as tx:
        known = tx.execute(select(nachrichten.c.vorgang_hash).where(nachrichten.c.id == nachricht_id)).scalar_one()
        order.lock(tx, known)
        work = without_claim(tx, nachricht_id, now)
        free = [
            record.target
            for record in work.zustellungen
            if is_waiting(record) and order.blocker(tx, work.nachricht, record.target) is None
        ]
        order.rouse(tx, work, free, now)
    return bool(free)


@whole
def _forget(db: Database, now: datetime) -> None:
    with db.write() as tx:
        tx.execute(order.forgettable(now))
