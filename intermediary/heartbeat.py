"""Keeps a lease while its work lasts longer than the lease: a large message or a slow target is no lost worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog

from intermediary.core.faults import Fault
from intermediary.store.records import Claim
from intermediary.store.store import Store

log = structlog.get_logger(__name__)

MOST_LEASES = 30
_LONGEST_REST_SECONDS = 5.0


class Heartbeat:
    """Extends the leases of the claims in hand, every third of a lease; asks again when the store does not answer.

    Its own thread is there while there is work. One extension follows the other, so it is for one worker thread, or for
    claims that are short beside their lease. After `MOST_LEASES` leases a claim is left alone: work that takes so long
    hangs, and somebody else shall notice. A lost lease ends it too; the fence of every commit decides then.
    """

    def __init__(self) -> None:
        self._bell = threading.Condition()
        self._in_hand: set[_Lease] = set()
        self._wakes_at = 0.0
        self._is_running = False

    @contextmanager
    def keeping(self, store: Store, claim: Claim, *, lease: timedelta, now: Callable[[], datetime]) -> Iterator[None]:
        """Extend the lease of `claim` while the block lasts; once it is left nobody does, not even a late beat."""
        held = _Lease(store, claim, lease, now)
        with self._bell:
            if not self._is_running:
                threading.Thread(target=self._run, name="heartbeat", daemon=True).start()
                self._is_running = True
            elif held.due < self._wakes_at:
                self._bell.notify()
            self._in_hand.add(held)
        try:
            yield
        finally:
            self._leave(held)
            held.end()

    def _run(self) -> None:
        while self._has_work():
            for held in self._due():
                if not held.extend():
                    self._leave(held)

    def _has_work(self) -> bool:
        with self._bell:
            self._is_running = bool(self._in_hand)
            return self._is_running

    def _leave(self, held: _Lease) -> None:
        with self._bell:
            self._in_hand.discard(held)

    def _due(self) -> list[_Lease]:
        with self._bell:
            self._wakes_at = min([monotonic() + _LONGEST_REST_SECONDS, *(held.due for held in self._in_hand)])
            self._bell.wait(max(0.0, self._wakes_at - monotonic()))
            return [held for held in self._in_hand if held.due <= monotonic()]


@dataclass(slots=True, eq=False)
class _Lease:
    """One claim in hand, and when it is extended next; logs by what the worker thread has bound."""

    store: Store
    claim: Claim
    lease: timedelta
    now: Callable[[], datetime]
    due: float = field(init=False)
    _beats: int = 0
    _is_over: bool = False
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _log: Any = field(default_factory=lambda: log.bind(**structlog.contextvars.get_contextvars()))

    def __post_init__(self) -> None:
        self._rest()

    def _rest(self) -> None:
        self.due = monotonic() + self.lease.total_seconds() / 3

    def extend(self) -> bool:
        """False when it is not to be extended any more."""
        with self._turn:
            if self._is_over:
                return False
            if self._beats == 3 * MOST_LEASES:
                self._log.error("lease.given-up")
                return False
            self._beats += 1
            self._rest()
            try:
                self.store.extend(self.claim, now=self.now(), lease=self.lease)
            except Fault as fault:
                self._log.warning("lease.not-extended", code=fault.code)
            except Exception as failure:  # a lost lease, or a defect: no other claim suffers for it
                self._log.warning("lease.not-extended", failure=type(failure).__name__)
                return False
            return True

    def end(self) -> None:
        """The work is done: an extension underway is waited for, and no other begins."""
        with self._turn:
            self._is_over = True
