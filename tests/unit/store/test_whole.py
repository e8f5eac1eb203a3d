"""A transaction that others were in the way of is begun anew as a whole; one that the database refuses is healed by time."""

from __future__ import annotations

import ast
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

import intermediary.store
from intermediary.core.faults import Transient
from intermediary.store.database import Collision, Database, whole
from intermediary.testing.postgres import PrivatePostgres
from tests.conformance.store_kit import NOW, Bench, bench_in, claimed, eingang

LOCK = text("SELECT 1 FROM nachrichten WHERE id = :id FOR UPDATE")


@pytest.fixture
def site(tmp_path: Path, postgres: PrivatePostgres) -> Bench:
    """An empty database, not opened yet."""
    return bench_in(tmp_path, postgres.database())


def test_two_that_wait_for_each_other_both_come_through(site: Bench) -> None:
    """A real deadlock: the server breaks one off, and its second attempt finds the way free."""
    store = site.open()
    one, other = (taken.nachricht_id for taken in store.take([eingang("a-1"), eingang("a-2")]))
    gate, attempts = threading.Barrier(2), []

    @whole
    def lock_both(db: Database, first: str, then: str) -> str:
        is_first = not any(done == first for done in attempts)
        attempts.append(first)
        with db.write() as tx:
            tx.execute(LOCK, {"id": first})
            if is_first:
                gate.wait()
            tx.execute(LOCK, {"id": then})
        return first

    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(lock_both, store._db, one, other), pool.submit(lock_both, store._db, other, one)]

        assert {one, other} == {end.result(30) for end in ends}
    assert 2 < len(attempts)
    site.close()


def test_attempts_end() -> None:
    """What never comes through is told as a fault that time heals, after six attempts."""
    attempts = []

    @whole
    def never(number: int) -> None:
        attempts.append(number)
        raise Collision("store.unavailable", where="database")

    with pytest.raises(Transient):
        never(1)
    assert [1] * 6 == attempts


def test_a_commit_that_failed_is_not_repeated_here() -> None:
    """It may have happened: only who asked for it can find its traces."""
    attempts = []

    @whole
    def once() -> None:
        attempts.append(1)
        raise Transient("store.unavailable")

    with pytest.raises(Transient):
        once()
    assert [1] == attempts


def test_every_writing_operation_is_whole() -> None:
    """Who opens a writing transaction says that it may be begun anew."""
    forgotten = [
        f"{file.name}:{function.lineno} {function.name}"
        for file in sorted(Path(intermediary.store.__path__[0]).glob("*.py"))
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        and any(ast.unparse(one) == "db.write()" for one in ast.walk(function) if isinstance(one, ast.Call))
        and "whole" not in [ast.unparse(one) for one in function.decorator_list]
    ]

    assert [] == forgotten


def test_a_database_that_takes_no_writes_is_healed_by_time(site: Bench, postgres: PrivatePostgres) -> None:
    """Nothing is taken while it is read only, reading goes on, and the same object writes as soon as it is healed (F7)."""
    store = site.open()
    claim = claimed(store)
    database = site.url.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    postgres.disconnect(database)

    for change in (lambda: store.take([eingang("b-1")]), lambda: store.extend(claim, NOW)):
        with pytest.raises(Transient):
            change()
    assert [claim.nachricht.id] == [record.id for record in store.find()]
    postgres.execute(f"ALTER DATABASE {database} RESET ALL")
    postgres.disconnect(database)

    assert "new" == store.take([eingang("b-1")])[0].outcome
    store.release(claim, NOW)
    site.close()


def test_a_statement_that_takes_too_long_is_healed_by_time(site: Bench) -> None:
    """A limit of the operator, set in the URL, ends a wait; nothing is left behind (F7)."""
    holder = site.open()
    store = Bench(site.data, site.keys, f"{site.url}?options=-c%20statement_timeout%3D50").open()
    with holder._db.write() as tx:
        tx.execute(text("LOCK TABLE nachrichten"))

        with pytest.raises(Transient):
            store.take([eingang("b-1")])

    assert "new" == store.take([eingang("b-1")])[0].outcome
    assert [] == list((site.data / "blobs/incoming").iterdir())
    store.close()
    site.close()


def test_too_many_connections_are_healed_by_time(site: Bench, postgres: PrivatePostgres) -> None:
    """A server without a free place answers again when one is free (F7)."""
    store = site.open()
    database = site.url.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {database} CONNECTION LIMIT 0")
    postgres.execute("CREATE ROLE guest LOGIN")
    for table in ("nachrichten", "data_keys", "intake_keys", "audit_events", "meta"):
        postgres.execute(f"GRANT ALL ON {table} TO guest", database=database)
    guest = Bench(site.data, site.keys, site.url.replace("intermediary@", "guest@"))

    with pytest.raises(Transient):
        guest.open()
    postgres.execute(f"ALTER DATABASE {database} CONNECTION LIMIT 10")

    assert [] == list(store.find())
    site.close()
