"""Watches the installation: looks for trouble, lets the store follow its incidents, and has people told of them.

Runs as a thread of the supervisor, so that it needs no settings of its own and lives as long as the daemon. Any number of
daemons may watch one store: each finds the same, and the store opens every incident once.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from intermediary.core.bulletin import Bulletin
from intermediary.core.faults import Fault
from intermediary.core.incidents import Pace, Sighting
from intermediary.core.schedule import RISK_SHARE
from intermediary.daemon.alerts.post import Post, ways_of
from intermediary.daemon.board import boot_seconds, is_current, read_board
from intermediary.daemon.places import Places
from intermediary.daemon.sightings import (
    from_bulletins,
    from_endings,
    from_failing,
    from_jobs,
    from_overdue,
    from_refused,
    from_tail,
    from_troubles,
)
from intermediary.route.targets import own_deadlines
from intermediary.settings.models import Settings
from intermediary.store.gauges import Trouble
from intermediary.store.store import Store
from intermediary.wiring import Configuration, Installation
from intermediary.wiring.endings import Ending, endings

log = structlog.get_logger(__name__)

_REST_PER_LOOK = 20
_LONGEST_REST = 6
"""A look is followed by a rest of so many times its own length, but no more than so many times the usual one."""
_MISSED_LOOKS = 3
_CERTIFICATES_AGAIN = timedelta(hours=1)
_END_SECONDS = 2.0
_OVERDUE = timedelta(minutes=30)


class Watch:
    """The watch of one daemon.

    `failing` gives chores that fail at present (name and code), `dying` roles of processes that do, `overdue` how many
    parked Nachrichten are past their term, by Mandant and route.
    """

    def __init__(
        self,
        store: Store,
        configuration: Configuration,
        settings: Settings,
        post: Post,
        *,
        now: Callable[[], datetime],
        failing: Callable[[], Mapping[str, str]],
        dying: Callable[[], Iterable[str]],
        overdue: Callable[[], Mapping[tuple[str, str], int]],
    ) -> None:
        self._store = store
        self._configuration = configuration
        self._settings = settings
        self._post = post
        self._now = now
        self._failing = failing
        self._dying = dying
        self._overdue = overdue
        self._host = socket.gethostname()
        self._between = float(settings.incidents.look_seconds)
        self._endings: tuple[Ending, ...] = ()
        self._endings_of: tuple[int, datetime] | None = None

    def run(self, stop: threading.Event) -> None:
        """Look and tell until `stop`; what fails comes round again, and is logged when it begins and when it is over."""
        trouble = ""
        while not stop.is_set():
            started = time.monotonic()
            try:
                self.look()
                self._post.send()
            except Fault as fault:
                if trouble != fault.code:
                    log.warning("watch.failed", code=fault.code, where=fault.where)
                trouble = fault.code
            except Exception as failure:  # the watch must outlive what it watches
                if trouble != type(failure).__name__:
                    log.error("watch.failed", failure=type(failure).__name__)
                trouble = type(failure).__name__
            else:
                if trouble:
                    log.info("watch.healed")
                trouble = ""
            spent = time.monotonic() - started
            usual = float(self._settings.incidents.look_seconds)
            rest = min(max(usual, spent * _REST_PER_LOOK), usual * _LONGEST_REST)
            self._between = spent + rest
            stop.wait(rest)

    def look(self) -> None:
        """One look: everything that is wrong now, handed to the store. Raises what the store raises."""
        now = self._now()
        pace = Pace(self._settings.incidents.quiet, _MISSED_LOOKS * timedelta(seconds=self._between))
        seen = self._store.watch.incidents.see(self._sightings(now), pace=pace, ways=self._post.names, now=now)
        if seen.opened or seen.ended:
            log.info("watch.seen", count=len(seen.opened) + len(seen.ended))

    def _sightings(self, now: datetime) -> Iterator[Sighting]:
        rules, watch = self._settings.incidents, self._store.watch
        places = Places.of(self._configuration.targets(), self._store.targets.standing(), now)
        yield from from_troubles((*watch.gauges.troubles(), *self._near_deadline(now)), places, rules)
        yield from from_tail(watch.gauges.tail(most=1), rules, now)
        yield from from_endings(self._certificates(now), now)
        yield from from_bulletins(self._bulletins(), self._host, rules)
        yield from from_failing(self._failing(), self._host, rules)
        yield from from_refused(self._configuration.refused, self._host, rules)
        yield from from_overdue(self._overdue())
        yield from from_jobs(self._store.jobs.find())
        for role in self._dying():
            yield Sighting("daemon.child.dies", f"process {role} {self._host}")
        for way in watch.alerts.count_unsent(self._post.names, since=now - _OVERDUE):
            yield Sighting("alert.undelivered", f"way {way}")

    def _near_deadline(self, now: datetime) -> tuple[Trouble, ...]:
        general = self._settings.delivery.schedule.deadline
        own = own_deadlines(self._configuration.bank().table)
        return self._store.watch.gauges.near_deadline(general, own, RISK_SHARE, now)

    def _certificates(self, now: datetime) -> tuple[Ending, ...]:
        generation = self._configuration.generation
        known = self._endings_of
        if known is None or known[0] != generation or abs(now - known[1]) >= _CERTIFICATES_AGAIN:
            with suppress(Fault):
                self._endings = endings(self._settings, self._configuration.bank())
            self._endings_of = (generation, now)
        return self._endings

    def _bulletins(self) -> list[Bulletin]:
        """What the processes of this host say; two of one obstacle are one sighting."""
        at = boot_seconds()
        return [one for one in read_board(self._settings.installation.data) if is_current(one, now_boot_seconds=at)]


class Watching:
    """The watch in a thread of its own, from its making until `end`."""

    def __init__(
        self,
        installation: Installation,
        configuration: Configuration,
        *,
        failing: Callable[[], Mapping[str, str]],
        dying: Callable[[], Iterable[str]],
        overdue: Callable[[], Mapping[tuple[str, str], int]],
    ) -> None:
        settings, store, now = installation.settings, installation.store, installation.now
        name = settings.installation.name
        post = Post(store.watch.alerts, ways_of(settings, now), installation=name, now=now, jitter=random.random)
        watch = Watch(store, configuration, settings, post, now=now, failing=failing, dying=dying, overdue=overdue)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=watch.run, args=(self._stop,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ask it to end, and wait for a moment: an alert that is under way is told again by whoever comes next."""
        self._stop.set()
        self._thread.join(_END_SECONDS)
