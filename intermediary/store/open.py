"""Opens the store of an installation: directories, database, migrations, left-overs of unfinished intakes."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from intermediary.keys.wrap import MandantKeys
from intermediary.store.blobs import Blobs
from intermediary.store.database import Database, translated, whole
from intermediary.store.dialects import Dialect, Postgres, Sqlite
from intermediary.store.doubt import read_doubt
from intermediary.store.fair import Fair, Share
from intermediary.store.installation import remember_installation, remember_keks
from intermediary.store.migrate import migrate
from intermediary.store.store import Store
from intermediary.store.tables import nachrichten


def open_store(
    *,
    data: Path,
    installation: uuid.UUID,
    keys: MandantKeys,
    lease: timedelta = timedelta(seconds=120),
    url: str = "",
    shares: Mapping[str, Share] | None = None,
) -> Store:
    """The store under `data` (made private on first use), brought to the present schema.

    Safe to call from several processes at once. `lease` is what claims get that name none. `shares` are those of Mandanten
    that are not all alike. With `url` the rows are in
    that PostgreSQL database and only the wrapped payloads under `data`; several hosts then share both.
    `Misconfigured("store.installation.differs")` when the data belongs to another installation id,
    `("store.version.unknown")` when a newer program wrote it, `("key.unavailable")` when data keys in it rest under a
    KEK that is not among `keys`.
    """
    return Store(open_database(data=data, installation=installation, keys=keys, lease=lease, url=url, shares=shares))


def open_database(
    *,
    data: Path,
    installation: uuid.UUID,
    keys: MandantKeys,
    lease: timedelta = timedelta(seconds=120),
    url: str = "",
    shares: Mapping[str, Share] | None = None,
) -> Database:
    """The same for who works on the rows as a whole; raises like `open_store`."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    data.chmod(0o700)
    dialect = dialect_of(data, url)
    engine = dialect.engine()
    try:
        with translated():
            migrate(engine, dialect)
        db = Database(
            engine=engine,
            dialect=dialect,
            blobs=Blobs(data / "blobs"),
            keys=keys,
            installation=installation,
            lease=lease,
            bell=dialect.bell(engine),
            fair=Fair({name: Share() for name in keys.mandanten()} | dict(shares or {})),
        )
        _remember(db)
        with db.read() as tx:
            db = replace(db, doubt=read_doubt(tx))
        db.blobs.recover(lambda names: _with_row(db, names))
    except BaseException:
        engine.dispose()
        raise
    return db


@whole
def _remember(db: Database) -> None:
    with db.write() as tx:
        db.dialect.queue_for(tx, ["installation"])
        remember_installation(tx, db.installation)
        remember_keks(tx, db.keys)


def dialect_of(data: Path, url: str) -> Dialect:
    """The engine of an installation: PostgreSQL where a URL says so, otherwise a file under `data`."""
    return Postgres(url) if url else Sqlite(data / "store.db")


def _with_row(db: Database, names: Collection[str]) -> Collection[str]:
    ids = [name.partition(".")[0] for name in names]
    found: set[str] = set()
    with db.read() as tx:
        for start in range(0, len(ids), 500):
            chosen = select(nachrichten.c.blob).where(nachrichten.c.id.in_(ids[start : start + 500]))
            found.update(tx.scalars(chosen))
    return found
