"""Any engine: a sign of life, the time that processes share, and what moves when a person sets it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intermediary.core.clock import Memory
from intermediary.core.decide import Decision
from intermediary.core.faults import Transient
from intermediary.store import Store
from intermediary.store.columns import Moment
from intermediary.store.pulse import MOVING, STAYING, feel_store
from intermediary.store.tables import METADATA
from intermediary.testing.postgres import PrivatePostgres
from tests.conformance.store_kit import (
    LEASE,
    MANDANTEN,
    NOW,
    OUTPUT,
    SECOND,
    Bench,
    N,
    Z,
    attempt,
    bench_in,
    claimed,
    eingang,
    key_of,
    parked,
    planned,
)

BOOT, OTHER = "boot-1", "boot-2"
ZERO = NOW - timedelta(days=3)
JUMP = timedelta(days=400)
FIELDS = {"doubt": "jumped", "shift_seconds": 7, "reason": "NTP war aus"}
WAIT = Decision(N.RECEIVED, "store.unavailable", due_at=NOW + timedelta(hours=1))


def test_a_living_store_answers(store: Store, bench: Bench) -> None:
    """PostgreSQL tells the time of its server, SQLite has none of its own."""
    server = store.pulse.feel(BOOT).server

    assert (server is not None) is bool(bench.url)
    if server is not None:
        assert abs(datetime.now(UTC) - server) < timedelta(minutes=10)


def test_nothing_is_remembered_at_first(store: Store) -> None:
    """The newest moment of an old store is that of its last intake."""
    assert Memory() == store.pulse.feel(BOOT).memory
    store.take([eingang("a", at=NOW + SECOND), eingang("b", at=NOW)])

    assert Memory(newest=NOW + SECOND) == store.pulse.feel(BOOT).memory


def test_what_is_remembered_is_shared(bench: Bench) -> None:
    """Processes of one boot get its zero; another boot gets the newest moment anybody has seen."""
    one, other = bench.open(), bench.open()
    one.pulse.remember(BOOT, zero=ZERO, now=NOW)
    one.pulse.remember(BOOT, zero=ZERO + SECOND, now=NOW + SECOND)

    assert Memory(zero=ZERO + SECOND, newest=NOW + SECOND) == other.pulse.feel(BOOT).memory
    assert Memory(newest=NOW + SECOND) == other.pulse.feel(OTHER).memory


def test_boots_long_past_are_forgotten(store: Store) -> None:
    """A host that starts every day leaves no list of all its days."""
    store.pulse.remember(BOOT, zero=ZERO, now=NOW)
    store.pulse.remember(OTHER, zero=ZERO, now=NOW + timedelta(days=91))

    assert store.pulse.feel(BOOT).memory.zero is None
    assert ZERO == store.pulse.feel(OTHER).memory.zero


def test_the_waiting_are_counted_by_mandant(store: Store) -> None:
    """What the machine still has to do counts; parked and finished does not."""
    for number in range(3):
        store.take([eingang(f"a-{number}")])
    store.take([eingang("b", mandant=MANDANTEN[1])])
    parked(store, message_id="halt")

    assert {MANDANTEN[0]: 3, MANDANTEN[1]: 1} == store.pulse.waiting()


@pytest.mark.parametrize("jump", [JUMP, -JUMP])
def test_everything_open_moves_with_the_time(store: Store, jump: timedelta) -> None:
    """After a jump was accepted what was due in an hour is due in an hour, and a deadline is as far away as before."""
    waiting = claimed(store, "wartet")
    store.wait(waiting, WAIT, NOW)
    held = planned(store, message_id="in-arbeit")
    stopped = parked(store, message_id="halt").nachricht
    moved = store.pulse.set_time(BOOT, zero=ZERO + jump, shift=jump, now=NOW + jump, actor="anna", fields=FIELDS)
    record, other = store.get(waiting.nachricht.id), store.get(held.nachricht.id)

    assert 3 == moved  # the parked one was claimed by a person, and its lease moves
    assert WAIT.due_at is not None
    assert (WAIT.due_at + jump, NOW + jump, NOW) == (record.due_at, record.since, record.received_at)
    assert [NOW + jump] == [one.due_at for one in store.zustellungen(other.id)]
    assert store.get(stopped.id).due_at is None
    assert Memory(zero=ZERO + jump, newest=NOW + jump) == store.pulse.feel(BOOT).memory


@pytest.mark.parametrize("jump", [JUMP, -JUMP])
def test_a_lease_is_neither_stolen_nor_eternal(store: Store, jump: timedelta) -> None:
    """The holder goes on under the same token; when it dies the lease ends as long after the jump as before it."""
    claim = planned(store)
    store.pulse.set_time(BOOT, zero=ZERO + jump, shift=jump, now=NOW + jump, actor="", fields=FIELDS)
    now = NOW + jump
    assert [] == store.claim_suspect("w2", now + LEASE - SECOND)
    claim = attempt(store, claim, Decision(Z.DELIVERED), now=now)

    assert [Z.DELIVERED] == [one.state for one in claim.zustellungen]
    claim = store.extend(claim, now)
    (taken,) = store.claim_suspect("w2", now + LEASE)
    assert claim.nachricht.id == taken.nachricht.id


def test_every_moment_has_its_place() -> None:
    """Whoever adds a column says whether it moves when a person sets the time, or stays as evidence."""
    found = {
        (table, column.name)
        for table in METADATA.sorted_tables
        for column in table.c
        if isinstance(column.type, Moment)
    }
    moving, staying = ({(table, name) for table, names in one.items() for name in names} for one in (MOVING, STAYING))

    assert set() == moving & staying
    assert {(table.name, name) for table, name in found} == {(table.name, name) for table, name in moving | staying}


def test_setting_the_time_is_audited_and_heard_elsewhere(bench: Bench) -> None:
    """Who, why, by how much; other hosts have to take the time up anew, from the moment that was accepted."""
    store = bench.open()
    store.pulse.remember(OTHER, zero=ZERO, now=NOW)
    claim = planned(store)
    store.intend(claim, key_of(claim), OUTPUT, NOW)
    store.pulse.set_time(BOOT, zero=ZERO, shift=7 * SECOND, now=NOW + 7 * SECOND, actor="anna", fields=FIELDS)
    event = store.events_of_installation()[-1].event

    assert ("clock.accepted", "anna") == (event.name, event.actor)
    assert {**FIELDS, "moved": 1} == event.fields
    assert Memory(newest=NOW + 7 * SECOND) == store.pulse.feel(OTHER).memory


def test_looking_makes_no_store(tmp_path: Path, bench: Bench) -> None:
    """`doctor` asks for the time of a store that was never made, and makes none."""
    if bench.url:
        assert feel_store(bench.data, bench.url, BOOT) is None
    assert feel_store(tmp_path / "nowhere", "", BOOT) is None
    assert not (tmp_path / "nowhere").exists()
    bench.open().pulse.remember(BOOT, zero=ZERO, now=NOW)
    beat = feel_store(bench.data, bench.url, BOOT)

    assert beat is not None
    assert ZERO == beat.memory.zero


def test_a_server_that_takes_no_writes_is_away(tmp_path: Path, postgres: PrivatePostgres) -> None:
    """Read-only after a failover: whoever would take gets `store.unavailable` before he has taken (F7)."""
    url = postgres.database()
    bench = bench_in(tmp_path, url)
    store = bench.open()
    assert store.pulse.feel(BOOT)
    name = url.rpartition("/")[2]
    postgres.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    postgres.disconnect(name)

    with pytest.raises(Transient, match=r"store\.unavailable"):
        _until_away(store)
    postgres.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    postgres.disconnect(name)
    _until_back(store)
    bench.close()


def _until_away(store: Store) -> None:
    """Connections of before the change may still be in the pool."""
    for _ in range(20):
        store.pulse.feel(BOOT)


def _until_back(store: Store) -> None:
    for _ in range(20):
        try:
            store.pulse.feel(BOOT)
        except Transient:
            continue
        return
    raise AssertionError("it does not come back")
