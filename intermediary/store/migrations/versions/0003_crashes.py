"""Crashes: how often a Nachricht killed the child process that opened it alone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the count and what finds suspects; nothing has been opened alone before."""
    op.add_column("nachrichten", sa.Column("crashes", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_nachrichten_suspect", "nachrichten", ["due_at"], sqlite_where=sa.text("unexplained > 0"))
