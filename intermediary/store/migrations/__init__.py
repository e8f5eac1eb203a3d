"""Alembic environment: package data, run by `store/migrate.py`."""
