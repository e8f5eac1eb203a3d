"""Brings a database to the schema of this program; forward only, one process at a time (contract G15).

Migrations expand: columns with a default, tables, indexes. A database therefore has two versions: what has been added to it
(`schema_version`), and the oldest schema that a program must know to go on working with it (`alembic_version`, named as
programs before this one look for it). Only a migration that takes something away raises the second one.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from intermediary.core.faults import Misconfigured
from intermediary.store.dialects import Dialect

HEAD = "0011"
"""The newest migration; a test compares it with the folder."""

KNOWN = frozenset({f"{number:04}" for number in range(1, 11)} | {HEAD})

LEVEL = "0003"
"""The newest migration that older programs cannot do without knowing."""

_LEVELS = "alembic_version"
_REVISIONS = "schema_version"


def migrate(engine: Engine, dialect: Dialect) -> None:
    """Run what is missing; a newer program's additions are left alone.

    `Misconfigured("store.version.unknown")` when a newer program has taken something away that this one needs.
    """
    with engine.connect() as connection, connection.begin():
        if not is_outdated(connection):
            return
    with dialect.migrating(engine) as connection:
        if is_outdated(connection):
            _upgrade(connection)
            for statement in dialect.after_upgrade:
                connection.exec_driver_sql(statement)


def is_outdated(connection: Connection) -> bool:
    """Whether the next start has something to add; raises like `migrate`, which is the only one to change anything."""
    level = _read(connection, _LEVELS)
    if level is not None and level not in KNOWN:
        raise Misconfigured("store.version.unknown", where=f"schema {level}")
    revision = _read(connection, _REVISIONS) or level
    return revision is None or (revision in KNOWN and revision != HEAD)


def is_empty(connection: Connection) -> bool:
    """Whether no program has ever made its tables here."""
    return not inspect(connection).has_table(_LEVELS)


def _read(connection: Connection, table: str) -> str | None:
    if not inspect(connection).has_table(table):
        return None
    return connection.execute(text(f"SELECT version_num FROM {table}")).scalar_one_or_none()  # noqa: S608


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    level = _read(connection, _LEVELS)
    if level is None:
        connection.execute(text(f"CREATE TABLE {_LEVELS} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes.update(connection=connection, version_table=_REVISIONS)
    if level is not None and _read(connection, _REVISIONS) is None:
        command.stamp(config, level)
    command.upgrade(config, "head")
    connection.execute(text(f"DELETE FROM {_LEVELS}"))  # noqa: S608
    connection.execute(text(f"INSERT INTO {_LEVELS} (version_num) VALUES (:level)"), {"level": LEVEL})  # noqa: S608
