"""Taking: a batch of Eingaenge becomes durable in one commit, bytes first (promises G1, G13)."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select

from intermediary.audit.chain import START, Entry, follow
from intermediary.core.faults import Misconfigured, Transient
from intermediary.core.ids import nachricht_id
from intermediary.core.states import NachrichtState
from intermediary.core.values import Eingang
from intermediary.keys.wrap import DataKey
from intermediary.store.blobs import Intake
from intermediary.store.database import Database, whole
from intermediary.store.message_ids import further_hashes, unique_hashes
from intermediary.store.order import Wanted, hashes_of, number
from intermediary.store.records import Place, Taken
from intermediary.store.tables import data_keys, intake_keys, nachrichten
from intermediary.store.work import without_claim, write_entries

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BODY = "body"
HEADERS = "headers"

_EXISTING = select(nachrichten.c.id).where(nachrichten.c.id.in_(bindparam("ids", expanding=True)))
_SAME_MESSAGE_ID = (
    select(intake_keys)
    .where(intake_keys.c.mandant.in_(bindparam("mandanten", expanding=True)))  # what the key of the table begins with
    .where(intake_keys.c.message_hash.in_(bindparam("hashes", expanding=True)))
)
_INSERT_NACHRICHTEN = insert(nachrichten)
_INSERT_DATA_KEYS = insert(data_keys)
_INSERT_INTAKE_KEYS = insert(intake_keys)


@dataclass(frozen=True, slots=True)
class _Written:
    """An Eingang whose bytes are on disk, not yet committed."""

    blob: str
    wrapped_key: bytes
    headers: bytes


def take(db: Database, eingaenge: Sequence[Eingang]) -> list[Taken]:
    """See `Store.take`."""
    ids = [
        nachricht_id(
            db.installation,
            mandant=eingang.mandant,
            message_id=eingang.message_id,
            body_sha256=eingang.same_sha256 or eingang.body.sha256,
            account=eingang.account,
        )
        for eingang in eingaenge
    ]
    first = dict(zip(reversed(ids), reversed(eingaenge), strict=True))
    with db.read() as tx:
        known = _existing(tx, ids)
    with db.blobs.intake() as intake:
        written: dict[str, _Written] = {}
        try:
            for own, eingang in first.items():
                if own not in known:
                    written[own] = _write(db, intake, own, eingang)
            if written:
                intake.make_durable()
            taken = _commit(db, list(zip(ids, eingaenge, strict=True)), written)
        except BaseException:
            _tidy_after_failure(db, intake, written)
            raise
        ours = {answer.nachricht_id for answer in taken if answer.outcome != "duplicate"}
        for own, one in written.items():
            if own in ours:
                intake.keep(one.blob)
            else:
                intake.drop(one.blob)
    return taken


def _tidy_after_failure(db: Database, intake: Intake, written: Mapping[str, _Written]) -> None:
    """Blobs with a row move to their place, the others go: the commit may have happened although it failed."""
    if not written:
        return
    try:
        with db.read() as tx:
            rows = tx.execute(select(nachrichten.c.id, nachrichten.c.blob).where(nachrichten.c.id.in_(list(written))))
            committed = {row.id: row.blob for row in rows}
    except Transient:
        return  # nobody can say now; the next start tidies up
    for own, one in written.items():
        if committed.get(own) == one.blob:
            intake.keep(one.blob)
        else:
            intake.drop(one.blob)


def _write(db: Database, intake: Intake, own: str, eingang: Eingang) -> _Written:
    key, wrapped = db.keys.new_data_key(eingang.mandant, own)
    with eingang.body.open() as source:
        reader = _Measured(source)
        blob = intake.write(own, key.seal_stream(io.BufferedReader(reader, 1 << 18), BODY))
    if reader.sha256() != eingang.body.sha256 or reader.length != eingang.body.length:
        intake.drop(blob)
        raise Misconfigured("payload.corrupt", where=f"intake at {eingang.channel}")
    return _Written(blob, wrapped, _sealed_headers(key, eingang))


def _sealed_headers(key: DataKey, eingang: Eingang) -> bytes:
    values = {
        "message_id": eingang.message_id,
        "reply_to": eingang.reply_to,
        "correlation_id": eingang.correlation_id,
        "vorgang": eingang.vorgang,
    }
    return key.seal(json.dumps(values).encode(), HEADERS)


@whole
def _commit(db: Database, batch: Sequence[tuple[str, Eingang]], written: Mapping[str, _Written]) -> list[Taken]:
    with db.write() as tx:
        return _insert(db, tx, batch, written)


def _insert(
    db: Database, tx: Connection, batch: Sequence[tuple[str, Eingang]], written: Mapping[str, _Written]
) -> list[Taken]:
    hashes = [unique_hashes(db, eingang) for _, eingang in batch]
    vorgaenge = {one for _, eingang in batch if _has_vorgang(eingang) for one in hashes_of(db, _vorgang(eingang))}
    db.dialect.queue_for(tx, vorgaenge.union(*hashes))
    existing = _existing(tx, [own for own, _ in batch])
    same_id = _same_message_id(tx, {eingang.mandant for _, eingang in batch}, hashes)
    rows = _Rows()
    answers: list[Taken] = []
    repeated: list[tuple[str, Eingang]] = []
    for (own, eingang), asked in zip(batch, hashes, strict=True):
        if own in existing:
            repeated.append((own, eingang))
            answers.append(Taken(own, "duplicate"))
            continue
        others = sorted({other for one in asked for other in same_id.get((eingang.mandant, one), ())})
        rows.add(own, eingang, (asked[0], *further_hashes(db, eingang)), written[own], others)
        existing.add(own)
        same_id.setdefault((eingang.mandant, asked[0]), []).append(own)
        answers.append(Taken(own, "conflict" if others else "new"))
    if vorgaenge:
        rows.number(db, tx)
    rows.insert(tx)
    for own, eingang in repeated:
        work = without_claim(tx, own, eingang.received_at)
        work.event("intake.duplicate", {"channel": eingang.channel})
        work.save()
    return answers


class _Rows:
    """The rows of a batch, inserted table by table."""

    def __init__(self) -> None:
        self._nachrichten: list[dict[str, Any]] = []
        self._data_keys: list[dict[str, Any]] = []
        self._intake_keys: list[dict[str, Any]] = []
        self._entries: list[Entry] = []
        self._of_vorgang: list[tuple[dict[str, Any], Eingang]] = []

    def add(self, own: str, eingang: Eingang, hashes: Sequence[str], written: _Written, others: list[str]) -> None:
        entry = _first_entry(own, eingang, others)
        is_conflict = bool(others)
        begins_at = max(eingang.received_at, eingang.not_before or eingang.received_at)
        self._entries.append(entry)
        self._nachrichten.append(
            {
                "id": own,
                "mandant": eingang.mandant,
                "channel": eingang.channel,
                "content_type": eingang.content_type,
                "direction": "in",
                "state": NachrichtState.PARKED if is_conflict else NachrichtState.RECEIVED,
                "code": "intake.conflict" if is_conflict else "",
                "wait_reason": "",
                "received_at": eingang.received_at,
                "since": begins_at,
                "due_at": None if is_conflict else begins_at,
                "own_due_at": None if is_conflict else begins_at,
                "attempts": 0,
                "unexplained": 0,
                "route": "",
                "verdict": "",
                "verdict_code": "",
                "pins": {},
                "body_sha256": eingang.body.sha256,
                "body_length": eingang.body.length,
                "payload": "present",
                "revision": 0,
                "plan": {},
                "headers": written.headers,
                "blob": written.blob,
                "lease_owner": None,
                "lease_token": 0,
                "lease_until": None,
                "took_over": False,
                "chain_length": entry.event.seq,
                "chain_digest": entry.digest,
                "vorgang_hash": "",
                "vorgang_number": 0,
                "vorgang_place": Place.NONE,
                "vorgang_open": None,
            }
        )
        if _has_vorgang(eingang):
            self._of_vorgang.append((self._nachrichten[-1], eingang))
        at = eingang.received_at
        self._data_keys.append(
            {"nachricht_id": own, "mandant": eingang.mandant, "wrapped": written.wrapped_key, "created_at": at}
        )
        self._intake_keys += [
            {"mandant": eingang.mandant, "message_hash": one, "nachricht_id": own, "taken_at": at} for one in hashes
        ]

    def number(self, db: Database, tx: Connection) -> None:
        """Give those of a Vorgang their place in it, in the order of the batch."""
        if not self._of_vorgang:
            return
        at = self._of_vorgang[0][1].received_at
        numbered = number(db, tx, [_vorgang(eingang) for _, eingang in self._of_vorgang], at)
        for (row, _), given in zip(self._of_vorgang, numbered, strict=True):
            row.update(vorgang_hash=given.hash, vorgang_number=given.number, vorgang_open=given.number)
            row["vorgang_place"] = Place.OPEN

    def insert(self, tx: Connection) -> None:
        if self._nachrichten:
            tx.execute(_INSERT_NACHRICHTEN, self._nachrichten)
            tx.execute(_INSERT_DATA_KEYS, self._data_keys)
            tx.execute(_INSERT_INTAKE_KEYS, self._intake_keys)
            write_entries(tx, self._entries)


def _has_vorgang(eingang: Eingang) -> bool:
    return bool(eingang.vorgang.strip())


def _vorgang(eingang: Eingang) -> Wanted:
    return eingang.mandant, eingang.vorgang


def _first_entry(own: str, eingang: Eingang, others: list[str]) -> Entry:
    fields: dict[str, Any] = {
        "channel": eingang.channel,
        "content_type": eingang.content_type,
        "direction": "in",
        "body_sha256": eingang.body.sha256,
        "body_length": eingang.body.length,
    }
    if others:
        fields["others"] = others
    return follow(
        chain=own,
        seq=1,
        prev=START,
        at=eingang.received_at,
        name="intake.conflict" if others else "intake.taken",
        mandant=eingang.mandant,
        fields=fields,
    )


def _existing(tx: Connection, ids: Sequence[str]) -> set[str]:
    return set(tx.scalars(_EXISTING, {"ids": ids}))


def _same_message_id(
    tx: Connection, mandanten: Collection[str], hashes: Sequence[tuple[str, ...]]
) -> dict[tuple[str, str], list[str]]:
    wanted = {one for asked in hashes for one in asked}
    found: dict[tuple[str, str], list[str]] = {}
    for row in tx.execute(_SAME_MESSAGE_ID, {"mandanten": sorted(mandanten), "hashes": sorted(wanted)}):
        found.setdefault((row.mandant, row.message_hash), []).append(row.nachricht_id)
    return found


class _Measured(io.RawIOBase):
    """Hashes and counts what passes, so that the bytes on disk are the bytes that were promised (T27)."""

    def __init__(self, source: Any) -> None:
        super().__init__()
        self._source = source
        self._sha256 = hashlib.sha256()
        self.length = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")
        data: bytes = self._source.read(len(target))
        target[: len(data)] = data
        self._sha256.update(data)
        self.length += len(data)
        return len(data)

    def sha256(self) -> str:
        return self._sha256.hexdigest()
