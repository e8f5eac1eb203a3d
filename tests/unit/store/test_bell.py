"""Idle workers on any host are woken when something becomes due; without a bell they look again after their rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from intermediary.store import Store
from intermediary.store.bell import Notifications
from intermediary.testing.postgres import PrivatePostgres
from tests.conformance.store_kit import LATER, NOW, Bench, bench_in, claimed, eingang

LONG = timedelta(minutes=1)
SHORT = timedelta(milliseconds=10)


@pytest.fixture
def site(tmp_path: Path, postgres: PrivatePostgres) -> Iterator[Bench]:
    """An empty database, not opened yet; everything is closed afterwards."""
    made = bench_in(tmp_path, postgres.database())
    yield made
    made.close()


@pytest.fixture
def stop() -> threading.Event:
    """The end of a worker."""
    return threading.Event()


def _bell(store: Store) -> Notifications:
    bell = store._db.bell
    assert isinstance(bell, Notifications)
    return bell


def _heard(store: Store) -> None:
    """Return when the store listens."""
    bell = _bell(store)
    with bell._changed:
        bell._changed.wait_for(lambda: bell._is_heard, 30)
    assert bell._is_heard


def _idle(store: Store, stop: threading.Event) -> None:
    """Leave the store listening, with nothing this thread has not heard of."""
    store.wait_for_work(SHORT, stop)
    _heard(store)
    store.wait_for_work(SHORT, stop)


def _waiting(store: Store, stop: threading.Event, pool: ThreadPoolExecutor):
    """A worker that has found nothing and waits, ready to be woken; it says how long that took."""
    ready = threading.Event()

    def wait() -> float:
        _idle(store, stop)
        ready.set()
        store.wait_for_work(LONG, stop)
        return monotonic()

    end = pool.submit(wait)
    assert ready.wait(30)
    return end


def test_a_worker_elsewhere_is_woken_by_an_intake(site: Bench, stop: threading.Event) -> None:
    """Two stores with connections of their own stand for two hosts: a minute's rest ends at once."""
    here, there = site.open(), site.open()
    with ThreadPoolExecutor(1) as pool:
        end = _waiting(there, stop, pool)
        here.take([eingang("a-1")])
        taken = monotonic()

        assert end.result(30) - taken < 5


def test_what_came_between_looking_and_waiting_is_not_missed(site: Bench, stop: threading.Event) -> None:
    """A ring before the wait ends it at once: nobody sleeps over work."""
    here, there = site.open(), site.open()
    _idle(there, stop)
    rung = _bell(there)._rung
    here.take([eingang("a-1")])
    with _bell(there)._changed:
        _bell(there)._changed.wait_for(lambda: _bell(there)._rung > rung, 30)
    started = monotonic()

    there.wait_for_work(LONG, stop)

    assert monotonic() - started < 5


@pytest.mark.parametrize("cause", ["release", "dead"])
def test_other_causes_ring_too(site: Bench, stop: threading.Event, cause: str) -> None:
    """What a person gives back due, and what a dead process had, is found at once."""
    here, there = site.open(), site.open()
    claim = claimed(here)
    with ThreadPoolExecutor(1) as pool:
        end = _waiting(there, stop, pool)
        if cause == "release":
            here.release(claim, LATER)
        else:
            here.release_dead(lambda owner: False, LATER)
        done = monotonic()

        assert end.result(30) - done < 5


def test_a_process_that_ends_at_once_is_heard(site: Bench, stop: threading.Event) -> None:
    """A command that takes and closes the store wakes the daemon's workers."""
    there = site.open()
    with ThreadPoolExecutor(1) as pool:
        end = _waiting(there, stop, pool)
        here = site.open()
        here.take([eingang("a-1")])
        here.close()
        done = monotonic()

        assert end.result(30) - done < 5


def test_a_lost_connection_is_made_anew(site: Bench, stop: threading.Event, postgres: PrivatePostgres) -> None:
    """After the loss the worker looks by itself, and hears again as soon as there is a connection."""
    here, there = site.open(), site.open()
    _idle(there, stop)
    assert postgres.disconnect(site.url.rpartition("/")[2]) >= 1
    bell = _bell(there)
    with bell._changed:
        bell._changed.wait_for(lambda: not bell._is_heard, 30)
    with ThreadPoolExecutor(1) as pool:
        end = _waiting(there, stop, pool)
        here.take([eingang("a-1")])
        taken = monotonic()

        assert end.result(30) - taken < 5


def test_stop_ends_the_wait(site: Bench, stop: threading.Event) -> None:
    """A daemon that is asked to end does not wait for a bell."""
    store = site.open()
    _idle(store, stop)
    stop.set()
    started = monotonic()

    store.wait_for_work(LONG, stop)

    assert monotonic() - started < 5


def test_without_a_bell_a_worker_looks_after_its_rest(tmp_path: Path, stop: threading.Event) -> None:
    """SQLite tells nobody: waiting ends by itself."""
    site = bench_in(tmp_path)
    store = site.open()
    store.take([eingang("a-1")])

    store.wait_for_work(SHORT, stop)

    assert 1 == len(store.claim("w1", NOW))
    site.close()
