"""Incidents: failures that are alike, told once; and the alerts that tell of them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_LIVE = "ended_at IS NULL"
_TO_SEND = "due_at IS NOT NULL"
_STUCK = "state = 'parked' OR (own_due_at IS NOT NULL AND wait_reason <> '')"
_STUCK_ZUSTELLUNG = "code <> '' AND state IN ('due', 'unclear', 'awaiting', 'parked')"


def upgrade() -> None:
    """Create the tables, and the indexes of what is in trouble: nothing that goes its way is in them."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("affected", sa.Integer(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("mandanten", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger()),
        sa.Column("quiet_since", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("acknowledged_at", sa.BigInteger()),
        sa.Column("acknowledged_by", sa.Text(), nullable=False),
        sa.Column("acknowledged_reason", sa.Text(), nullable=False),
    )
    op.create_index(
        "uq_incidents_live",
        "incidents",
        ["fingerprint"],
        unique=True,
        sqlite_where=sa.text(_LIVE),
        postgresql_where=sa.text(_LIVE),
    )
    op.create_index("ix_incidents_opened", "incidents", ["opened_at", "id"])
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("incident_id", sa.Text(), sa.ForeignKey("incidents.id"), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("lease_token", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
    )
    op.create_index(
        "ix_alerts_due",
        "alerts",
        ["due_at"],
        sqlite_where=sa.text(_TO_SEND),
        postgresql_where=sa.text(_TO_SEND),
    )
    op.create_index("ix_alerts_incident", "alerts", ["incident_id"])
    op.create_index(
        "ix_nachrichten_stuck",
        "nachrichten",
        ["state", "code", "wait_reason", "route", "channel", "mandant"],
        sqlite_where=sa.text(_STUCK),
        postgresql_where=sa.text(_STUCK),
    )
    op.create_index(
        "ix_zustellungen_stuck",
        "zustellungen",
        ["nachricht_id", "code", "target", "state"],
        sqlite_where=sa.text(_STUCK_ZUSTELLUNG),
        postgresql_where=sa.text(_STUCK_ZUSTELLUNG),
    )
