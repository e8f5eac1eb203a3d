"""Search keys: LeikaId and business keys of a Nachricht, as keyed hashes only."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table; Nachrichten judged before have no search keys."""
    op.create_table(
        "search_keys",
        sa.Column("nachricht_id", sa.Text(), sa.ForeignKey("nachrichten.id"), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value_hash", sa.Text(), nullable=False),
    )
    op.create_index("ix_search_keys_value", "search_keys", ["value_hash"])
