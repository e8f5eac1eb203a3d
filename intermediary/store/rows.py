"""Rows to records and back: the one place that knows the order of columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.store.records import ChainEnd, Claim, NachrichtRecord, Place, ZustellungRecord
from intermediary.store.tables import nachrichten, zustellungen

NACHRICHT_FIELDS = tuple(field.name for field in fields(NachrichtRecord))
ZUSTELLUNG_FIELDS = tuple(field.name for field in fields(ZustellungRecord))

NACHRICHT_COLUMNS = tuple(nachrichten.c[name] for name in NACHRICHT_FIELDS)
ZUSTELLUNG_COLUMNS = tuple(zustellungen.c[name] for name in ZUSTELLUNG_FIELDS)

_OF_SEVERAL = select(*ZUSTELLUNG_COLUMNS).order_by(zustellungen.c.nachricht_id, zustellungen.c.position)
_OF_ONE = _OF_SEVERAL.where(zustellungen.c.nachricht_id == bindparam("owner"))


def nachricht(row: Row[Any]) -> NachrichtRecord:
    """The record in a row that holds all its columns (and possibly more)."""
    values = row._mapping
    given = {name: values[name] for name in NACHRICHT_FIELDS}
    given["state"] = NachrichtState(given["state"])
    given["vorgang_place"] = Place(given["vorgang_place"])
    return NachrichtRecord(**given)


def claim(row: Row[Any], zustellungen_of_it: tuple[ZustellungRecord, ...]) -> Claim:
    """What the row says of its lease, held or not, with its Zustellungen."""
    end = ChainEnd(row.chain_length, row.chain_digest)
    return Claim(nachricht(row), zustellungen_of_it, row.lease_token, row.lease_owner or "", end)


def zustellung(row: Row[Any]) -> ZustellungRecord:
    """The record in a row of exactly `ZUSTELLUNG_COLUMNS`."""
    given = dict(zip(ZUSTELLUNG_FIELDS, row, strict=True))
    given["state"] = ZustellungState(given["state"])
    return ZustellungRecord(**given)


def zustellungen_of_one(tx: Connection, nachricht_id: str) -> tuple[ZustellungRecord, ...]:
    """The Zustellungen of one Nachricht in the order they were planned."""
    return tuple(zustellung(row) for row in tx.execute(_OF_ONE, {"owner": nachricht_id}))


def zustellungen_of(tx: Connection, nachricht_ids: Iterable[str]) -> dict[str, tuple[ZustellungRecord, ...]]:
    """The Zustellungen of several Nachrichten, each in the order they were planned."""
    found: dict[str, list[ZustellungRecord]] = {nachricht_id: [] for nachricht_id in nachricht_ids}
    if found:
        statement = _OF_SEVERAL.where(zustellungen.c.nachricht_id.in_(list(found)))
        for row in tx.execute(statement):
            record = zustellung(row)
            found[record.nachricht_id].append(record)
    return {nachricht_id: tuple(records) for nachricht_id, records in found.items()}
