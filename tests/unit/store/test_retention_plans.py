"""However many Nachrichten have been erased, what is due is found by indexes that hold only what is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from intermediary.core.retention import Rule
from intermediary.core.states import NachrichtState
from intermediary.store import Store
from intermediary.store.retention import Group
from tests.conformance.store_kit import MANDANTEN, NOW, bench_in

GROUP = Group(MANDANTEN[0], "bauantrag", NachrichtState.COMPLETED)
RULE = Rule(NachrichtState.COMPLETED, 30)

QUESTIONS = {
    "groups": (lambda s: list(s.retention.groups()), "ix_nachrichten_kept"),
    "what is due": (lambda s: s.retention.erase(GROUP, RULE, now=NOW), "ix_nachrichten_kept"),
    "the next of them": (lambda s: s.retention.erase(GROUP, RULE, now=NOW, after=(NOW, "a")), "ix_nachrichten_kept"),
    "how many are due": (lambda s: s.retention.count(GROUP, NOW), "ix_nachrichten_kept"),
    "left-overs": (lambda s: s.retention.clear_left_overs(), "ix_nachrichten_leftover"),
    "held ones": (lambda s: list(s.retention.holds.single()), "ix_nachrichten_held"),
    "old message ids": (lambda s: s.retention.forget_message_ids(NOW, now=NOW), "ix_intake_keys_taken"),
    "old search keys": (lambda s: s.retention.forget_search_keys(NOW, now=NOW), "ix_nachrichten_received"),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store on SQLite."""
    bench = bench_in(tmp_path)
    yield bench.open()
    bench.close()


@pytest.mark.parametrize(("ask", "index"), QUESTIONS.values(), ids=QUESTIONS)
def test_what_is_due_is_found_by_an_index(store: Store, ask: Any, index: str) -> None:
    """The plan of the statement names the index, and no table is gone through or sorted."""
    asked: list[tuple[str, Any]] = []
    engine = store.retention._db.engine
    event.listen(engine, "before_cursor_execute", lambda _c, _cu, text, given, *_: asked.append((text, given)))
    ask(store)
    about = [(text, given) for text, given in asked if text.startswith("SELECT") and "meta" not in text]
    text, given = next((text, given) for text, given in about if "nachrichten" in text or "intake_keys" in text)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given).all()
    plan = " | ".join(str(row[3]) for row in rows)

    assert index in plan
    assert "SCAN nachrichten |" not in f"{plan} |"
    assert "TEMP B-TREE" not in plan


def test_a_reader_in_the_way_keeps_nobody_waiting(store: Store) -> None:
    """The journal is emptied as soon as nobody reads what is in it; until then the answer is no, at once."""
    database = store.retention._db
    with database.read() as tx:
        tx.exec_driver_sql("SELECT count(*) FROM meta").all()
        store.retention.holds.hold_all(MANDANTEN[0], "", actor="a.adler", reason="Prüfung", now=NOW)

        assert not store.retention.tidy()
    assert store.retention.tidy()
    with database.read() as tx:
        assert 30_000 == tx.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
