"""Newest by key: the moment of receipt beside each search key, and one index by both."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_FILL = "UPDATE search_keys SET received_at = (SELECT n.received_at FROM nachrichten n WHERE n.id = nachricht_id)"


def upgrade() -> None:
    """Add the column and fill it; what an older program writes from now on has none. The new index serves as the old did."""
    op.add_column("search_keys", sa.Column("received_at", sa.BigInteger()))
    op.execute(_FILL)
    op.create_index("ix_search_keys_newest", "search_keys", ["value_hash", "received_at", "nachricht_id"])
    op.drop_index("ix_search_keys_value", "search_keys")
