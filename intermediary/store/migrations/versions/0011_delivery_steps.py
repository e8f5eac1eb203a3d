"""Delivery steps: what a target has done of a Zustellung already."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the table; a program that does not know it delivers from the beginning, as it always did."""
    op.create_table(
        "delivery_steps",
        sa.Column("key", sa.Text(), sa.ForeignKey("zustellungen.key"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("nachricht_id", sa.Text(), sa.ForeignKey("nachrichten.id"), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.UniqueConstraint("key", "step", name="uq_delivery_steps_step"),
    )
    op.create_index("ix_delivery_steps_nachricht", "delivery_steps", ["nachricht_id"])
