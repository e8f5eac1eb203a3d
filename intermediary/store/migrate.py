"""Brings a database to the schema of this program; forward only, one process at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from intermediary.core.faults import Misconfigured

HEAD = "0003"
"""The newest migration; a test compares it with the folder."""

KNOWN = frozenset({"0001", "0002", HEAD})


def migrate(engine: Engine, lock: Path) -> None:
    """Run what is missing; `Misconfigured("store.version.unknown")` when a newer program wrote the database."""
    if _version(engine) == HEAD:
        return
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        version = _version(engine)
        if version is not None and version not in KNOWN:
            raise Misconfigured("store.version.unknown", where=f"schema {version}")
        if version != HEAD:
            _upgrade(engine)
    finally:
        os.close(descriptor)


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection, connection.begin():
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    writer = engine.execution_options(intermediary_writes=True)
    with writer.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
