"""Logging of the daemon: one JSON line per fact on stderr; only fields that are known to hold no content pass.

Libraries' own records go the same way, with their message dropped unless it comes from us: a library may put values into
its sentences (threat T18). A log that takes nothing, because its disk is full, stops no work: what was lost is counted.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "logger", "nachricht_id", "mandant", "channel", "channels", "route", "target",
        "before", "after", "code", "failure", "at", "where", "seconds", "zustellungen", "threads", "generation", "count",
        "role", "pid", "exit", "size", "state", "attempt", "queue", "roles", "workers", "outcome", "outcomes", "reason",
        "delay_seconds", "version", "installation", "config", "post_box", "message_sha256", "again_seconds",
        "incident", "way", "mandanten", "certificate", "lane", "how", "fences", "line", "reply_code", "operation",
        "port",
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
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, Patient(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_Facts()]
    root.setLevel(logging.WARNING)
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # the doors say themselves that a broker is away


def end_logging() -> None:
    """What could not be written until the end of the process stays unwritten, and does not change its exit code."""
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


class Patient:
    """A text stream that loses lines rather than raising; once it takes them again it says how many it lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost = 0

    def write(self, text: str) -> int:
        try:
            if self._lost:
                self._stream.write(json.dumps({"event": "log.lost", "level": "error", "count": self._lost}) + "\n")
                self._lost = 0
            return self._stream.write(text)
        except OSError:
            self._lost += 1
            return 0

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


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
