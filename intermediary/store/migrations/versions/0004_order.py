"""Order: the place of a Nachricht in its Vorgang, and the index by which Mandanten take turns."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_CLAIMABLE = "due_at IS NOT NULL AND lease_until IS NULL AND unexplained = 0"


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Add what order needs; what was taken before has no place in a Vorgang and waits for nobody."""
    op.add_column("nachrichten", sa.Column("vorgang_hash", sa.Text(), nullable=False, server_default=""))
    op.add_column("nachrichten", sa.Column("vorgang_number", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("nachrichten", sa.Column("vorgang_place", sa.Text(), nullable=False, server_default=""))
    op.add_column("nachrichten", sa.Column("vorgang_open", sa.BigInteger()))
    op.add_column("nachrichten", sa.Column("vorgang_waits", sa.BigInteger()))
    op.create_index(
        "ix_nachrichten_vorgang", "nachrichten", ["vorgang_hash", "vorgang_open"], **_where("vorgang_open IS NOT NULL")
    )
    op.create_index(
        "ix_nachrichten_waits", "nachrichten", ["vorgang_hash", "vorgang_waits"], **_where("vorgang_waits IS NOT NULL")
    )
    op.create_index("ix_nachrichten_turn", "nachrichten", ["mandant", "due_at", "received_at"], **_where(_CLAIMABLE))
    op.create_table(
        "vorgaenge",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("mandant", sa.Text(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_vorgaenge_last", "vorgaenge", ["last_at"])
