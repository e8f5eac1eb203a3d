"""Post boxes: Zustellungen that wait until a reader takes them over, and what the reader does with them.

A box holds nothing. What lies in it are the Zustellungen of state `awaiting` whose correlation names the box
(`POST_BOX`); their content is made anew from the sealed body when it is fetched. So what lies there survives restarts, is
seen by every host, and rests sealed like everything else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, literal_column, select

from intermediary.audit.chain import moment
from intermediary.core.decide import OVERDUE
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.core.targets import POST_BOX
from intermediary.store import order, rows
from intermediary.store.database import Database, whole
from intermediary.store.errors import Busy, NotFound, NotPossible
from intermediary.store.records import ZustellungRecord
from intermediary.store.tables import nachrichten, zustellungen
from intermediary.store.verdict import compose_verdict, stay_unsent
from intermediary.store.vorgang import INVOLVED
from intermediary.store.work import Work, without_claim

FETCHED = "fetched_at"
"""The entry of a correlation that says when it was handed out first (ISO 8601)."""

CANCELLED = "intake.cancelled"

_LATE = (ZustellungState.UNCLEAR, ZustellungState.PARKED)
_NOBODY: ColumnElement[str] = literal_column("''")


@dataclass(frozen=True, slots=True)
class Lying:
    """A Zustellung with the Mandant it belongs to; it lies in a box while its state is `awaiting`."""

    mandant: str
    zustellung: ZustellungRecord

    @property
    def is_waiting(self) -> bool:
        return self.zustellung.state is ZustellungState.AWAITING


def held_for(mandant: str, correlation: Mapping[str, str]) -> str:
    """What a Zustellung that awaits its reader is found by; empty for one that awaits something else."""
    reader = correlation.get(POST_BOX, "")
    return box_of(mandant, reader) if reader else ""


def box_of(mandant: str, reader: str) -> str:
    """The name of one reader's box with one Mandant."""
    return f"{mandant}/{reader}"


class PostBoxes:
    """All boxes of one open store, usable from any thread; made anew for each use."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def waiting(self, boxes: Collection[str], *, limit: int) -> tuple[Lying, ...]:
        """What lies in these boxes, the longest waiting first; at most `limit`."""
        found = _LYING.where(
            zustellungen.c.waits_for.in_(sorted(boxes)),
            zustellungen.c.waits_for != _NOBODY,
            zustellungen.c.state == ZustellungState.AWAITING,
        )
        ordered = found.order_by(zustellungen.c.since, zustellungen.c.key).limit(limit)
        with self._db.read() as tx:
            return tuple(_lying(tx, ordered))

    def those(self, keys: Sequence[str]) -> tuple[Lying, ...]:
        """The Zustellungen with these keys, in this order, in whatever state; unknown ones are left out."""
        with self._db.read() as tx:
            found = {one.zustellung.key: one for one in _lying(tx, _LYING.where(zustellungen.c.key.in_(list(keys))))}
        return tuple(found[key] for key in keys if key in found)

    def note_fetch(self, key: str, *, reader: str, now: datetime) -> None:
        """The reader was handed the content; the first time is remembered and audited. It goes on lying there."""
        _note_fetch(self._db, key, reader, now)

    def close(self, key: str, *, reader: str, proof: Mapping[str, str], now: datetime) -> bool:
        """Awaiting → delivered: the reader has taken over; False when that was so already.

        One commit without a lease: `Busy` while somebody holds it. A reader that comes late (`delivery.ack.overdue`) is
        believed. `NotFound` for what does not lie, and did not lie, in a box of this reader.
        """
        is_new = _close(self._db, key, reader, proof, now)
        if is_new:
            self._db.bell.ring()
        return is_new

    def cancel(self, nachricht_id: str, *, now: datetime) -> bool:
        """Received → discarded: the sender takes back what nobody has judged; False when that was so already.

        `Busy` while somebody holds it, `NotPossible` once it was judged or parked.
        """
        return _cancel(self._db, nachricht_id, now)

    def marks(self, mandant: str, text: str) -> tuple[str, ...]:
        """Keyed hashes of a text, under the current key of the Mandant first: what only this installation can make."""
        return self._db.keys.index_hashes(mandant, text)


_LYING = select(nachrichten.c.mandant, *rows.ZUSTELLUNG_COLUMNS).join_from(
    zustellungen, nachrichten, zustellungen.c.nachricht_id == nachrichten.c.id
)


def _lying(tx: Connection, statement: Select[*tuple[object, ...]]) -> list[Lying]:
    return [Lying(row[0], rows.zustellung(row[1:])) for row in tx.execute(statement)]  # type: ignore[arg-type]


@whole
def _note_fetch(db: Database, key: str, reader: str, now: datetime) -> None:
    with db.write() as tx:
        work, record = _found(tx, key, reader, now)
        if record.state is not ZustellungState.AWAITING or FETCHED in record.correlation:
            return
        work.event("post-box.fetched", {"target": record.target, "key": key, "reader": reader})
        work.change_zustellung(key, correlation={**record.correlation, FETCHED: moment(now)})
        work.save()


@whole
def _close(db: Database, key: str, reader: str, proof: Mapping[str, str], now: datetime) -> bool:
    with db.write() as tx:
        work, record = _found(tx, key, reader, now)
        if record.state is ZustellungState.DELIVERED:
            return False
        is_late = record.state in _LATE and record.code == OVERDUE
        if record.state is not ZustellungState.AWAITING and not is_late:
            raise NotFound(key)
        _demand_free(work)
        work.move_zustellung(
            key,
            ZustellungState.DELIVERED,
            "delivery.delivered",
            {"attempt": record.attempts, "proof": dict(proof)},
            code="",
            due_at=None,
            until=None,
            waits_for="",
            proof=dict(proof),
        )
        work.change(unexplained=0)
        compose_verdict(work, now)
        stay_unsent(work)
        work.save()
        return True


@whole
def _cancel(db: Database, nachricht_id: str, now: datetime) -> bool:
    with db.write() as tx:
        work = _work_on(tx, nachricht_id, now)
        nachricht = work.nachricht
        if nachricht.state is NachrichtState.DISCARDED and nachricht.code == CANCELLED:
            return False
        if nachricht.state is not NachrichtState.RECEIVED:
            raise NotPossible(f"the Nachricht is {nachricht.state}")
        _demand_free(work)
        fields = {"state": nachricht.state, "code": CANCELLED}
        work.move(NachrichtState.PARKED, "nachricht.parked", fields, code=CANCELLED, unexplained=0)
        work.move(NachrichtState.DISCARDED, "sender.cancelled", {"code": CANCELLED}, code=CANCELLED)
        work.save()
        return True


def _found(tx: Connection, key: str, reader: str, now: datetime) -> tuple[Work, ZustellungRecord]:
    owner = tx.scalars(select(zustellungen.c.nachricht_id).where(zustellungen.c.key == key)).one_or_none()
    if owner is None:
        raise NotFound(key)
    work = _work_on(tx, owner, now)
    record = work.zustellung(key)
    if record.correlation.get(POST_BOX) != reader:
        raise NotFound(key)
    return work, record


def _work_on(tx: Connection, nachricht_id: str, now: datetime) -> Work:
    """The Nachricht under its lock, after that of its Vorgang, as everywhere."""
    place = tx.execute(
        select(nachrichten.c.vorgang_hash, nachrichten.c.vorgang_place).where(nachrichten.c.id == nachricht_id)
    ).one_or_none()
    if place is not None and place.vorgang_place in INVOLVED:
        order.lock(tx, place.vorgang_hash)
    return without_claim(tx, nachricht_id, now)


def _demand_free(work: Work) -> None:
    """What a holder knows of the Nachricht must not change under its hands."""
    if work.is_leased:
        raise Busy(work.nachricht.id)
