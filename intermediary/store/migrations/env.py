"""What Alembic runs: on the connection `store/migrate.py` hands over, inside its transaction."""

from alembic import context

from intermediary.store.tables import METADATA

given = context.config.attributes
context.configure(connection=given["connection"], version_table=given["version_table"], target_metadata=METADATA)
context.run_migrations()
