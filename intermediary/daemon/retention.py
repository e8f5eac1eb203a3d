"""The chore that obeys the terms: a piece of a pass at a time, so that nothing else of the supervisor has to wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import structlog

from intermediary.settings.models import Settings
from intermediary.settings.retention import terms
from intermediary.store.erasing import Pass, Step
from intermediary.store.store import Store

log = structlog.get_logger(__name__)

REST = timedelta(minutes=10)
"""Between the end of one pass and the next: terms are counted in days."""

_PIECE_SECONDS = 0.5


class Eraser:
    """Erases what is due, by itself. `may_erase` is asked before every step: while the clock is doubted nothing is due."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        now: Callable[[], datetime],
        may_erase: Callable[[], bool],
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pass = Pass(
            store.retention,
            terms(settings.retention),
            dedupe=timedelta(days=settings.memory.dedupe_days),
            search=timedelta(days=settings.memory.search_days),
        )
        self._now = now
        self._may_erase = may_erase
        self._tick = tick
        self._steps: Iterator[Step] | None = None
        self._overdue: dict[tuple[str, str], int] = {}
        self.overdue: dict[tuple[str, str], int] = {}
        """By Mandant and route: the parked that lie longer than their term, as the last pass found them."""
        self._not_before: datetime | None = None
        self._is_tidy = False

    def erase_due(self) -> None:
        """A piece of the pass that is under way, or the first one of a new pass; a fault ends the pass, and is raised."""
        now = self._now()
        if not self._may_erase() or (self._not_before is not None and now < self._not_before <= now + REST):
            return
        if self._steps is None:
            self._overdue = {}
            self._is_tidy = self._is_tidy or self._pass.retention.tidy()
        steps = self._steps or self._pass.steps(now)
        self._steps, self._not_before = None, now + REST
        end = self._tick() + _PIECE_SECONDS
        for step in steps:
            _tell(step)
            self._is_tidy = bool(step.count) if step.what == "tidied" else self._is_tidy and step.what != "payloads"
            if step.what == "overdue" and step.group is not None and step.count:
                key = (step.group.mandant, step.group.route)
                self._overdue[key] = self._overdue.get(key, 0) + step.count
            elif step.what != "overdue":  # they come first: whatever becomes of the pass, all of them are known
                self.overdue = self._overdue
            if self._tick() >= end or not self._may_erase():
                self._steps, self._not_before = steps, None
                return
        self.overdue = self._overdue


def _tell(step: Step) -> None:
    group = step.group
    if not step.count or step.what == "tidied":
        return
    if group is None:
        log.info("retention.cleared", reason=step.what, count=step.count)
        return
    told = {"mandant": group.mandant, "route": group.route, "state": group.state.value, "count": step.count}
    if step.what == "overdue":
        log.warning("retention.overdue", **told)
    else:
        log.info("retention.erased", **told)
