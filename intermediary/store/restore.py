"""Brings a backup back into an empty store, and says in it what is lost and what is in doubt since (fault F22)."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from intermediary.audit.verify import restored_statement
from intermediary.core.faults import Misconfigured
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.keys.wrap import MandantKeys
from intermediary.store.approvals import ApprovalState
from intermediary.store.backup import read_keys
from intermediary.store.bell import NoBell
from intermediary.store.blobs import Blobs
from intermediary.store.copy import Place
from intermediary.store.database import Database
from intermediary.store.dialects import Sqlite
from intermediary.store.doubt import CODE, RESTORED, Doubt, put_in_doubt
from intermediary.store.installation import check_installation, check_keks, record_installation
from intermediary.store.job_records import JobState
from intermediary.store.job_row import counts
from intermediary.store.migrate import migrate
from intermediary.store.open import open_database
from intermediary.store.pour import Watch, is_filled, plain_tables, pour
from intermediary.store.tables import METADATA, approvals, data_keys, jobs, meta, nachrichten, zustellungen
from intermediary.store.work import Work, without_claim

_Z = ZustellungState
_BATCH = 1_000
_OPEN = (_Z.DUE, _Z.INTENDED, _Z.PARKED)


@dataclass(frozen=True, slots=True)
class Loss:
    """What the audit heads kept elsewhere prove was committed after the backup was made.

    `size` is how far the backup reaches under a head, `lost_to` how far the log reached; equal when nothing is lost.
    `lost_head` is the digest of the last head, `lost_until` its moment; empty then.
    """

    size: int
    lost_to: int
    lost_head: str = ""
    lost_until: str = ""


@dataclass(frozen=True, slots=True)
class Restoration:
    """Who restores what, and for how long what comes in new may be a repetition.

    `sign` is the installation's key: the loss is explained under its signature.
    """

    backup: str
    manifest_sha256: str
    loss: Loss
    actor: str
    reason: str
    doubt: timedelta
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Doubtful:
    """How much is in doubt: Zustellungen to be looked at, those parked for a person, Nachrichten not judged yet, answers."""

    unclear: int
    parked: int
    unjudged: int
    answering: int


def open_rows(
    rows: Path, keys_file: Path | None, *, pool: Path, keys: MandantKeys, installation: uuid.UUID
) -> Database:
    """A private copy `rows` of a backup's rows as a store to read from; brought to the present schema.

    `keys_file` are its data keys, `pool` the folder of its blobs. Raises like `open_database`, and
    `Misconfigured("backup.unusable")` when they cannot be read.
    """
    dialect = Sqlite(rows)
    engine = dialect.engine()
    try:
        migrate(engine, dialect)
        with dialect.writing(engine) as tx:
            check_installation(tx, installation)
            for batch in _batches(read_keys(keys_file)) if keys_file is not None else ():
                tx.execute(insert(_plain_keys()), batch)
            check_keks(tx, keys, is_known=False)
    except (DBAPIError, ValueError, LookupError) as wrong:
        engine.dispose()
        raise Misconfigured("backup.unusable", where=f"rows or data keys: {type(wrong).__name__}") from wrong
    except BaseException:
        engine.dispose()
        raise
    return Database(
        engine=engine,
        dialect=dialect,
        blobs=Blobs(pool),
        keys=keys,
        installation=installation,
        lease=timedelta(seconds=120),
        bell=NoBell(),
    )


def demand_empty(place: Place, installation: uuid.UUID) -> None:
    """`Misconfigured("restore.not-empty")` when the store at `place` has ever held anything; makes an empty one."""
    there = open_database(data=place.data, installation=installation, keys=place.keys, url=place.url)
    try:
        with there.read() as tx:
            if is_filled(tx, plain_tables()):
                raise Misconfigured("restore.not-empty", where=there.dialect.place)
    finally:
        there.close()


def restore_rows(source: Database, place: Place, restoration: Restoration, *, watch: Watch, now: datetime) -> Doubtful:
    """All or nothing: the rows of `source` (`open_rows`), their doubts, and the event that explains the loss.

    The blobs are the caller's: they are in their place before. `Misconfigured("restore.not-empty")` when something is there.
    """
    there = open_database(data=place.data, installation=source.installation, keys=place.keys, url=place.url)
    try:
        with source.read() as old, there.write() as new:
            there.dialect.queue_for(new, ["installation", "sealer"])
            tables = plain_tables()
            if is_filled(new, tables):
                raise Misconfigured("restore.not-empty", where=there.dialect.place)
            pour(old, new, tables, watch)
            there.dialect.after_copy(new, METADATA.sorted_tables)
            check_keks(new, there.keys, is_known=False)
            _end_leases(new)
            _end_approvals(new)
            _end_jobs(there, new, restoration.actor, now)
            found = _doubt(new, now)
            _remember(there, new, restoration, found, now)
            return found
    finally:
        there.close()


def count_doubtful(db: Database) -> Doubtful:
    """What a restore of these rows would put in doubt; nothing is changed."""
    state = zustellungen.c.state
    with db.read() as tx:
        found = tx.execute(select(state, func.count()).where(state.in_(_OPEN)).group_by(state)).all()
        counted = {row[0]: row[1] for row in found}
        unclear = counted.get(_Z.DUE, 0) + counted.get(_Z.INTENDED, 0)
        return Doubtful(unclear, counted.get(_Z.PARKED, 0), _count(tx, {"received"}), _count(tx, {"answering"}))


def _doubt(tx: Connection, now: datetime) -> Doubtful:
    """Every open Zustellung may have arrived since: due ones are asked for, parked ones say so."""
    wanted = select(zustellungen.c.nachricht_id).where(zustellungen.c.state.in_(_OPEN)).distinct()
    unclear = parked = 0
    for nachricht_id in tx.scalars(wanted.order_by(zustellungen.c.nachricht_id)).all():
        work = without_claim(tx, nachricht_id, now)
        unclear += _doubt_open(work, now)
        parked += _doubt_parked(work)
        work.save()
    return Doubtful(unclear, parked, _count(tx, {"received"}), _count(tx, {"answering"}))


def _doubt_open(work: Work, now: datetime) -> int:
    keys = [one.key for one in work.zustellungen if one.state in (_Z.DUE, _Z.INTENDED)]
    if work.nachricht.verdict == "rejected" or work.nachricht.state is NachrichtState.DISCARDED:  # unsent, and stays so
        keys = [key for key in keys if work.zustellung(key).state is _Z.INTENDED]
    put_in_doubt(work, keys, now)
    return len(keys)


def _doubt_parked(work: Work) -> int:
    keys = [one.key for one in work.zustellungen if one.state is _Z.PARKED]
    for key in keys:
        fields = {"attempt": work.zustellung(key).attempts, "code": CODE}
        work.move_zustellung(key, _Z.PARKED, "delivery.parked", fields, code=CODE)
    return len(keys)


def _count(tx: Connection, states: Collection[str]) -> int:
    chosen = select(func.count()).select_from(nachrichten).where(nachrichten.c.state.in_(sorted(states)))
    return tx.execute(chosen).scalar_one()


def _end_leases(tx: Connection) -> None:
    """Who held them is gone; their tokens are void."""
    for table in METADATA.sorted_tables:
        if "lease_owner" in table.c:
            free: dict[str, Any] = {"lease_owner": None, "lease_until": None, "lease_token": table.c.lease_token + 1}
            held = update(table).where(table.c.lease_owner.is_not(None))
            tx.execute(held.values(**free, **({"took_over": False} if "took_over" in table.c else {})))


def _end_approvals(tx: Connection) -> None:
    """What a second person allowed may have been carried out since: it has to be asked for anew."""
    live = approvals.c.state.in_([ApprovalState.OPEN, ApprovalState.APPROVED])
    tx.execute(update(approvals).where(live).values(state=ApprovalState.REFUSED, second_reason="backup.restored"))


def _end_jobs(db: Database, tx: Connection, actor: str, now: datetime) -> None:
    """What a job did since is forgotten: going on from its old place would send it a second time."""
    for row in tx.execute(select(jobs).where(jobs.c.ended_at.is_(None)).order_by(jobs.c.id)).all():
        tx.execute(update(jobs).where(jobs.c.id == row.id).values(state=JobState.STOPPED, ended_at=now))
        fields = {"job": row.id, "reason": "backup.restored", "counts": counts(row)}
        record_installation(db, tx, "job.stopped", fields, now=now, actor=actor)


def _remember(db: Database, tx: Connection, restoration: Restoration, found: Doubtful, now: datetime) -> None:
    doubt = Doubt(at=now, until=now + restoration.doubt)
    tx.execute(delete(meta).where(meta.c.name == RESTORED))
    tx.execute(insert(meta), {"name": RESTORED, "value": doubt.text()})
    loss = restoration.loss
    fields: dict[str, Any] = {
        "backup": restoration.backup,
        "manifest_sha256": restoration.manifest_sha256,
        "size": loss.size,
        "lost_to": loss.lost_to,
        "lost_head": loss.lost_head,
        "lost_until": loss.lost_until,
        "doubtful": found.unclear + found.parked + found.unjudged,
        "reason": restoration.reason,
    }
    statement = restored_statement(str(db.installation), fields)
    fields["signature"] = base64.b64encode(restoration.sign(statement)).decode()
    record_installation(db, tx, "backup.restored", fields, now=now, actor=restoration.actor)


def _plain_keys() -> Any:
    return next(table for table in plain_tables() if table.name == data_keys.name)


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch
