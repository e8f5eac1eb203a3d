"""Terms and holds for people: what would be erased when, do it now, keep something from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from intermediary.audit.chain import moment
from intermediary.core.faults import Misconfigured
from intermediary.core.retention import Rule
from intermediary.core.states import NachrichtState
from intermediary.core.tables import did_you_mean
from intermediary.operations.act import deny
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
from intermediary.wiring import Installation, read_routes

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
    """What became of one subject of a hold: a Nachricht, or (with `standing`) everything of a Mandant or route.

    `there` is the hold that stands, where it is another one than was meant (`other`) and can be told.
    """

    subject: str
    outcome: Outcome
    standing: bool = False
    there: SingleHold | StandingHold | None = None


class Keep:
    """Sets and releases holds over a selection; every change demands a `Request` and is audited by the store.

    A release may need a second person (`[approvals] required = ["hold-release"]`).
    """

    def __init__(self, installation: Installation, *, approvals: Approvals) -> None:
        self._settings = installation.settings
        self._store = installation.store
        self._now = installation.now
        self._approvals = approvals

    def hold(self, selection: Selection, request: Request) -> Iterator[Held]:
        """Hold every Nachricht that the selection names now.

        One that is held for another reason, or by somebody else, is `other`: it has one hold, which ends with its release.
        The attempt is in its chain.
        """
        for nachricht in self._chosen(selection):
            done = self._one(nachricht.id, self._store.retention.holds.hold, request)
            if done.outcome == "unchanged":
                done = self._compared(done, self._single(nachricht.id), request)
            yield self._told(done, request)

    def release(self, selection: Selection, request: Request) -> Iterator[Held]:
        """Release every Nachricht that the selection names and that is held; holds of a Mandant or route stay.

        What is approved, and released, are the holds that are there now: one that is set meanwhile is `other`, and stays.
        """
        found = list(with_reason(self._store, self._chosen(selection)))
        if not found:
            return
        lines = tuple(told(one) for one in found)
        ids = tuple(one.nachricht.id for one in found)
        consent = self._approvals.demand(
            Wish("hold-release", {"holds": sorted(lines)}, count=len(found), lines=lines, ids=ids), request
        )
        for one in found:
            self._approvals.tell(one.nachricht.id, consent, request)
            release = partial(self._store.retention.holds.release, since=one.since)
            yield self._told(self._one(one.nachricht.id, release, request), request)

    def hold_all(self, selection: Selection, request: Request) -> Held:
        """Hold everything of a Mandant (and route), also what comes later; `BadSelection` for any other condition.

        `BadSelection` also when neither the configuration nor any Nachricht knows it: such a hold would keep nothing.
        `other` when it is held for another reason, or by somebody else.
        """
        self._demand_there(*_standing(selection))
        done = self._all(selection, self._store.retention.holds.hold_all, request)
        return done if done.outcome == "held" else self._compared(done, self._standing(selection), request)

    def release_all(self, selection: Selection, request: Request) -> Held:
        """Release the hold of `hold_all` that is there now; one that is set meanwhile is `other`, and stays."""
        mandant, route = _standing(selection)
        there = self._standing(selection)
        if there is None:
            return Held(_subject(mandant, route), "unchanged", standing=True)
        line = told(there)
        self._approvals.demand(Wish("hold-release", {"holds": [line]}, lines=(line,)), request)
        return self._all(selection, partial(self._store.retention.holds.release_all, since=there.since), request)

    def _chosen(self, selection: Selection) -> list[NachrichtRecord]:
        if selection.is_empty:
            raise BadSelection("name the messages: ids or conditions such as mandant=… route=… since=…")
        return list(selection.of(self._store))

    def _demand_there(self, mandant: str, route: str) -> None:
        if next(self._store.find(mandant=mandant, route=route or None, limit=1), None) is not None:
            return
        routes = read_routes(self._settings.installation.routes).routes if route else ()
        known = [*(one.name for one in self._settings.mandant), *(_subject(one.mandant, one.name) for one in routes)]
        wanted = _subject(mandant, route)
        if wanted not in known:
            raise BadSelection(f'nothing is called "{wanted}"; {did_you_mean(wanted, known)}')

    def _single(self, nachricht_id: str) -> SingleHold | None:
        return next(with_reason(self._store, [self._store.get(nachricht_id)]), None)

    def _standing(self, selection: Selection) -> StandingHold | None:
        wanted = _standing(selection)
        known = self._store.retention.holds.standing()
        return next((one for one in known if (one.mandant, one.route) == wanted), None)

    def _compared(self, done: Held, there: SingleHold | StandingHold | None, request: Request) -> Held:
        """The same asked again is `unchanged`; anything else would lose its reason with the release of the first."""
        if there is not None and (there.actor, there.reason) == (request.actor, request.reason):
            return done
        return replace(done, outcome="other", there=there)

    def _told(self, done: Held, request: Request) -> Held:
        if done.outcome == "other":
            deny(self._store, done.subject, "hold", "another hold is there", request, now=self._now())
        return done

    def _one(self, nachricht_id: str, change: Callable[..., Outcome], request: Request) -> Held:
        outcome = change(nachricht_id, actor=request.actor, reason=request.reason, now=self._now())
        return Held(nachricht_id, outcome)

    def _all(self, selection: Selection, change: Callable[..., Outcome], request: Request) -> Held:
        mandant, route = _standing(selection)
        outcome = change(mandant, route, actor=request.actor, reason=request.reason, now=self._now())
        return Held(_subject(mandant, route), outcome, standing=True)


def _subject(mandant: str, route: str) -> str:
    return f"{mandant}/{route}" if route else mandant


def told(hold: SingleHold | StandingHold) -> str:
    """A hold as whoever approves its end reads it: what, since when, by whom, why. No other hold has the same text."""
    if isinstance(hold, StandingHold):
        route = f", Route {hold.route}" if hold.route else ""
        what, since = f"alles von {hold.mandant}{route}, auch Künftiges", hold.since
    else:
        what, since = f"Nachricht {hold.nachricht.id}", hold.since
    return f"Löschsperre für {what}, seit {moment(since)} durch {hold.actor}: {hold.reason}"


def _standing(selection: Selection) -> tuple[str, str]:
    mandant = selection.mandant
    chosen = Selection(mandant=mandant, route=selection.route, limit=selection.limit)
    if mandant is None or selection.route == "" or selection != chosen:
        raise BadSelection("a standing hold is about mandant=NAME, or mandant=NAME route=NAME")
    return mandant, selection.route or ""


def held(store: Store, selection: Selection) -> tuple[tuple[StandingHold, ...], list[SingleHold]]:
    """The standing holds, and the Nachrichten of the selection (all, if it is empty) that are held by themselves."""
    holds = store.retention.holds
    standing = tuple(one for one in holds.standing() if selection.mandant in (None, one.mandant))
    found = holds.single() if selection.is_empty else selection.of(store)
    return standing, list(with_reason(store, found))


def with_reason(store: Store, found: Iterable[NachrichtRecord]) -> Iterator[SingleHold]:
    """Those that are held by themselves. The reason stands in the audit trail, and nowhere else."""
    for one in found:
        if one.held_since is not None:
            set_ = [entry.event for entry in store.events(one.id) if entry.event.name == "hold.set"]
            actor, reason = (set_[-1].actor, set_[-1].fields["reason"]) if set_ else ("", "")
            yield SingleHold(one, one.held_since, actor, reason)
