"""One pass over everything that is due: what the daemon does by itself and a person by `retention run`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from intermediary.core.faults import Transient
from intermediary.core.retention import Rule, Terms
from intermediary.core.states import NachrichtState
from intermediary.store.ended import KEPT
from intermediary.store.erasure import Place
from intermediary.store.retention import Cleared, Group, Retention

What = Literal["left-overs", "payloads", "overdue", "message-ids", "search-keys", "ended", "tidied"]


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a pass did.

    `payloads` were erased by a rule; `left-overs` are blobs of earlier erasures; `message-ids` and `search-keys` were
    forgotten (for the latter `count` says how many Nachrichten were looked at), `ended` is what jobs and incidents had left.
    `overdue`: nothing was done, so many are parked longer than their term. `tidied`: the engine's own files hold nothing of
    it any more (1), or still may (0).
    """

    what: What
    count: int
    group: Group | None = None
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass with these terms. May be dropped after any step, and made anew; two at once do each thing once."""

    retention: Retention
    terms: Terms
    dedupe: timedelta
    search: timedelta

    def steps(self, now: datetime) -> Iterator[Step]:
        """Everything that is due at `now`, a bounded step (below a second) at a time; first who is overdue.

        `Transient("store.unavailable")` at its end, when blobs of erased payloads could not be removed.
        """
        erased = stuck = 0
        ruled = [(one, self.terms.rule(one.mandant, one.route, one.state)) for one in self.retention.groups()]
        for group, rule in ruled:
            if rule.state is _PARKED:
                yield from self._overdue(group, rule, now)
        for cleared in self._clear():
            stuck += cleared.stuck
            yield Step("left-overs", cleared.gone)
        for group, rule in ruled:
            for step in self._erase(group, rule, now) if rule.state is not _PARKED else ():
                erased += step.count
                yield step
        yield from self._forget(now)
        if erased:
            yield Step("tidied", int(self.retention.tidy()))
        if stuck:
            raise Transient("store.unavailable", where=f"{stuck} payloads that are erased cannot be removed")

    def _clear(self) -> Iterator[Cleared]:
        after: str | None = ""
        while after is not None:
            cleared = self.retention.clear_left_overs(after)
            after = cleared.after
            if cleared.gone or cleared.stuck:
                yield cleared

    def _erase(self, group: Group, rule: Rule, now: datetime) -> Iterator[Step]:
        after: Place | None = None
        is_over = False
        while not is_over:
            bite = self.retention.erase(group, rule, now=now, after=after)
            after, is_over = bite.after, bite.after is None
            if bite.erased or not is_over:
                yield Step("payloads", bite.erased, group, rule)

    def _overdue(self, group: Group, rule: Rule, now: datetime) -> Iterator[Step]:
        if any(one.covers(group.mandant, group.route) for one in self.retention.holds.standing()):
            return
        if count := self.retention.count(group, now - rule.term):
            yield Step("overdue", count, group, rule)

    def _forget(self, now: datetime) -> Iterator[Step]:
        while count := self.retention.forget_message_ids(now - self.dedupe, now=now):
            yield Step("message-ids", count)
        while count := self.retention.forget_search_keys(now - self.search, now=now):
            yield Step("search-keys", count)
        while count := self.retention.forget_ended(now - KEPT, now=now):
            yield Step("ended", count)


_PARKED = NachrichtState.PARKED
