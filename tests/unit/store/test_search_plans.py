"""However many Nachrichten share a key, the newest of them are found by an index that begins with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from intermediary.core.states import NachrichtState
from intermediary.store import Store
from intermediary.testing.postgres import PrivatePostgres
from tests.conformance.store_kit import MANDANTEN, NOW, SECOND, TARGET, bench_in, eingang

KEY = "99012013001000"
LAST = NOW + 19 * SECOND

QUESTIONS: dict[str, dict[str, Any]] = {
    "a key": {},
    "of a Mandant": {"mandant": MANDANTEN[0]},
    "of a route": {"route": "r"},
    "in a common state": {"state": NachrichtState.PLANNED},
    "of a time": {"since": NOW, "until": LAST},
    "the next page": {"after": "last"},
}


def filled(store: Store) -> str:
    """Twenty with one key; the id of the newest."""
    for number in range(20):
        at = NOW + number * SECOND
        [taken] = store.take([eingang(f"a-{number}", at=at)])
        claim = store.claim_one(taken.nachricht_id, "w1", at)
        store.plan(claim, route="r", pins={}, plan={}, targets=[TARGET], search_keys={"leika": KEY}, now=at)
    return taken.nachricht_id


def asked(store: Store, wanted: dict[str, Any]) -> tuple[str, Any]:
    """The statement of a search, as the driver was given it."""
    seen: list[tuple[str, Any]] = []
    event.listen(store._db.engine, "before_cursor_execute", lambda _c, _cu, text, given, *_: seen.append((text, given)))
    assert list(store.find(search_key=KEY, limit=10, **wanted))
    return next((text, given) for text, given in seen if "search_keys" in text)


def plan(store: Store, explain: str, question: tuple[str, Any]) -> str:
    text, given = question
    with store._db.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"{explain} {text}", given).all()
    return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize("wanted", QUESTIONS.values(), ids=QUESTIONS)
def test_on_sqlite(tmp_path: Path, wanted: dict[str, Any]) -> None:
    """Nothing is gone through; only what an older program wrote is sorted."""
    bench = bench_in(tmp_path)
    store = bench.open()
    last = filled(store)
    found = plan(
        store, "EXPLAIN QUERY PLAN", asked(store, {**wanted, **({"after": last} if "after" in wanted else {})})
    )
    bench.close()

    ways = [part.partition("\nSCAN anon")[0] for part in found.split("CO-ROUTINE")[1:]]
    assert all("ix_search_keys_newest (value_hash=?" in way and "SCAN" not in way for way in ways)
    sorted_ones = [way for way in ways if "TEMP B-TREE" in way]
    assert 1 == len(sorted_ones) < len(ways)
    assert "received_at=?" in sorted_ones[0]


@pytest.mark.parametrize("wanted", QUESTIONS.values(), ids=QUESTIONS)
def test_on_postgresql(tmp_path: Path, postgres: PrivatePostgres, wanted: dict[str, Any]) -> None:
    """The same where the server believes that there are a million."""
    bench = bench_in(tmp_path, postgres.database())
    store = bench.open()
    last = filled(store)
    many = "UPDATE pg_class SET relpages = 1, reltuples = 1000000 WHERE relname IN ('nachrichten', 'search_keys')"
    postgres.execute(f"ANALYZE nachrichten, search_keys; {many}", database=bench.url.rpartition("/")[2])
    found = plan(store, "EXPLAIN", asked(store, {**wanted, **({"after": last} if "after" in wanted else {})}))
    bench.close()

    assert "Scan Backward using ix_search_keys_newest" in found
    assert "Seq Scan" not in found
    assert "Hash" not in found
