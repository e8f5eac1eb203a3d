"""Brings a database to the schema of this program; forward only, one process at a time."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from intermediary.core.faults import Misconfigured
from intermediary.store.dialects import Dialect

HEAD = "0003"
"""The newest migration; a test compares it with the folder."""

KNOWN = frozenset({"0001", "0002", HEAD})


def migrate(engine: Engine, dialect: Dialect) -> None:
    """Run what is missing; `Misconfigured("store.version.unknown")` when a newer program wrote the database."""
    with engine.connect() as connection, connection.begin():
        if _version(connection) == HEAD:
            return
    with dialect.migrating(engine) as connection:
        version = _version(connection)
        if version is not None and version not in KNOWN:
            raise Misconfigured("store.version.unknown", where=f"schema {version}")
        if version != HEAD:
            _upgrade(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
