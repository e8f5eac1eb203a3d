"""What one worker thread works with."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime

from intermediary.deliver import Deliverer, OpenTarget, Timing
from intermediary.receipt import Answers, Receipts
from intermediary.scan import Scanner
from intermediary.settings.models import Settings
from intermediary.wiring.configuration import Configuration
from intermediary.wiring.installation import Installation
from intermediary.worker import Bench


def bench(
    installation: Installation,
    configuration: Configuration,
    answers: Mapping[str, Answers | None],
    *,
    now: Callable[[], datetime] | None = None,
    jitter: Callable[[], float] = random.random,
) -> Bench:
    """What one worker thread works with: its own connectors, and the process's ways back (`all_answers`)."""
    settings, now = installation.settings, now or installation.now
    timing = Timing(schedule=settings.delivery.schedule, recheck=settings.delivery.recheck)
    targets = OpenTargets(configuration)
    return Bench(
        store=installation.store,
        bank=configuration.bank,
        deliverer=Deliverer(installation.store, target=targets, timing=timing, now=now, jitter=jitter),
        receipts=Receipts(installation.store, answers.get),
        timing=timing,
        now=now,
        jitter=jitter,
        scanner=scanner_of(settings),
    )


def scanner_of(settings: Settings) -> Scanner | None:
    """The virus scanner of an installation; None where none is configured."""
    scan = settings.scan
    if scan is None:
        return None
    return Scanner(scan.clamd, scan.connect_seconds, scan.answer_seconds, scan.max_bytes)


class OpenTargets:
    """The targets one worker thread has opened; forgotten when the configuration changes."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._generation = -1
        self._open: dict[tuple[str, str, str], OpenTarget] = {}

    def __call__(self, mandant: str, route: str, name: str) -> OpenTarget:
        if self._generation != self._configuration.generation:
            self._generation = self._configuration.generation
            self._open.clear()
        key = (mandant, route, name)
        if key not in self._open:
            self._open[key] = self._configuration.target(*key)
        return self._open[key]
