"""What only PostgreSQL has to prove: many writers at a time, in many processes, on rows that do not exist yet."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Misconfigured, Transient
from intermediary.store import dialects
from intermediary.store.dialects import Postgres
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.servers import free_ports
from tests.conformance.store_kit import LEASE, NOW, Bench, bench_in, eingang

AT_ONCE = 8


@pytest.fixture
def site(tmp_path: Path, postgres: PrivatePostgres) -> Bench:
    """An empty database, not opened yet."""
    return bench_in(tmp_path, postgres.database())


def all_at_once(count: int, work):
    """Run it in so many threads that all begin together; what each gave."""
    gate = threading.Barrier(count)

    def one(number):
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_first_starts_at_once_make_one_schema(site: Bench) -> None:
    """Several processes may open a new database at the same moment."""
    stores = all_at_once(AT_ONCE, lambda _: site.open())

    assert [[]] * AT_ONCE == [list(store.find()) for store in stores]
    site.close()


def test_one_sendung_taken_by_many_doors_is_one_nachricht(site: Bench) -> None:
    """Whoever comes second hears that it is a duplicate, and the events say how often (G13)."""
    stores = [site.open() for _ in range(AT_ONCE)]

    answers = all_at_once(AT_ONCE, lambda number: stores[number].take([eingang("a-1")])[0])

    assert Counter(answer.outcome for answer in answers) == {"new": 1, "duplicate": AT_ONCE - 1}
    (nachricht,) = stores[0].find()
    assert AT_ONCE == len(stores[0].events(nachricht.id))
    assert 1 == len([path for path in (site.data / "blobs").rglob("*.*") if path.name != "intake.lock"])
    site.close()


def test_one_message_id_with_many_contents_is_a_conflict(site: Bench) -> None:
    """Of different contents under one id at the same moment exactly one is new."""
    stores = [site.open() for _ in range(AT_ONCE)]

    answers = all_at_once(AT_ONCE, lambda n: stores[n].take([eingang("a-1", f"<A{n}/>".encode())])[0])

    assert Counter(answer.outcome for answer in answers) == {"new": 1, "conflict": AT_ONCE - 1}
    site.close()


def test_batches_in_any_order_do_not_block_each_other(site: Bench) -> None:
    """Doors that take the same Sendungen in opposite order wait for each other, but never in a circle."""
    stores = [site.open() for _ in range(4)]
    batch = [eingang(f"a-{number}") for number in range(30)]

    all_at_once(4, lambda number: stores[number].take(batch if number % 2 else batch[::-1]))

    assert 30 == len(list(stores[0].find()))
    site.close()


def test_no_nachricht_is_claimed_twice(site: Bench) -> None:
    """Workers that ask at the same moment share what is due and get nothing another one has."""
    stores = [site.open() for _ in range(AT_ONCE)]
    stores[0].take([eingang(f"a-{number}") for number in range(60)])

    claims = all_at_once(AT_ONCE, lambda n: stores[n].claim(f"w{n}", NOW, LEASE, limit=20))

    claimed = Counter(claim.nachricht.id for share in claims for claim in share)
    assert set(claimed.values()) == {1}
    rest = [claim.nachricht.id for claim in stores[0].claim("rest", NOW, LEASE, limit=60)]
    assert 60 == len(claimed) + len(rest)
    site.close()


def test_a_claim_is_not_planned_anew_each_time(site: Bench, postgres: PrivatePostgres) -> None:
    """Among millions of rows the server keeps its plan too: the statement says how few are wanted."""
    store = site.open()
    store.take([eingang(f"a-{number}") for number in range(20)])
    done = "UPDATE nachrichten SET due_at = NULL; ANALYZE nachrichten"
    many = "UPDATE pg_class SET relpages = 1, reltuples = 1000000 WHERE relname = 'nachrichten'"
    postgres.execute(f"{done}; {many}", database=site.url.rpartition("/")[2])
    for _ in range(20):
        store.claim("w1", NOW)

    with store._db.engine.connect() as connection:
        asked = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%SKIP LOCKED%'"
        [(kept, made)] = connection.execute(text(asked)).all()
    assert (10, 5) == (kept, made)
    site.close()


def test_what_is_worked_on_is_cleaned_often(site: Bench, postgres: PrivatePostgres) -> None:
    """Claims step over what was done since the last VACUUM: that stays a hundredth of what is stored, in indexes too."""
    site.open()
    found = postgres.execute(
        "SELECT relname FROM pg_class WHERE reloptions @> "
        "ARRAY['autovacuum_vacuum_scale_factor=0.01', 'vacuum_index_cleanup=on'] ORDER BY 1",
        database=site.url.rpartition("/")[2],
    )

    assert ["audit_events", "nachrichten", "zustellungen"] == found.split()
    site.close()


def test_a_search_is_planned_for_its_value(site: Bench) -> None:
    """A key that one Nachricht has and a key that all have are not found in the same way, however often is asked."""
    store = site.open()
    for _ in range(20):
        assert [] == list(store.find(search_key="4711", limit=50))

    with store._db.engine.connect() as connection:
        asked = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%search_keys%'"
        [(kept, made)] = connection.execute(text(asked)).all()
    assert (0, 15) == (kept, made)
    site.close()


def test_sealers_at_once_make_one_log(site: Bench) -> None:
    """Numbers are given once, in order, whoever seals."""
    stores = [site.open() for _ in range(4)]
    stores[0].take([eingang(f"a-{number}") for number in range(40)])

    all_at_once(4, lambda number: stores[number].seal_heads(lambda data: b"s" * 64, NOW))

    with stores[0].audit_snapshot() as moment:
        numbers = [entry.number for entry in moment.entries]
    assert list(range(1, 41)) == sorted(number for number in numbers if number is not None)
    assert 40 == max(head.size for head in stores[0].heads())
    site.close()


def test_indexes_of_what_is_rare_are_partial(site: Bench) -> None:
    """Ten million finished Nachrichten do not stand in the index of what is due."""
    store = site.open()
    with store._db.read() as tx:
        found = {index["name"]: index for index in inspect(tx).get_indexes("nachrichten")}

    assert "due_at IS NOT NULL" in found["ix_nachrichten_due"]["dialect_options"]["postgresql_where"]
    site.close()


def test_a_database_that_is_away_is_healed_by_time(tmp_path: Path) -> None:
    """Nobody listens: the answer is Transient, names host and database, and keeps the password for itself."""
    (port,) = free_ports(1)
    site = bench_in(tmp_path, f"postgresql://u:geheim@127.0.0.1:{port}/x")

    with pytest.raises(Transient) as fault:
        site.open()

    assert "geheim" not in str(fault.value)
    assert "geheim" not in Postgres(site.url).place


def test_a_url_that_is_none_is_the_operators(tmp_path: Path) -> None:
    """A file with something else in it is a configuration fault without the file's content."""
    with pytest.raises(Misconfigured) as fault:
        Postgres("geheim")

    assert ("store.url.invalid", "url_file") == (fault.value.code, fault.value.where)


@pytest.mark.parametrize("url", ["", "geheim", "mysql://u:geheim@h/x", "postgresql://u:geheim@h/x?sslmod=disable"])
def test_what_libpq_cannot_use_is_told_without_it(url: str) -> None:
    """An option that does not exist is found before the first connection; nothing of the URL is in the fault."""
    with pytest.raises(Misconfigured) as fault:
        Postgres(url).engine()

    assert "store.url.invalid" == fault.value.code
    assert "geheim" not in f"{fault.value!r} {fault.value.__cause__!r} {fault.value.__context__ and fault.value.where}"


def test_options_of_libpq_are_handed_on() -> None:
    """How the connection is protected stands in the URL."""
    engine = Postgres("postgresql://u@h/x?sslmode=verify-full&sslrootcert=/etc/db-ca.pem").engine()

    assert "verify-full" == engine.dialect.create_connect_args(engine.url)[1]["sslmode"]


def test_a_missing_driver_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """psycopg is an extra: without it the operator is told which."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(Misconfigured) as fault:
        Postgres("postgresql://u@h/x").engine()

    assert "store.driver.missing" == fault.value.code
    assert "[postgresql]" in CATALOGUE[fault.value.code].remedy


def test_a_server_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, site: Bench) -> None:
    """Before anything is written into it."""
    monkeypatch.setattr(dialects, "OLDEST_SERVER", 990_000)

    with pytest.raises(Misconfigured) as fault:
        site.open()

    assert "store.server.unfit" == fault.value.code


def test_a_killed_server_comes_back_with_what_was_taken(site: Bench, postgres: PrivatePostgres) -> None:
    """SIGKILL to the server, restart: the same store object goes on, and nothing told is lost (F5)."""
    store = site.open()
    taken = store.take([eingang("a-1")])[0].nachricht_id
    postgres.kill()
    with pytest.raises(Transient):
        store.take([eingang("a-2")])

    postgres.restart()
    later = store.take([eingang("a-2")])[0]

    assert {taken, later.nachricht_id} == {record.id for record in store.find()}
    assert b"<Antrag/>" == store.body(taken).read()
    site.close()
