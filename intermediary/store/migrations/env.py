"""What Alembic runs: on the connection `store/migrate.py` hands over, inside its transaction."""

from alembic import context

from intermediary.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
