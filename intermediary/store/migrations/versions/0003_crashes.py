"""Crashes: how often a Nachricht killed the child process that opened it alone."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Add the count and what finds suspects; nothing has been opened alone before."""
    op.add_column("nachrichten", sa.Column("crashes", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_nachrichten_suspect", "nachrichten", ["due_at"], **_where("unexplained > 0"))
