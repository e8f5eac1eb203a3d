"""One open database and what belongs to it: the only way into a transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from intermediary.core.faults import Transient
from intermediary.keys.wrap import MandantKeys
from intermediary.store.blobs import Blobs
from intermediary.store.dialects import Dialect


@dataclass(frozen=True, slots=True)
class Database:
    """What every operation of the store is given."""

    engine: Engine
    dialect: Dialect
    blobs: Blobs
    keys: MandantKeys
    installation: uuid.UUID
    lease: timedelta

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A writing transaction, committed at the end; `Transient("store.unavailable")` when there is no answer.

        After that fault the change may or may not have happened, if it was the commit that failed: callers repeat what
        they wanted, and every operation finds its own traces.
        """
        with translated(), self.dialect.writing(self.engine) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A reading transaction: one moment, however long it lasts."""
        with translated(), self.dialect.reading(self.engine) as connection:
            yield connection


@contextmanager
def translated() -> Iterator[None]:
    """What the engine says when it is away, busy or in a deadlock becomes `Transient("store.unavailable")`."""
    try:
        yield
    except (OperationalError, PoolExhausted) as failure:
        raise Transient("store.unavailable", where="database") from failure
    except DBAPIError as failure:
        if failure.connection_invalidated:
            raise Transient("store.unavailable", where="database") from failure
        raise
