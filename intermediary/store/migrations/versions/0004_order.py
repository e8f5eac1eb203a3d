"""Order: the Vorgang of a Nachricht, and what shares the work between Mandanten."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing yet."""
