"""What a Nachricht can be found by besides its ids: LeikaId and business keys, kept only as keyed hashes (DESIGN §2.2)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select

from intermediary.store.database import Database
from intermediary.store.newest import BY_MOMENT, Way
from intermediary.store.records import NachrichtRecord
from intermediary.store.tables import nachrichten, search_keys

_K = search_keys.c


def search_rows(db: Database, nachricht: NachrichtRecord, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """The search keys of a Nachricht that has none yet, as they rest; empty values are left out."""
    return [
        {
            "nachricht_id": nachricht.id,
            "name": name,
            "value_hash": db.keys.index_hash(nachricht.mandant, _marked(value)),
            "received_at": nachricht.received_at,
        }
        for name, value in keys.items()
        if value.strip()
    ]


def having(hashes: Sequence[str]) -> Select[tuple[str]]:
    """The ids of all Nachrichten with something that rests under these hashes."""
    return select(_K.nachricht_id).where(_K.value_hash.in_(hashes))


def ways_to(hashes: Sequence[str]) -> list[Way]:
    """What rests under these hashes: the newest of each stand first in the index, however many there are.

    Rows of a program that did not know `received_at` are sorted when they are asked for: what it wrote during an upgrade.
    """
    its = _K.nachricht_id == nachrichten.c.id
    known = [
        Way(_K.received_at, _K.nachricht_id, (_K.received_at.is_not(None), _K.value_hash == one), (its,))
        for one in hashes
    ]
    unknown = (its, _K.received_at.is_(None), _K.value_hash.in_(hashes))
    return [*known, Way(BY_MOMENT.at, BY_MOMENT.id, unknown)]


def hashes_of(db: Database, value: str, *, mandanten: Iterable[str]) -> list[str]:
    """The keyed hashes that a value rests under with these Mandanten."""
    return [one for mandant in mandanten for one in db.keys.index_hashes(mandant, _marked(value))]


def _marked(value: str) -> str:
    """People type keys with other capitals and blanks; the mark keeps these hashes apart from those of message ids."""
    return "search\n" + " ".join(unicodedata.normalize("NFKC", value).casefold().split())
