"""Remembers the deliveries of a post box that could not be fetched or kept, and when each may be tried again.

In memory only: after a start the first failed fetch finds such a delivery anew, and nothing is lost by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

FIRST_WAIT_SECONDS = 60.0
LONGEST_WAIT_SECONDS = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class _Note:
    due: float
    failures: int


class Stuck:
    """The deliveries of one post box that are passed by; used by one thread at a time."""

    def __init__(self) -> None:
        self._notes: dict[str, _Note] = {}

    def __len__(self) -> int:
        return len(self._notes)

    def add(self, message_id: str, now: float) -> float:
        """It failed (again); seconds until it is tried again: a minute, doubled each time, six hours at most."""
        known = self._notes.get(message_id)
        failures = 1 if known is None else known.failures + 1
        wait = float(min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(failures - 1, 16)))
        self._notes[message_id] = _Note(now + wait, failures)
        return wait

    def waits(self, message_id: str, now: float) -> bool:
        """Whether it is passed by for now."""
        note = self._notes.get(message_id)
        return note is not None and note.due > now

    def knows(self, message_id: str) -> bool:
        """Whether it failed before, and was not kept since."""
        return message_id in self._notes

    def settle(self, message_id: str) -> None:
        """It could be kept after all."""
        self._notes.pop(message_id, None)

    def keep_only(self, present: Collection[str]) -> None:
        """Forget what does not lie in the post box any more."""
        self._notes = {message_id: note for message_id, note in self._notes.items() if message_id in present}


def short_hash(message_id: str) -> str:
    """What stands in a log for a sender's id: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(message_id.encode()).hexdigest()[:16]
