"""Terms and holds for people: what would be erased when, do it now, keep something from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from intermediary.core.faults import Misconfigured
from intermediary.core.retention import Rule
from intermediary.core.states import NachrichtState
from intermediary.operations.approvals import Approvals, Wish
from intermediary.operations.person import Request
from intermediary.operations.selection import BadSelection, Selection
from intermediary.settings.models import Settings
from intermediary.settings.retention import terms
from intermediary.store.erasing import Pass, Step
from intermediary.store.holds import Outcome, SingleHold, StandingHold
from intermediary.store.records import NachrichtRecord
from intermediary.store.retention import Group
from intermediary.store.store import Store
from intermediary.wiring import Installation

HORIZON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a rule ends for one group: `due` now, `week` and `month` from then on up to 7 and 30 days from now.

    `held` says that a hold of the Mandant or route stops it all. Of parked ones nothing is erased: `due` are those for
    which a person should have decided.
    """

    group: Group
    rule: Rule
    due: int
    week: int
    month: int
    held: bool

    @property
    def is_alarm(self) -> bool:
        """Whether the term ends in an alarm, and erases nothing."""
        return self.rule.state is NachrichtState.PARKED


def foresee(store: Store, settings: Settings, now: datetime) -> Iterator[Forecast]:
    """Every group that has a payload with a term, and how many of it are due when; changes nothing.

    Where an older program moved a Nachricht, its receipt stands for the moment it reached its state: it is counted too
    early, and erased in time.
    """
    retention, rules = store.retention, terms(settings.retention)
    holds = retention.holds.standing()
    for group in retention.groups():
        rule = rules.rule(group.mandant, group.route, group.state)
        end = now - rule.term
        week, month = end + timedelta(days=7), end + HORIZON
        yield Forecast(
            group=group,
            rule=rule,
            due=retention.count(group, end),
            week=retention.count(group, week, since=end),
            month=retention.count(group, month, since=week),
            held=any(one.covers(group.mandant, group.route) for one in holds),
        )


def run(installation: Installation) -> Iterator[Step]:
    """What the daemon's chore does by itself, at once and to its end.

    `Misconfigured("clock.untrusted")` while the time is in doubt: what is erased too early is gone.
    """
    doubt = installation.time.clock.doubt
    if doubt is not None:
        raise Misconfigured("clock.untrusted", where=doubt)
    memory = installation.settings.memory
    whole = Pass(
        installation.store.retention,
        terms(installation.settings.retention),
        dedupe=timedelta(days=memory.dedupe_days),
        search=timedelta(days=memory.search_days),
    )
    return whole.steps(installation.now())


@dataclass(frozen=True, slots=True)
class Held:
    """What became of one subject of a hold: a Nachricht, or (with `standing`) everything of a Mandant or route."""

    subject: str
    outcome: Outcome
    standing: bool = False


class Keep:
    """Sets and releases holds over a selection; every change demands a `Request` and is audited by the store.

    A release may need a second person (`[approvals] required = ["hold-release"]`).
    """

    def __init__(self, store: Store, *, now: Callable[[], datetime], approvals: Approvals) -> None:
        self._store = store
        self._now = now
        self._approvals = approvals

    def hold(self, selection: Selection, request: Request) -> Iterator[Held]:
        """Hold every Nachricht that the selection names now."""
        return self._each(self._chosen(selection), self._store.retention.holds.hold, request)

    def release(self, selection: Selection, request: Request) -> Iterator[Held]:
        """Release every Nachricht that the selection names and that is held; holds of a Mandant or route stay."""
        ids = [nachricht.id for nachricht in self._chosen(selection) if nachricht.held_since is not None]
        lines = (f"die Löschsperre von {len(ids)} Nachrichten wird aufgehoben",)
        wish = Wish("hold-release", {"nachrichten": sorted(ids)}, count=len(ids), lines=lines, ids=tuple(ids))
        consent = self._approvals.demand(wish, request) if ids else None
        for nachricht_id in ids:
            if consent is not None:
                self._approvals.tell(nachricht_id, consent, request)
            yield self._one(nachricht_id, self._store.retention.holds.release, request)

    def hold_all(self, selection: Selection, request: Request) -> Held:
        """Hold everything of a Mandant (and route), also what comes later; `BadSelection` for any other condition."""
        return self._all(selection, self._store.retention.holds.hold_all, request)

    def release_all(self, selection: Selection, request: Request) -> Held:
        """Release what `hold_all` held."""
        mandant, route = _standing(selection)
        lines = (f"die Löschsperre für alles von {mandant}{f', Route {route}' if route else ''} wird aufgehoben",)
        self._approvals.demand(Wish("hold-release", {"mandant": mandant, "route": route}, lines=lines), request)
        return self._all(selection, self._store.retention.holds.release_all, request)

    def _chosen(self, selection: Selection) -> list[NachrichtRecord]:
        if selection.is_empty:
            raise BadSelection("name the messages: ids or conditions such as mandant=… route=… since=…")
        return list(selection.of(self._store))

    def _each(
        self, chosen: Iterable[NachrichtRecord], change: Callable[..., Outcome], request: Request
    ) -> Iterator[Held]:
        for nachricht in chosen:
            yield self._one(nachricht.id, change, request)

    def _one(self, nachricht_id: str, change: Callable[..., Outcome], request: Request) -> Held:
        outcome = change(nachricht_id, actor=request.actor, reason=request.reason, now=self._now())
        return Held(nachricht_id, outcome)

    def _all(self, selection: Selection, change: Callable[..., Outcome], request: Request) -> Held:
        mandant, route = _standing(selection)
        outcome = change(mandant, route, actor=request.actor, reason=request.reason, now=self._now())
        return Held(f"{mandant}/{route}" if route else mandant, outcome, standing=True)


def _standing(selection: Selection) -> tuple[str, str]:
    mandant = selection.mandant
    if mandant is None or selection != Selection(mandant=mandant, route=selection.route, limit=selection.limit):
        raise BadSelection("a standing hold is about mandant=NAME, or mandant=NAME route=NAME")
    return mandant, selection.route or ""


def held(store: Store, selection: Selection) -> tuple[tuple[StandingHold, ...], list[SingleHold]]:
    """The standing holds, and the Nachrichten of the selection (all, if it is empty) that are held by themselves."""
    holds = store.retention.holds
    standing = tuple(one for one in holds.standing() if selection.mandant in (None, one.mandant))
    found = holds.single() if selection.is_empty else selection.of(store)
    return standing, [_with_reason(store, one) for one in found if one.held_since is not None]


def _with_reason(store: Store, nachricht: NachrichtRecord) -> SingleHold:
    """The reason stands in the audit trail, and nowhere else."""
    told = [entry.event for entry in store.events(nachricht.id) if entry.event.name == "hold.set"]
    return SingleHold(nachricht, told[-1].actor, told[-1].fields["reason"]) if told else SingleHold(nachricht, "", "")
