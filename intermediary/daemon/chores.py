"""What the supervisor does besides watching: each chore is short, repeatable, and harmless when two daemons do it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from intermediary.audit.second_place import copy_missing
from intermediary.audit.syslog import Syslog
from intermediary.core.faults import Fault
from intermediary.daemon.retention import Eraser
from intermediary.store.owners import is_alive
from intermediary.wiring import Configuration, Installation

log = structlog.get_logger(__name__)

MOURNING = timedelta(seconds=5)
ORDER_EVERY = timedelta(minutes=5)


class Chores:
    """The chores of one daemon; the supervisor calls `do` about once a second."""

    def __init__(
        self, installation: Installation, configuration: Configuration, *, now: Callable[[], datetime]
    ) -> None:
        self._installation = installation
        self._configuration = configuration
        self._now = now
        self._generation = configuration.generation
        self._sealed_at: datetime | None = None
        self._unsent_from: int | None = None
        self._order_at: datetime | None = None
        self._gone: dict[str, datetime] = {}
        self._failing: dict[str, str] = {}
        is_sure = lambda: installation.time.clock.doubt is None  # noqa: E731
        self._eraser = Eraser(installation.store, installation.settings, now=now, may_erase=is_sure)

    @property
    def failing(self) -> dict[str, str]:
        """The chores that failed when they were done last, with their code, or the kind of a failure nobody expected."""
        return self._failing.copy()

    @property
    def overdue(self) -> dict[tuple[str, str], int]:
        """By Mandant and route: how many parked Nachrichten lie longer than their term."""
        return self._eraser.overdue

    def do(self) -> None:
        """Do what is due; what fails comes round again, and is told once when it begins and once when it is over."""
        for chore in (
            self.free_dead_leases,
            self.wake_after_change,
            self.tend_targets,
            self.tend_order,
            self.seal_if_due,
            self._eraser.erase_due,
        ):
            self._try(chore)

    def free_dead_leases(self, mourning: timedelta = MOURNING) -> None:
        """Work of a process that has been gone for a while is taken again instead of after the lease; nothing is counted.

        The wait is for the supervisor of that process, maybe another daemon's: it sees the death and counts it.
        """
        now = self._now()
        gone: dict[str, datetime] = {}

        def is_held(owner: str) -> bool:
            if is_alive(owner, is_shared=self._installation.store.is_shared):
                return True
            gone[owner] = self._gone.get(owner, now)
            return now - gone[owner] < mourning

        freed = self._installation.store.release_dead(is_held, now=now)
        self._gone = gone
        if freed:
            log.info("leases.freed", count=freed)

    def free_dead_leases_at_start(self) -> None:
        """What an earlier daemon held when it was lost is free at once: the loss of a whole daemon counts for nothing."""
        self._try(lambda: self.free_dead_leases(timedelta(0)), name="free_dead_leases")

    def wake_after_change(self) -> None:
        """What waits for the operator is looked at again as soon as the configuration has changed."""
        self._configuration.bank()
        generation = self._configuration.generation
        if generation != self._generation:
            woken = self._installation.store.wake_misconfigured(self._now())
            self._generation = generation  # not before: while the store is away nobody was woken
            log.info("waiting.woken", count=woken)

    def tend_targets(self) -> None:
        """What waits for a target that is free again goes on, bit by bit."""
        self._installation.store.targets.tend(self._configuration.targets(), self._now())

    def tend_order(self) -> None:
        """At the start and now and then: whoever waits in its Vorgang for what a program without order has ended goes on."""
        now = self._now()
        if self._order_at is not None and timedelta(0) <= now - self._order_at < ORDER_EVERY:
            return
        woken = self._installation.store.order.care(now)
        self._order_at = now
        if woken:
            log.info("order.woken", count=woken)

    def seal_if_due(self) -> None:
        """A signed head at least every `head_seconds`, and as soon as `head_events` wait for one."""
        now = self._now()
        audit = self._installation.settings.audit
        is_time = self._sealed_at is None or (now - self._sealed_at).total_seconds() >= audit.head_seconds
        if is_time or self._installation.store.count_unsealed(audit.head_events) >= audit.head_events:
            self._sealed_at = now
            self.seal()

    def seal(self) -> None:
        """Seal what was committed, and bring the second place up to it; heads it missed while it was away follow.

        Both are tried, and a fault is logged: a full disk here must not keep back heads that are sealed already.
        """
        self._try(self._seal_store)
        self._try(self._copy_heads)
        if self._installation.settings.audit.heads_syslog is not None:
            self._try(self._send_heads)

    def _seal_store(self) -> None:
        head = self._installation.store.seal_heads(self._installation.signing.sign, now=self._now())
        if head is not None and self._unsent_from is None:
            self._unsent_from = head.size

    def _copy_heads(self) -> None:
        installation = self._installation
        copied = copy_missing(installation.settings.audit.heads_folder, installation.store.heads)
        if copied > 1:
            log.info("audit.heads.caught_up", count=copied)

    def _send_heads(self) -> None:
        """What this daemon has sealed and not sent yet; its first head covers whatever an earlier one could not send."""
        if self._unsent_from is None:
            return
        heads = self._installation.store.heads(self._unsent_from)
        with Syslog(self._installation.settings.audit.heads_syslog or "", host=socket.gethostname()) as syslog:
            syslog.send(heads)
        self._unsent_from = None

    def _try(self, chore: Callable[[], None], *, name: str = "") -> None:
        name = name or chore.__name__.strip("_")
        before = self._failing.get(name)
        try:
            chore()
        except Fault as fault:
            self._failing[name] = fault.code
            if before != fault.code:
                log.error("chore.failed", reason=name, code=fault.code, where=fault.where)
        except Exception as failure:  # the supervisor has children to watch: no chore may end it
            self._failing[name] = kind = type(failure).__name__
            if before != kind:
                log.error("chore.failed", reason=name, failure=kind)
        else:
            if self._failing.pop(name, None) is not None:
                log.info("chore.healed", reason=name)
