"""Notes what a mapping does while it runs, for those who test mappings; costs nothing when nobody asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Notes:
    """`lines`: place in the message and the line that made it (`/Kopf/ProzessID`: `kopf.py:17`). `asked`: input paths of
    all fields that were asked for, sent or not.
    """

    lines: dict[str, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)


_NOTES: ContextVar[Notes | None] = ContextVar("notes", default=None)


@contextmanager
def noted() -> Iterator[Notes]:
    """Within the body, builders and accessors write into the notes."""
    notes = Notes()
    token = _NOTES.set(notes)
    try:
        yield notes
    finally:
        _NOTES.reset(token)


def wanted() -> Notes | None:
    """Where to note; None when nobody wants to know."""
    return _NOTES.get()
