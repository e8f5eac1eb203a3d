"""Targets: what rests, is paused or limited."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_WAITS = "waits_for <> ''"


def upgrade() -> None:
    """Create the tables, and what a waiting Zustellung is found by; programs that do not know them deliver as before."""
    op.create_table(
        "targets",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("rests", sa.Integer(), nullable=False),
        sa.Column("rest_until", sa.BigInteger()),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("probe_key", sa.Text(), nullable=False),
        sa.Column("probe_nachricht", sa.Text(), nullable=False),
        sa.Column("probe_token", sa.BigInteger(), nullable=False),
        sa.Column("normal_per_minute", sa.Integer()),
        sa.Column("return_began_at", sa.BigInteger()),
        sa.Column("return_last_at", sa.BigInteger()),
        sa.Column("passes_at", sa.BigInteger()),
        sa.Column("queue_ends_at", sa.BigInteger()),
        sa.Column("deed_micros", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "target_turns",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("nachricht_id", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_target_turns_target", "target_turns", ["target"])
    op.create_table(
        "target_pauses",
        sa.Column("scope", sa.Text(), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger()),
    )
    op.add_column("zustellungen", sa.Column("waits_for", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        "ix_zustellungen_waits_for",
        "zustellungen",
        ["waits_for", "since", "key"],
        sqlite_where=sa.text(_WAITS),
        postgresql_where=sa.text(_WAITS),
    )
