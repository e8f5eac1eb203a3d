"""What only SQLite has: pragmas, migrations, query plans, and faults of the database file."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from intermediary.core.faults import Misconfigured, Transient
from intermediary.core.states import NachrichtState
from intermediary.core.values import Eingang, MemoryContent
from intermediary.keys.wrap import KekFiles, MandantKeys, create_kek
from intermediary.store import PlannedTarget, Store, migrate, open_store
from intermediary.store.dialects import Sqlite
from intermediary.store.tables import METADATA

NOW = datetime(2026, 11, 21, tzinfo=UTC)
INSTALLATION = uuid.UUID(int=7)


@pytest.fixture
def keys(tmp_path: Path) -> MandantKeys:
    """One Mandant's KEK."""
    create_kek(tmp_path / "m.kek")
    return MandantKeys({"m": KekFiles(tmp_path / "m.kek")})


def _open(data: Path, keys: MandantKeys, installation: uuid.UUID = INSTALLATION) -> Store:
    return open_store(data=data, installation=installation, keys=keys)


def _eingang(message_id: str = "a") -> Eingang:
    return Eingang("m", "c", message_id, "application/xml", NOW, MemoryContent(b"<A/>"))


def test_the_migrations_make_the_tables(tmp_path: Path, keys: MandantKeys) -> None:
    """What the migrations build and what the code believes are the same, column by column."""
    _open(tmp_path / "data", keys).close()
    engine = Sqlite(tmp_path / "data" / "store.db").engine()
    with engine.connect() as connection:
        names = {"schema_version", "alembic_version"}
        mine = {"include_name": lambda name, kind, _: kind != "table" or name not in names}
        differences = compare_metadata(MigrationContext.configure(connection, opts=mine), METADATA)
    engine.dispose()

    assert [] == differences


def test_head_is_the_newest_migration() -> None:
    """The short cut past Alembic knows the newest number."""
    script = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))

    assert migrate.HEAD == script.get_current_head()
    assert {revision.revision for revision in script.walk_revisions()} == migrate.KNOWN


def test_a_newer_database_is_left_alone(tmp_path: Path, keys: MandantKeys) -> None:
    """A program that does not know the schema refuses to start and changes nothing."""
    _open(tmp_path / "data", keys).close()
    with sqlite3.connect(tmp_path / "data" / "store.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    with pytest.raises(Misconfigured, match=r"store\.version\.unknown"):
        _open(tmp_path / "data", keys)


def test_what_a_newer_program_added_is_left_alone(tmp_path: Path, keys: MandantKeys) -> None:
    """In a rolling upgrade the old program goes on starting beside the new one (G15)."""
    _open(tmp_path / "data", keys).close()
    with sqlite3.connect(tmp_path / "data" / "store.db") as connection:
        connection.execute("UPDATE schema_version SET version_num = '9999'")
        connection.execute("ALTER TABLE nachrichten ADD COLUMN later TEXT")
    connection.close()

    store = _open(tmp_path / "data", keys)
    taken = store.take([_eingang()])
    claimed = store.claim("w", NOW)
    store.close()

    assert [one.nachricht_id for one in taken] == [claim.nachricht.id for claim in claimed]
    assert ["0003"] == _versions(tmp_path / "data", "alembic_version")
    assert ["9999"] == _versions(tmp_path / "data", "schema_version")


@pytest.mark.parametrize("level", ["0001", "0002", "0003"])
def test_an_older_database_is_brought_up(tmp_path: Path, keys: MandantKeys, level: str) -> None:
    """A database of a program that knew one version only gets what is missing, and keeps its rows."""
    (tmp_path / "data").mkdir()
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    engine = Sqlite(tmp_path / "data" / "store.db").engine()
    with engine.connect() as connection, connection.begin():
        config.attributes.update(connection=connection, version_table="alembic_version")
        command.upgrade(config, level)
        connection.exec_driver_sql("INSERT INTO meta (name, value) VALUES ('kept', 'yes')")
    engine.dispose()

    _open(tmp_path / "data", keys).close()

    assert [migrate.HEAD] == _versions(tmp_path / "data", "schema_version")
    assert [migrate.LEVEL] == _versions(tmp_path / "data", "alembic_version")
    with sqlite3.connect(tmp_path / "data" / "store.db") as connection:
        assert [("yes",)] == connection.execute("SELECT value FROM meta WHERE name = 'kept'").fetchall()
    connection.close()


def test_keys_of_an_older_database_get_their_moment(tmp_path: Path, keys: MandantKeys) -> None:
    """What was judged before is found newest first by the index, as what is judged from now on."""
    store = _open(tmp_path / "data", keys)
    [taken] = store.take([_eingang()])
    claim = store.claim_one(taken.nachricht_id, "w", NOW)
    target = PlannedTarget("t", required=True, output_sha256="ab" * 32)
    store.plan(claim, route="r", pins={}, plan={}, targets=[target], search_keys={"az": "1"}, now=NOW)
    store.close()
    with sqlite3.connect(tmp_path / "data" / "store.db") as connection:
        before = connection.execute("SELECT * FROM search_keys").fetchall()
        connection.execute("DROP TABLE delivery_steps")
        connection.execute("DROP INDEX ix_search_keys_newest")
        connection.execute("ALTER TABLE search_keys DROP COLUMN received_at")
        connection.execute("CREATE INDEX ix_search_keys_value ON search_keys (value_hash)")
        connection.execute("UPDATE schema_version SET version_num = '0009'")
    connection.close()

    _open(tmp_path / "data", keys).close()

    with sqlite3.connect(tmp_path / "data" / "store.db") as connection:
        after = connection.execute("SELECT * FROM search_keys").fetchall()
    connection.close()
    assert before == after
    assert [taken.nachricht_id] == [row[0] for row in after]
    assert None not in after[0]


def _versions(data: Path, table: str) -> list[str]:
    with sqlite3.connect(data / "store.db") as connection:
        found = [version for (version,) in connection.execute(f"SELECT version_num FROM {table}")]
    connection.close()
    return found


def test_another_installation_is_refused(tmp_path: Path, keys: MandantKeys) -> None:
    """Another installation id would give every Zustellung a second key (G3)."""
    _open(tmp_path / "data", keys).close()

    with pytest.raises(Misconfigured, match=r"store\.installation\.differs"):
        _open(tmp_path / "data", keys, uuid.UUID(int=8))


def test_every_connection_is_durable_and_checks_references(tmp_path: Path) -> None:
    """WAL, synchronous FULL, foreign keys, secure delete, and patience with other writers."""
    engine = Sqlite(tmp_path / "store.db").engine()
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        }
    engine.dispose()

    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 30000}
    assert wanted == found


def test_a_database_that_somebody_else_locks_is_a_fault_of_time(
    tmp_path: Path, keys: MandantKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator's shell in a transaction: whoever writes waits in vain, is told so, and goes on once it is over."""
    monkeypatch.setattr("intermediary.store.dialects._BUSY_MILLISECONDS", 20)
    store = _open(tmp_path / "data", keys)
    with closing(sqlite3.connect(tmp_path / "data" / "store.db", isolation_level=None)) as shell:
        shell.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Transient, match=r"store\.unavailable"):
            store.take([_eingang()])
        with pytest.raises(Transient, match=r"store\.unavailable"):
            store.claim("me", now=NOW, lease=timedelta(seconds=60))
        shell.execute("ROLLBACK")

    (taken,) = store.take([_eingang()])
    assert store.get(taken.nachricht_id).state is NachrichtState.RECEIVED
    store.close()


def test_a_broken_database_is_a_fault_of_time(tmp_path: Path, keys: MandantKeys) -> None:
    """What the engine cannot answer is `store.unavailable`, at once and for reads and writes alike."""
    store = _open(tmp_path / "data", keys)
    store.take([_eingang()])
    with sqlite3.connect(tmp_path / "data" / "store.db") as connection:
        connection.execute("ALTER TABLE nachrichten RENAME TO gone")
    connection.close()

    with pytest.raises(Transient, match=r"store\.unavailable"):
        store.counts()
    with pytest.raises(Transient, match=r"store\.unavailable"):
        store.claim("w", NOW)
    with pytest.raises(Transient, match=r"store\.unavailable"):
        store.take([_eingang("b")])
    store.close()


PLANS = {
    "SELECT id FROM nachrichten WHERE due_at <= 1 AND lease_until IS NULL AND unexplained = 0 "
    "ORDER BY due_at, received_at LIMIT 1": "ix_nachrichten_due",
    "SELECT id FROM nachrichten WHERE due_at <= 1 AND unexplained > 0 AND lease_until IS NULL": "ix_nachrichten_suspect",
    "SELECT id FROM nachrichten WHERE due_at <= 1 AND lease_owner IS NOT NULL AND lease_until <= 1": "ix_nachrichten_",
    "SELECT * FROM nachrichten ORDER BY received_at DESC, id DESC LIMIT 9": "ix_nachrichten_received",
    "SELECT * FROM nachrichten WHERE mandant = 'm' ORDER BY received_at DESC, id DESC LIMIT 9": "ix_nachrichten_mandant",
    "SELECT * FROM nachrichten WHERE state = 'parked' ORDER BY received_at DESC, id DESC LIMIT 9": "ix_nachrichten_state",
    "SELECT * FROM nachrichten WHERE code = ? AND code <> '' ORDER BY received_at DESC, id DESC": "ix_nachrichten_code",
    "SELECT * FROM nachrichten WHERE wait_reason = ? AND wait_reason <> '' "
    "ORDER BY received_at DESC, id DESC": "ix_nachrichten_wait",
    "SELECT state, code, wait_reason, count(*) FROM nachrichten GROUP BY 1, 2, 3": "ix_nachrichten_counts",
    "SELECT * FROM zustellungen WHERE nachricht_id = 'n' ORDER BY nachricht_id, position": "ix_zustellungen_nachricht",
    "SELECT id, digest FROM audit_events WHERE number IS NULL ORDER BY id LIMIT 9": "ix_audit_events_unsealed",
    "SELECT body FROM audit_events WHERE number IS NOT NULL ORDER BY number": "ix_audit_events_number",
}


@pytest.mark.parametrize(("query", "index"), PLANS.items(), ids=PLANS.values())
def test_frequent_questions_use_an_index(tmp_path: Path, keys: MandantKeys, query: str, index: str) -> None:
    """What is asked for every message or every page scans no table and sorts nothing large."""
    _open(tmp_path / "data", keys).close()
    connection = sqlite3.connect(tmp_path / "data" / "store.db")
    plan = " / ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", ("x",) * query.count("?")))
    connection.close()

    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_a_copied_data_directory_is_whole(tmp_path: Path, keys: MandantKeys) -> None:
    """Database, log and blobs together are the state: a copy of the closed store opens elsewhere."""
    store = _open(tmp_path / "data", keys)
    [taken] = store.take([_eingang()])
    store.close()
    shutil.copytree(tmp_path / "data", tmp_path / "copy")

    assert b"<A/>" == _open(tmp_path / "copy", keys).body(taken.nachricht_id).read()
