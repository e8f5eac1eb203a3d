"""Connector: a file that grows by one JSON line per Zustellung."""
