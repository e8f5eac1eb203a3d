"""Measures the store every few seconds, so that asking for figures costs it nothing however often somebody asks."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from intermediary.core.faults import Fault
from intermediary.core.schedule import RISK_SHARE
from intermediary.core.states import NachrichtState
from intermediary.route.table import RoutingTable
from intermediary.settings.models import Settings
from intermediary.store.gauges import Gauges, Tail
from intermediary.store.incidents import IncidentRecord
from intermediary.store.targets import Standing
from intermediary.wiring import Configuration, Installation
from intermediary.wiring.endings import Ending, endings

log = structlog.get_logger(__name__)

_REST_PER_SAMPLE = 20
_LONGEST_REST = 6
_LATE_SECONDS = 30.0
_INCIDENTS = 1_000


@dataclass(frozen=True, slots=True)
class Measures:
    """What the store said last, at `at` (monotonic), which took `seconds`."""

    at: float
    seconds: float
    now: datetime
    open: Mapping[tuple[NachrichtState, str], int]
    oldest: Mapping[NachrichtState, datetime]
    at_risk: int
    tail: Tail
    incidents: tuple[IncidentRecord, ...]
    unsent: Mapping[str, int]
    endings: tuple[Ending, ...]
    targets: Standing
    is_refused: bool


@dataclass(slots=True)
class Totals:
    """What has happened since this process began, from the sealed log: exact, and only new entries are read."""

    upto: int | None = None
    events: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)

    def follow(self, gauges: Gauges) -> None:
        """Read on, a bounded piece at a time."""
        if self.upto is None:
            self.upto = gauges.log_length()
        progress = gauges.progress(self.upto)
        self.upto = progress.upto
        self.events += progress.events
        self.taken += progress.taken
        self.answered += progress.answered


class Sampler:
    """Keeps the last measures; `run` in one thread, everything else from any."""

    def __init__(self, settings: Settings, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._ticks = ticks
        self._measures: Measures | None = None
        self._is_away = True
        self._spent = 0.0
        self.totals = Totals()

    @property
    def measures(self) -> Measures | None:
        """The last measures; None before the first, and while the store does not answer."""
        last = self._measures
        if last is None or self._is_away:
            return None
        return last if self._ticks() - last.at <= 3 * self._rest() + _LATE_SECONDS else None

    def _rest(self) -> float:
        """Measuring costs a twentieth of the time, while that keeps the figures young enough."""
        usual = float(self._settings.health.sample_seconds)
        return min(max(usual, self._spent * _REST_PER_SAMPLE), usual * _LONGEST_REST)

    def run(self, installation: Installation, stop: threading.Event) -> None:
        """Measure until `stop`; of each time that it does not succeed one line tells."""
        configuration: Configuration | None = None
        told = ""
        while not stop.is_set():
            started = self._ticks()
            try:
                if configuration is None:
                    configuration, started = Configuration(installation.settings), self._ticks()
                self._measures = self._measure(installation, configuration)
                self._is_away, told = False, ""
            except Fault as fault:
                self._is_away = True
                if told != fault.code:
                    log.warning("health.store.away", code=fault.code)
                told = fault.code
            except Exception as failure:  # figures are no reason to end
                self._is_away = True
                if told != type(failure).__name__:
                    log.error("health.failed", failure=type(failure).__name__)
                told = type(failure).__name__
            self._spent = self._ticks() - started
            stop.wait(self._rest())

    def _measure(self, installation: Installation, configuration: Configuration) -> Measures:
        started, now, watch = self._ticks(), installation.now(), installation.store.watch
        self.totals.follow(watch.gauges)
        bank = configuration.bank()
        return Measures(
            open=watch.gauges.open_counts(),
            oldest=watch.gauges.oldest(),
            at_risk=self._at_risk(watch.gauges, bank.table, now),
            tail=watch.gauges.tail(),
            incidents=watch.incidents.newest(is_open=True, limit=_INCIDENTS),
            unsent=watch.alerts.count_unsent(("log", "webhook", "mail"), since=now),
            endings=endings(self._settings, bank),
            targets=installation.store.targets.standing(),
            is_refused=configuration.refused is not None,
            now=now,
            at=self._ticks(),
            seconds=self._ticks() - started,
        )

    def _at_risk(self, gauges: Gauges, table: RoutingTable, now: datetime) -> int:
        """By each deadline that is in force: a route has the shortest of its targets, everything else the general one."""
        general = self._settings.delivery.schedule.deadline
        shorter: dict[timedelta, list[str]] = {}
        for route in table.routes:
            own = [timedelta(hours=t.deadline_hours) for t in route.targets if t.deadline_hours is not None]
            if own and min(own) < general:
                shorter.setdefault(min(own), []).append(route.name)
        special = tuple(name for names in shorter.values() for name in names)
        return gauges.at_risk(general, RISK_SHARE, now, without=special) + sum(
            gauges.at_risk(deadline, RISK_SHARE, now, routes=names) for deadline, names in shorter.items()
        )
