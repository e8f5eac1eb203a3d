"""A `take` that records, and fails on command."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from intermediary.core.values import Eingang
from intermediary.store.records import Taken

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class RecordingTake:
    """Keeps what was taken, by message id; `fail` is asked before each call and may raise.

    `wait_for` blocks until the condition on the taken ids holds.
    """

    def __init__(self, fail: Callable[[Sequence[Eingang]], None] = lambda _: None) -> None:
        self.fail = fail
        self.calls: list[list[str]] = []
        self.bodies: dict[str, bytes] = {}
        self.taken: list[Eingang] = []
        self._changed = threading.Condition()

    def __call__(self, eingaenge: Sequence[Eingang]) -> list[Taken]:
        try:
            self.fail(eingaenge)
            bodies = {e.message_id: e.body.read() for e in eingaenge if e.message_id not in self.bodies}
        finally:
            with self._changed:
                self.calls.append([e.message_id for e in eingaenge])
                self._changed.notify_all()
        with self._changed:
            answers = [Taken(e.message_id, "duplicate" if e.message_id in self.bodies else "new") for e in eingaenge]
            self.bodies |= bodies
            self.taken += eingaenge
            self._changed.notify_all()
        return answers

    @property
    def ids(self) -> set[str]:
        return set(self.bodies)

    def wait_for(self, condition: Callable[[RecordingTake], bool], seconds: float = 20) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), seconds)
