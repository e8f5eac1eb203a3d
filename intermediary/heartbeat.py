"""Keeps a lease while its work lasts longer than the lease: a large message or a slow target is no lost worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import structlog

from intermediary.core.faults import Fault
from intermediary.store.errors import StoreError
from intermediary.store.records import Claim
from intermediary.store.store import Store

log = structlog.get_logger(__name__)

MOST_LEASES = 30


class Heartbeat:
    """Extends the lease of a claim every third of it, inside a `with` block; asks again when the store does not answer.

    After `MOST_LEASES` leases it stops: work that takes so long hangs, and somebody else shall notice. A lost lease ends it
    too; the fence of every commit decides then.
    """

    def __init__(self, store: Store, claim: Claim, *, lease: timedelta, now: Callable[[], datetime]) -> None:
        self._store = store
        self._claim = claim
        self._lease = lease
        self._now = now
        self._done = threading.Event()
        self._timer = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._timer.join()

    def _beat(self) -> None:
        for _ in range(3 * MOST_LEASES):
            if self._done.wait(self._lease.total_seconds() / 3):
                return
            try:
                self._store.extend(self._claim, now=self._now(), lease=self._lease)
            except StoreError as failure:
                log.warning("lease.not-extended", failure=type(failure).__name__)
                return
            except Fault as fault:
                log.warning("lease.not-extended", code=fault.code)
        log.error("lease.given-up")
