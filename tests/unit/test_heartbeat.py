"""The heartbeat of leases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import structlog
from structlog.testing import capture_logs

from intermediary.core.faults import Transient
from intermediary.heartbeat import Heartbeat
from intermediary.store.errors import LeaseLost

NOW = datetime(2026, 11, 20, tzinfo=UTC)
LEASE = timedelta(milliseconds=30)


class Leases:
    """Counts extensions by claim and tells when one came so often; fails on demand, waits while it is held."""

    def __init__(self, failure: Exception | None = None, *, until: int = 2, fails_for: object = None) -> None:
        self.seen: list[object] = []
        self.enough = threading.Event()
        self.is_free = threading.Event()
        self.is_free.set()
        self.is_asked = threading.Event()
        self._until = until
        self._failure = failure
        self._fails_for = fails_for

    def extend(self, claim: object, now: datetime, lease: timedelta) -> object:
        assert NOW == now
        self.is_asked.set()
        assert self.is_free.wait(10)
        self.seen.append(claim)
        if self.seen.count(claim) >= self._until:
            self.enough.set()
        if self._failure is not None and self._fails_for in (None, claim):
            raise self._failure
        return claim


def test_a_lease_is_extended_while_the_work_lasts_and_not_after():
    """Work longer than a lease keeps it; once the block is left, nobody extends it, and no thread stays behind."""
    leases = Leases()
    heartbeat = Heartbeat()
    before = _beating()  # of other tests, which end within seconds
    with heartbeat.keeping(leases, "first", lease=LEASE, now=lambda: NOW):
        assert leases.enough.wait(10)
        beating = _beating() - before
    count = leases.seen.count("first")
    for thread in beating:
        thread.join(10)

    assert 1 == len(beating)
    assert count == leases.seen.count("first") >= 2
    assert not beating & _beating()


def test_claims_share_one_thread():
    """Each is extended as its own lease demands: a short one beside a long one, a later one as the first."""
    leases = Leases()
    heartbeat = Heartbeat()
    before = _beating()
    with heartbeat.keeping(leases, "long", lease=timedelta(hours=1), now=lambda: NOW):
        with heartbeat.keeping(leases, "short", lease=LEASE, now=lambda: NOW):
            assert leases.enough.wait(10)
            assert 1 == len(_beating() - before)
        leases.enough.clear()
        with heartbeat.keeping(leases, "later", lease=LEASE, now=lambda: NOW):
            assert leases.enough.wait(10)
            assert 1 == len(_beating() - before)

    assert {"short", "later"} == set(leases.seen)


def test_a_later_claim_is_kept_after_the_thread_has_ended():
    """A process that was idle for long starts to beat anew."""
    leases = Leases()
    heartbeat = Heartbeat()
    for claim in ("first", "second"):
        leases.enough.clear()
        before = _beating()
        with heartbeat.keeping(leases, claim, lease=LEASE, now=lambda: NOW):
            assert leases.enough.wait(10)
            beating = _beating() - before
        for thread in beating:
            thread.join(10)
            assert not thread.is_alive()


def test_an_extension_underway_is_waited_for():
    """What comes after the block finds the lease as it is: nobody changes it behind its back."""
    leases = Leases(until=1)
    leases.is_free.clear()
    heartbeat = Heartbeat()
    over = threading.Event()

    def work() -> None:
        with heartbeat.keeping(leases, "first", lease=LEASE, now=lambda: NOW):
            assert leases.is_asked.wait(10)
        over.set()

    worker = threading.Thread(target=work)
    worker.start()
    assert leases.is_asked.wait(10)
    assert not over.wait(0.1)
    leases.is_free.set()
    assert over.wait(10)
    worker.join(10)

    assert ["first"] == leases.seen


def test_a_lost_lease_ends_its_heartbeat_quietly_and_no_other():
    """The work itself meets the fence at its next commit; the heartbeat of that claim just stops."""
    leases = Leases(LeaseLost("n"), until=4, fails_for="lost")
    heartbeat = Heartbeat()
    with (
        heartbeat.keeping(leases, "lost", lease=LEASE, now=lambda: NOW),
        heartbeat.keeping(leases, "kept", lease=LEASE, now=lambda: NOW),
    ):
        assert leases.enough.wait(10)

    assert 1 == leases.seen.count("lost")
    assert 4 <= leases.seen.count("kept")


def test_the_log_says_whose_lease_it_is():
    """The heartbeat has a thread of its own; what the worker logs by, it logs by too."""
    leases = Leases(LeaseLost("n"), until=1)
    before = _beating()
    with (
        capture_logs() as said,
        structlog.contextvars.bound_contextvars(nachricht_id="n-1"),
        Heartbeat().keeping(leases, "lost", lease=LEASE, now=lambda: NOW),
    ):
        assert leases.enough.wait(10)
        for thread in _beating() - before:
            thread.join(10)

    assert [("lease.not-extended", "n-1")] == [(one["event"], one.get("nachricht_id")) for one in said]


def test_a_store_that_is_away_for_a_moment_is_asked_again():
    """Long work does not lose its lease because the database was restarted."""
    leases = Leases(Transient("store.unavailable"), until=3)
    with Heartbeat().keeping(leases, "first", lease=LEASE, now=lambda: NOW):
        assert leases.enough.wait(10)

    assert leases.seen.count("first") >= 3


def test_a_defect_costs_its_own_claim_and_no_other():
    """What nobody expected ends the heartbeat of one; those beside it and after it go on."""
    leases = Leases(ValueError("planted"), until=4, fails_for="broken")
    heartbeat = Heartbeat()
    with (
        heartbeat.keeping(leases, "broken", lease=LEASE, now=lambda: NOW),
        heartbeat.keeping(leases, "good", lease=LEASE, now=lambda: NOW),
    ):
        assert leases.enough.wait(10)

    assert 1 == leases.seen.count("broken")


def _beating() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "heartbeat"}
