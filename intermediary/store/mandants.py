"""The end of a Mandant: everything of it erased, and of its rows only what the audit trail says as well.

The chains stay whole, so the log of all Mandanten still verifies; nothing of another Mandant is touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Text, delete, func, or_, select, tuple_, type_coerce, update

from intermediary.core.states import FINAL, NachrichtState
from intermediary.store import rows
from intermediary.store.database import Database, whole
from intermediary.store.erasure import BATCH, ERASED, NOBODYS, Place, erase_keys
from intermediary.store.errors import NotPossible
from intermediary.store.holds import QUEUE, StandingHold, end_standing, standing_of
from intermediary.store.installation import record_installation
from intermediary.store.tables import data_keys, intake_keys, meta, nachrichten, search_keys, vorgaenge
from intermediary.store.target_pauses import forget_targets_of
from intermediary.store.work import Work

_N = nachrichten.c
_KEKS = "keks"
_MOST_TOLD = 3
_NOBODY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Extent:
    """What there is of a Mandant: all Nachrichten, those that are not final or have something due, those with a payload."""

    nachrichten: int
    open: int
    payloads: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What a deletion is about: its Nachrichten, and the holds on them, as they were when it was asked for.

    Nothing else is erased, and no other hold is lifted. `single` says since when a Nachricht is held by itself.
    """

    mandant: str
    ids: frozenset[str]
    standing: tuple[StandingHold, ...] = ()
    single: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cut:
    """What one transaction of a deletion did: `reduced` Nachrichten; `busy` are in somebody's hands and left as they are."""

    reduced: int
    busy: int
    after: Place | None


class Mandants:
    """Deletes a Mandant, a bounded step at a time; made by `Store.retention`. Whoever calls has asked who may."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def extent(self, mandant: str) -> Extent:
        """How much there is of a Mandant."""
        own = _N.mandant == mandant
        is_open = or_(_N.state.not_in(sorted(FINAL)), _N.due_at.is_not(None))
        with self._db.read() as tx:

            def count(*conditions: ColumnElement[bool]) -> int:
                chosen = select(func.count()).select_from(nachrichten).where(own, *conditions)
                return tx.execute(chosen).scalar_one()

            return Extent(count(), count(is_open), count(_N.payload == "present"))

    def shown(self, mandant: str) -> Shown:
        """Everything of a Mandant as it is now, in one moment."""
        own = _N.mandant == mandant
        with self._db.read() as tx:
            ids = frozenset(tx.scalars(select(_N.id).where(own)))
            return Shown(mandant, ids, standing_of(tx, mandant), _single(tx, mandant))

    def order(self, shown: Shown, *, is_forced: bool, actor: str, reason: str, now: datetime) -> None:
        """Write down that the deletion begins, before anything is erased, and end the standing holds that were shown.

        `NotPossible`, and nothing is written, when there is another hold; without force, when there is any.
        """
        _order(self._db, shown, is_forced, actor, reason, now)

    def reduce(
        self, shown: Shown, *, actor: str, reason: str, now: datetime, approved: Mapping[str, str] = _NOBODY
    ) -> Iterator[Cut]:
        """Go through the Nachrichten that were shown: discard what is open, erase payloads, clear what only rows say.

        Each step is one transaction; whoever breaks off begins anew, and finds the rest. `NotPossible` when anything of
        the Mandant has been put on hold since: of that step, and of later ones, nothing is erased. `approved` are the
        fields of `person.approved` for every chain, if a second person was asked.
        """
        after: Place | None = None
        while True:
            cut, blobs = _reduce(self._db, shown, after, approved, actor, reason, now)
            for blob in blobs:
                with suppress(OSError):  # unreadable already, and the next pass of the terms removes it
                    self._db.blobs.remove(blob)
            yield cut
            if cut.after is None:
                return
            after = cut.after

    def finish(self, mandant: str, *, actor: str, reason: str, now: datetime) -> int:
        """Forget hashed ids, targets and the KEK of a Mandant of which nothing is left; how many Nachrichten it had.

        `NotPossible`, and nothing is forgotten, when a door has taken another one meanwhile, or somebody set a hold.
        """
        return _finish(self._db, mandant, actor, reason, now)


@whole
def _order(db: Database, shown: Shown, is_forced: bool, actor: str, reason: str, now: datetime) -> None:
    lifted = shown if is_forced else Shown(shown.mandant, shown.ids)
    with db.write() as tx:
        db.dialect.queue_for(tx, [QUEUE])
        known = _demand_unheld(tx, lifted)
        fields = {"mandant": shown.mandant, "nachrichten": len(shown.ids), "forced": is_forced, "reason": reason}
        record_installation(db, tx, "mandant.deletion-begun", fields, now=now, actor=actor)
        for one in known:
            end_standing(db, tx, one.mandant, one.route, actor=actor, reason=reason, now=now)


def _demand_unheld(tx: Connection, but: Shown) -> tuple[StandingHold, ...]:
    """`NotPossible` when anything of a Mandant is on hold but these; the standing ones of them that are there.

    For whoever is queued behind `QUEUE`: what `hold set` has answered for is seen here.
    """
    known = standing_of(tx, but.mandant)
    late = [f"Route {one.route}" if one.route else "alles von ihm" for one in known if one not in but.standing]
    single = _single(tx, but.mandant).items()
    late += sorted(f"Nachricht {one}" for one, since in single if but.single.get(one) != since)
    if late:
        more = f" und {len(late) - _MOST_TOLD} weitere" if len(late) > _MOST_TOLD else ""
        raise NotPossible(
            f"die Löschung hält an, vor dem Löschen gesperrt: {', '.join(late[:_MOST_TOLD])}{more} (hold list); "
            "ist das aufgehoben, noch einmal rufen"
        )
    return known


def _single(tx: Connection, mandant: str) -> dict[str, datetime]:
    chosen = select(_N.id, _N.held_since).where(_N.mandant == mandant, _N.held_since.is_not(None))
    return {row.id: row.held_since for row in tx.execute(chosen)}


@whole
def _reduce(
    db: Database,
    shown: Shown,
    after: Place | None,
    approved: Mapping[str, str],
    actor: str,
    reason: str,
    now: datetime,
) -> tuple[Cut, list[str]]:
    with db.write() as tx:
        db.dialect.queue_for(tx, [QUEUE])
        _demand_unheld(tx, replace(shown, standing=()))
        found = _page(tx, shown.mandant, after)
        meant = [row for row in found if row.id in shown.ids]
        free = [row for row in meant if row.lease_owner is None or row.lease_until <= now]
        records = rows.zustellungen_of(tx, [row.id for row in free])
        for row in free:
            _reduce_one(Work(tx, row, records[row.id], now), row, approved, actor, reason)
        ids = [row.id for row in free]
        erase_keys(tx, ids)
        tx.execute(delete(search_keys).where(search_keys.c.nachricht_id.in_(ids)))
        tx.execute(update(nachrichten).where(_N.id.in_(ids)).values(plan={}, **NOBODYS))
    last = found[-1] if len(found) == BATCH else None
    return Cut(len(free), len(meant) - len(free), (last.received_at, last.id) if last else None), [
        row.blob for row in free if row.blob
    ]


def _page(tx: Connection, mandant: str, after: Place | None) -> list[Row[Any]]:
    """The next Nachrichten of which something is left that the audit trail does not say."""
    rest = or_(_N.payload == "present", _N.due_at.is_not(None), type_coerce(_N.plan, Text()) != "{}")
    chosen = select(nachrichten).where(_N.mandant == mandant, rest)
    if after is not None:
        chosen = chosen.where(tuple_(_N.received_at, _N.id) > after)
    return list(tx.execute(chosen.order_by(_N.received_at, _N.id).limit(BATCH).with_for_update()).all())


def _reduce_one(work: Work, row: Row[Any], approved: Mapping[str, str], actor: str, reason: str) -> None:
    """Discarded first, if it is open: a final state is the only one that a Nachricht without payload may have."""
    if approved:
        work.event("person.approved", approved, actor=actor)
    state = work.nachricht.state
    if state not in FINAL:
        if state is not NachrichtState.PARKED:
            fields = {"state": state, "code": "mandant.deleted"}
            work.move(NachrichtState.PARKED, "nachricht.parked", fields, actor=actor, code="mandant.deleted")
        work.move(
            NachrichtState.DISCARDED, "person.discarded", {"reason": reason}, actor=actor, code="person.discarded"
        )
    if row.held_since is not None:
        work.event("hold.released", {"reason": reason}, actor=actor)
    if row.payload == "present":
        work.event("payload.erased", {"reason": reason, "rule": ""}, actor=actor)
    work.event("nachricht.reduced", {"reason": reason}, actor=actor)
    work.change(**ERASED, held_since=None)
    work.save()


@whole
def _finish(db: Database, mandant: str, actor: str, reason: str, now: datetime) -> int:
    with db.write() as tx:
        db.dialect.queue_for(tx, [QUEUE, "installation", "target pauses"])
        _demand_unheld(tx, Shown(mandant, frozenset()))
        count = tx.execute(select(func.count()).select_from(nachrichten).where(_N.mandant == mandant)).scalar_one()
        tx.execute(delete(intake_keys).where(intake_keys.c.mandant == mandant))
        tx.execute(delete(data_keys).where(data_keys.c.mandant == mandant))
        tx.execute(delete(vorgaenge).where(vorgaenge.c.mandant == mandant))
        forget_targets_of(db, tx, mandant, actor=actor, reason=reason, now=now)
        if late := _count_late(tx, mandant):
            raise NotPossible(
                f"{late} Nachrichten sind inzwischen eingegangen: alles andere ist gelöscht, noch einmal rufen"
            )
        noted = tx.execute(select(meta.c.value).where(meta.c.name == _KEKS).with_for_update()).scalar_one_or_none()
        keks = json.loads(noted or "{}")
        if keks.pop(mandant, None) is not None:
            tx.execute(update(meta).where(meta.c.name == _KEKS).values(value=json.dumps(keks)))
        fields = {"mandant": mandant, "nachrichten": count, "reason": reason}
        record_installation(db, tx, "mandant.deleted", fields, now=now, actor=actor)
        return count


def _count_late(tx: Connection, mandant: str) -> int:
    """What can still be read, or is to be done. Asked after the deletions: whoever comes later was not met by them."""
    rest = or_(_N.payload == "present", _N.due_at.is_not(None))
    return tx.execute(select(func.count()).where(_N.mandant == mandant, rest)).scalar_one()
