"""Looks into a store without opening it for work: nothing is created, migrated, noted or cleared away; for `doctor`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.exc import DBAPIError

from intermediary.audit.sealer import Head
from intermediary.core.faults import Transient
from intermediary.keys.wrap import MandantKeys
from intermediary.store.demands import Demands, remembered
from intermediary.store.installation import check_installation, check_keks
from intermediary.store.migrate import is_empty, is_outdated
from intermediary.store.open import dialect_of
from intermediary.store.tables import audit_heads, nachrichten, targets
from intermediary.store.targets import Standing, standing

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen: how many Nachrichten, all signed heads, and whether the next start will migrate the database.

    `demands`: what needs a second person, whatever the configuration says.
    """

    nachrichten: int
    heads: tuple[Head, ...]
    is_outdated: bool
    demands: Demands


def look_into_store(*, data: Path, installation: uuid.UUID, keys: MandantKeys, url: str = "") -> Look | None:
    """The store under `data` (or at `url`) as it is; None when none was made yet.

    Raises what `open_store` would (`store.installation.differs`, `store.version.unknown`, `key.unavailable`), OSError
    when the files cannot be opened, and `Transient("store.unavailable")` when the database cannot be read.
    """
    return _seen(data, url, lambda connection: _look(connection, installation, keys))


def is_begun(*, data: Path, url: str = "") -> bool:
    """Whether a store was made here; makes none. `Transient("store.unavailable")` when the database cannot be read."""
    return _seen(data, url, lambda tx: not is_empty(tx)) or False


def look_at_targets(*, data: Path, url: str = "") -> Standing | None:
    """How all targets stand; None when no store was made yet, or one without them. Raises like `look_into_store`."""
    return _seen(data, url, lambda tx: standing(tx) if inspect(tx).has_table(targets.name) else None)


def _seen(data: Path, url: str, see: Callable[[Connection], T]) -> T | None:
    dialect = dialect_of(data, url)
    if not dialect.exists():
        return None
    engine = dialect.engine()
    try:
        with dialect.reading(engine) as connection:
            return see(connection)
    except DBAPIError as failure:
        raise Transient("store.unavailable", where=dialect.place) from failure
    finally:
        engine.dispose()


def _look(tx: Connection, installation: uuid.UUID, keys: MandantKeys) -> Look | None:
    if is_empty(tx):
        return None
    outdated = is_outdated(tx)
    check_installation(tx, installation)
    check_keks(tx, keys)
    lines = tx.scalars(select(audit_heads.c.line).order_by(audit_heads.c.size)).all()
    count = tx.execute(select(func.count()).select_from(nachrichten)).scalar_one()
    return Look(count, tuple(Head.parse(line) for line in lines), is_outdated=outdated, demands=remembered(tx))
