"""Retention: since when a Nachricht is in its state, what is held back from erasure, indexes that find what is due."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_KEPT = "payload = 'present' AND due_at IS NULL"
_LEFT_OVER = "payload = 'erased' AND blob <> ''"
_HELD = "held_since IS NOT NULL"


def upgrade() -> None:
    """Since when stays unknown for what ended before: the events tell. Nothing is held."""
    op.add_column("nachrichten", sa.Column("state_since", sa.BigInteger()))
    op.add_column("nachrichten", sa.Column("held_since", sa.BigInteger()))
    op.create_index(
        "ix_nachrichten_kept",
        "nachrichten",
        ["mandant", "route", "state", "received_at", "id"],
        sqlite_where=sa.text(_KEPT),
        postgresql_where=sa.text(_KEPT),
    )
    op.create_index(
        "ix_nachrichten_leftover",
        "nachrichten",
        ["id"],
        sqlite_where=sa.text(_LEFT_OVER),
        postgresql_where=sa.text(_LEFT_OVER),
    )
    op.create_index(
        "ix_nachrichten_held",
        "nachrichten",
        ["received_at", "id"],
        sqlite_where=sa.text(_HELD),
        postgresql_where=sa.text(_HELD),
    )
    op.create_index("ix_intake_keys_taken", "intake_keys", ["taken_at"])
    op.create_table(
        "holds",
        sa.Column("mandant", sa.Text(), primary_key=True),
        sa.Column("route", sa.Text(), primary_key=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
