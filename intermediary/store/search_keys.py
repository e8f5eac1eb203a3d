"""What a Nachricht can be found by besides its ids: LeikaId and business keys, kept only as keyed hashes (DESIGN §2.2)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Select, insert, select

from intermediary.store.database import Database
from intermediary.store.tables import search_keys


def write_search_keys(
    db: Database, tx: Connection, *, nachricht_id: str, mandant: str, keys: Mapping[str, str]
) -> None:
    """The search keys of a Nachricht that has none yet; empty values are left out."""
    rows = [
        {"nachricht_id": nachricht_id, "name": name, "value_hash": db.keys.index_hash(mandant, _marked(value))}
        for name, value in keys.items()
        if value.strip()
    ]
    if rows:
        tx.execute(insert(search_keys), rows)


def having(db: Database, value: str, *, mandanten: Iterable[str]) -> Select[tuple[str]]:
    """The ids of all Nachrichten of these Mandanten that have the value under any name."""
    hashes = hashes_of(db, value, mandanten=mandanten)
    return select(search_keys.c.nachricht_id).where(search_keys.c.value_hash.in_(hashes))


def hashes_of(db: Database, value: str, *, mandanten: Iterable[str]) -> list[str]:
    """The keyed hashes that a value rests under with these Mandanten."""
    return [one for mandant in mandanten for one in db.keys.index_hashes(mandant, _marked(value))]


def _marked(value: str) -> str:
    """People type keys with other capitals and blanks; the mark keeps these hashes apart from those of message ids."""
    return "search\n" + " ".join(unicodedata.normalize("NFKC", value).casefold().split())
