"""The heartbeat of a lease."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from intermediary.core.faults import Transient
from intermediary.heartbeat import Heartbeat
from intermediary.store.errors import LeaseLost

NOW = datetime(2026, 11, 20, tzinfo=UTC)
LEASE = timedelta(milliseconds=30)


class Leases:
    """Counts extensions and tells when the second one came; fails on demand."""

    def __init__(self, failure: Exception | None = None, *, until: int = 1) -> None:
        self.count = 0
        self._until = until
        self.enough = threading.Event()
        self._failure = failure

    def extend(self, claim: object, now: datetime, lease: timedelta) -> object:
        assert (NOW, LEASE) == (now, lease)
        self.count += 1
        if self.count >= (2 if self._failure is None else self._until):
            self.enough.set()
        if self._failure is not None:
            raise self._failure
        return claim


def test_a_lease_is_extended_while_the_work_lasts_and_not_after():
    """Work longer than a lease keeps it; once the block is left, nobody extends it."""
    leases = Leases()

    with Heartbeat(leases, object(), lease=LEASE, now=lambda: NOW):
        assert leases.enough.wait(10)

    count = leases.count
    assert count >= 2
    assert "heartbeat" not in {thread.name for thread in threading.enumerate()}


def test_a_lost_lease_ends_the_heartbeat_quietly():
    """The work itself meets the fence at its next commit; the heartbeat just stops."""
    leases = Leases(LeaseLost("n"))

    with Heartbeat(leases, object(), lease=LEASE, now=lambda: NOW) as heartbeat:
        assert leases.enough.wait(10)
        heartbeat._timer.join(10)
        assert not heartbeat._timer.is_alive()

    assert 1 == leases.count


def test_a_store_that_is_away_for_a_moment_is_asked_again():
    """Long work does not lose its lease because the database was restarted."""
    leases = Leases(Transient("store.unavailable"), until=3)

    with Heartbeat(leases, object(), lease=LEASE, now=lambda: NOW):
        assert leases.enough.wait(10)

    assert leases.count >= 3
