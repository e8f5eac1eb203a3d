"""One open database and what belongs to it: the only way into a transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from intermediary.core.faults import Transient
from intermediary.keys.wrap import MandantKeys
from intermediary.store.bell import Bell
from intermediary.store.blobs import Blobs
from intermediary.store.dialects import Dialect
from intermediary.store.doubt import Doubt
from intermediary.store.fair import Fair

RUNG = "intermediary.rung"
"""Set in a connection's `info` by who made something due for somebody else: the bell is rung after the commit."""

_ATTEMPTS = 6
_BROKEN_OFF = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: what PostgreSQL asks to repeat."""

_REFUSED = frozenset({"25006", "42501", "42P01"})
"""The database takes no writes, or not from us: no primary yet, a grant that is missing, moved elsewhere under our feet."""

_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Database:
    """What every operation of the store is given; `doubt` is what the last restore left."""

    engine: Engine
    dialect: Dialect
    blobs: Blobs
    keys: MandantKeys
    installation: uuid.UUID
    lease: timedelta
    bell: Bell
    fair: Fair = field(default_factory=lambda: Fair({}))
    doubt: Doubt | None = None

    @contextmanager
    def write(self, *, lasting: bool = True) -> Iterator[Connection]:
        """A writing transaction, committed at the end; `Transient("store.unavailable")` when there is no answer.

        Not `lasting`: others see it at once, but the loss of the machine may undo it, until a lasting commit follows. For
        what nobody is told and nothing outside follows from, or what is the same when it is done once more.

        After that fault the change may or may not have happened, if it was the commit that failed: callers repeat what
        they wanted, and every operation finds its own traces.
        """
        is_rung = False
        with translated(), self.dialect.writing(self.engine, lasting=lasting) as connection:
            connection.info.pop(RUNG, None)
            yield connection
            is_rung = connection.info.pop(RUNG, False)
        if is_rung:
            self.bell.ring()

    @contextmanager
    def read(self, *, varied: bool = False) -> Iterator[Connection]:
        """A reading transaction: one moment, however long it lasts.

        `varied` is for questions that lead to a few rows or to millions, as the values in them are: the engine is kept from
        answering one by the plan of another.
        """
        with translated(), self.dialect.reading(self.engine, varied=varied) as connection:
            yield connection

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """For one statement that reads, where it is one of many per second."""
        with translated(), self.dialect.glancing(self.engine) as connection:
            yield connection

    def close(self) -> None:
        """Close all connections and folders."""
        self.bell.close()
        self.engine.dispose()
        self.blobs.close()


class Collision(Transient):
    """Others were in the way, a deadlock for example: the transaction was rolled back, and certainly nothing happened."""


def whole(operation: Callable[_Asked, _Answer]) -> Callable[_Asked, _Answer]:
    """For an operation whose only effect is one writing transaction: begun anew when others were in its way.

    It is called again with the same arguments, at most `_ATTEMPTS` times within about a second, and reads everything anew.
    After that the fault is the caller's, as `Transient("store.unavailable")`. A commit that failed is never repeated here:
    it may have happened, and only the caller's own repetition finds its traces.
    """

    @wraps(operation)
    def repeated(*asked: _Asked.args, **named: _Asked.kwargs) -> _Answer:
        try:
            return operation(*asked, **named)
        except Collision:
            return _later()(operation, *asked, **named)

    return repeated


def _later() -> Retrying:
    """Waits at random before each attempt, so that two who met do not meet again."""
    wait = wait_random_exponential(multiplier=0.02, max=0.5)
    return Retrying(
        retry=retry_if_exception_type(Collision), stop=stop_after_attempt(_ATTEMPTS - 1), wait=wait, reraise=True
    )


@contextmanager
def translated() -> Iterator[None]:
    """What the engine says when it is away, busy or in a deadlock becomes `Transient("store.unavailable")`."""
    try:
        yield
    except DBAPIError as failure:
        state = getattr(failure.orig, "sqlstate", None)
        if state in _BROKEN_OFF:
            raise Collision("store.unavailable", where="database") from failure
        if isinstance(failure, OperationalError) or failure.connection_invalidated or state in _REFUSED:
            raise Transient("store.unavailable", where="database") from failure
        raise
    except PoolExhausted as failure:
        raise Transient("store.unavailable", where="database") from failure
