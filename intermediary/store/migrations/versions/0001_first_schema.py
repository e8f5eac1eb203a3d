"""The first schema: Nachrichten, Zustellungen, data keys, intake keys, audit events and heads."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "nachrichten",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("mandant", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("wait_reason", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("own_due_at", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unexplained", sa.Integer(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("verdict_code", sa.Text(), nullable=False),
        sa.Column("pins", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("body_length", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("headers", sa.LargeBinary()),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("lease_owner", sa.Text()),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger()),
        sa.Column("took_over", sa.Boolean(), nullable=False),
        sa.Column("chain_length", sa.Integer(), nullable=False),
        sa.Column("chain_digest", sa.Text(), nullable=False),
    )
    op.create_index("ix_nachrichten_due", "nachrichten", ["due_at", "received_at"], **_where("due_at IS NOT NULL"))
    op.create_index("ix_nachrichten_received", "nachrichten", ["received_at", "id"])
    op.create_index("ix_nachrichten_mandant", "nachrichten", ["mandant", "received_at", "id"])
    op.create_index("ix_nachrichten_counts", "nachrichten", ["state", "code", "wait_reason"])
    op.create_index("ix_nachrichten_state", "nachrichten", ["state", "received_at", "id"])
    op.create_index("ix_nachrichten_code", "nachrichten", ["code", "received_at", "id"], **_where("code <> ''"))
    op.create_index(
        "ix_nachrichten_wait",
        "nachrichten",
        ["wait_reason", "received_at", "id"],
        **_where("wait_reason <> ''"),
    )
    op.create_index("ix_nachrichten_route", "nachrichten", ["route", "received_at", "id"], **_where("route <> ''"))
    op.create_index("ix_nachrichten_lease", "nachrichten", ["lease_owner"], **_where("lease_owner IS NOT NULL"))

    op.create_table(
        "zustellungen",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("nachricht_id", sa.Text(), sa.ForeignKey("nachrichten.id"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("intended_at", sa.BigInteger()),
        sa.Column("output_sha256", sa.Text(), nullable=False),
        sa.Column("redelivery", sa.Integer(), nullable=False),
        sa.Column("redelivers", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("correlation", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("nachricht_id", "target", "redelivery", name="uq_zustellungen_target"),
    )
    op.create_index("ix_zustellungen_nachricht", "zustellungen", ["nachricht_id", "position"])
    op.create_index("ix_zustellungen_code", "zustellungen", ["code"], **_where("code <> ''"))

    op.create_table(
        "data_keys",
        sa.Column("nachricht_id", sa.Text(), sa.ForeignKey("nachrichten.id"), primary_key=True),
        sa.Column("mandant", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )

    op.create_table(
        "intake_keys",
        sa.Column("mandant", sa.Text(), primary_key=True),
        sa.Column("message_hash", sa.Text(), primary_key=True),
        sa.Column("nachricht_id", sa.Text(), sa.ForeignKey("nachrichten.id"), primary_key=True),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
    )

    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger()),
        sa.UniqueConstraint("chain", "seq", name="uq_audit_events_chain"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_events_number", "audit_events", ["number"], unique=True, **_where("number IS NOT NULL"))
    op.create_index("ix_audit_events_unsealed", "audit_events", ["id"], **_where("number IS NULL"))

    op.create_table(
        "audit_heads",
        sa.Column("size", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("frontier", sa.Text(), nullable=False),
    )

    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
