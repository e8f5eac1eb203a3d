"""One post box: fetches what lies there, secures each delivery before the next request, and passes by what is stuck.

In order, while all is well. After a delivery that could not be opened or kept the dialog is silent, so the intermediary
still has it and would hand out the same one again; from then on process cards tell what waits, and each delivery is
fetched by its id, without those that are stuck. Nothing is given up that is not durable.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.ingress.fetching.box import Keep, Visit
from intermediary.ingress.fetching.stuck import Stuck, short_hash
from intermediary.osci.client.cards import waiting_cards
from intermediary.osci.client.emptying import Emptying, NotKept, Visiting
from intermediary.osci.client.line import Line

log = structlog.get_logger(__name__)

_CARDS = 100
_PATIENCE = 3


class PostBox:
    """One post box of one Mandant; `visit` is called by one thread at a time. `name` is for logs."""

    def __init__(self, name: str, visiting: Visiting, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._visiting = visiting
        self._ticks = ticks
        self._stuck = Stuck()
        self._by_id = False
        self._has_cards = True
        self._failures = 0

    @property
    def name(self) -> str:
        return self._name

    @property
    def stuck(self) -> int:
        """How many deliveries are passed by."""
        return len(self._stuck)

    def visit(
        self,
        line: Line,
        keep: Keep,
        should_stop: Callable[[], bool] = lambda: False,
        should_leave: Callable[[], bool] = lambda: False,
    ) -> Visit:
        """One dialog: fetch and keep what waits. Raises the faults of `Dialog`, and whatever `keep` raises.

        Whenever it ends, everything that was not kept still lies in the post box.
        """
        emptying = Emptying(self._visiting, line, keep, should_stop, should_leave)
        try:
            return self._by_cards(emptying) if self._by_id and self._has_cards else self._in_order(emptying)
        except NotKept as one:
            return self._pass_by(one, emptying.kept)
        except (Transient, Unclear) as fault:
            self._count_failure(fault, emptying)
            raise
        finally:
            emptying.dialog.abandon()

    def _in_order(self, emptying: Emptying) -> Visit:
        emptying.begin()
        has_more = True
        while has_more and emptying.may_go_on:
            has_more = emptying.fetch(None)
            self._failures = 0
        emptying.end()
        self._by_id, self._has_cards = False, True
        return Visit(emptying.kept, has_more)

    def _by_cards(self, emptying: Emptying) -> Visit:
        emptying.begin()
        limit = _CARDS + len(self._stuck)
        try:
            cards = waiting_cards(emptying.dialog, limit=limit, where=emptying.line.where)
        except (Misconfigured, Unclear) as fault:
            self._has_cards = False
            log.error("osci.fetch.no-cards", post_box=self._name, code=fault.code, where=fault.where)
            return Visit(0, has_more=False, stuck=max(1, len(self._stuck)))
        waiting = list(dict.fromkeys(card.message_id for card in cards if card.message_id))
        self._stuck.keep_only(waiting)
        due = [one for one in waiting if not self._stuck.waits(one, self._ticks())]
        due.sort(key=self._stuck.knows)  # what failed before ends the dialog when it fails again: the others first
        tried = 0
        while tried < len(due) and emptying.may_go_on:
            emptying.fetch(due[tried])
            self._stuck.settle(due[tried])
            self._failures = 0
            tried += 1
        emptying.end()
        self._by_id = len(self._stuck) > 0
        has_more = tried < len(due) or (len(cards) >= limit and emptying.kept > 0)
        return Visit(emptying.kept, has_more, len(self._stuck))

    def _pass_by(self, one: NotKept, kept: int) -> Visit:
        """Remember it, and go on at once: with process cards the others are reached."""
        was_by_id, self._by_id = self._by_id and self._has_cards, True
        self._failures = 0
        wait = 0.0 if one.message_id is None else self._stuck.add(one.message_id, self._ticks())
        log.error(
            "osci.delivery.stuck",
            post_box=self._name,
            code="dialog.delivery.stuck",
            reason=one.code,
            message_sha256="" if one.message_id is None else short_hash(one.message_id),
            again_seconds=round(wait),
        )
        reached = self._has_cards and (one.message_id is not None or not was_by_id)
        return Visit(kept, reached, max(1, len(self._stuck)))

    def _count_failure(self, fault: Fault, emptying: Emptying) -> None:
        """A delivery that ends every dialog by silence or errors must not block the post box either."""
        if emptying.asked is None:
            return
        self._failures += 1
        is_known = emptying.asked.message_id is not None and self._stuck.knows(emptying.asked.message_id)
        if self._failures < _PATIENCE and not is_known:
            return
        self._pass_by(NotKept(fault.code, emptying.asked.message_id), emptying.kept)
