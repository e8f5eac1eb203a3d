"""Logging of one-shot commands: warnings and worse, on stderr, as the daemon would write them."""

from __future__ import annotations

from intermediary.daemon.logs import configure_logging


def quiet_logs(level: str = "warning") -> None:
    """Commands speak for themselves; only what went wrong underneath is logged."""
    configure_logging(level)
