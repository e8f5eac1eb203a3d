"""Logging of the daemon: one JSON line per fact on stderr; only fields that are known to hold no content pass.

Libraries' own records go the same way, with their message dropped unless it comes from us: a library may put values into
its sentences (threat T18).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "logger", "nachricht_id", "mandant", "channel", "channels", "route", "target",
        "before", "after", "code", "failure", "at", "where", "seconds", "zustellungen", "threads", "generation", "count",
        "role", "pid", "exit", "size", "state", "attempt", "queue", "roles", "workers", "outcome", "outcomes", "reason",
        "delay_seconds", "version", "installation", "config", "post_box", "message_sha256", "again_seconds",
        "incident", "way", "mandanten",
    }
)  # fmt: skip
LONGEST = 1024


def configure_logging(level: str = "info") -> None:
    """Set up structlog and the standard library's logging; called once per process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_Facts()]
    root.setLevel(logging.WARNING)
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # the doors say themselves that a broker is away


def only_allowed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list, and cut long texts: what is not known to be harmless is not written."""
    return {name: _cut(value) for name, value in event.items() if name in ALLOWED}


def _cut(value: Any) -> Any:
    return value[:LONGEST] if isinstance(value, str) else value


class _Facts(logging.Handler):
    """A library's record as a fact: who said something how loudly, not what."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, "library.said", logger=record.name, at=f"{record.module}:{record.lineno}"
        )
