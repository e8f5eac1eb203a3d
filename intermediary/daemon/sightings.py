"""What the daemon finds wrong, as sightings: pure, from measures of the store, bulletins, chores and certificates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from intermediary.core.bulletin import Bulletin
from intermediary.core.codes import CATALOGUE, Healer
from intermediary.core.faults import Fault
from intermediary.core.incidents import AT_ONCE, Sighting
from intermediary.daemon.places import RESTING, Places
from intermediary.settings.watching import Incidents
from intermediary.store.gauges import Tail, Trouble
from intermediary.store.job_records import JobRecord, JobState
from intermediary.wiring.endings import Ending

DAYS = (30, 14, 3)
"""When a certificate that ends is told: one incident, told anew each time, so that the last one is not overheard."""

_TIME = frozenset({Healer.TIME})
_DELIBERATE = frozenset({"order.waits", "target.limited", "target.paused"})
"""What waits because somebody wants it to: for an earlier Nachricht of its Vorgang, within limits, at a pause."""
_SOON = frozenset({RESTING})
"""What time heals, but was given enough of it before it got this code."""
_OF_MANDANTEN = frozenset({"reader", "signature"})


def from_troubles(troubles: Iterable[Trouble], places: Places, settings: Incidents) -> Iterator[Sighting]:
    """What is parked is an incident at once; what waits, when it has waited for as long as its healer may need."""
    for one in troubles:
        where = {"mandant": one.mandant, "route": one.route, "target": one.target, "channel": one.channel}
        spot = places.spot(code=one.code, **where)
        patience = AT_ONCE if one.is_parked else patience_for(one.code, settings)
        if spot is not None and (one.is_parked or spot.code not in _DELIBERATE):
            mandanten = frozenset({one.mandant})
            yield Sighting(spot.code, spot.place, one.count, mandanten, patience, formerly=spot.formerly)


def patience_for(code: str, settings: Incidents) -> timedelta:
    """How long something may last before somebody is told: what time heals longer than what an operator heals."""
    known = CATALOGUE.get(code)
    is_quick = known is not None and (known.healer not in _TIME or code in _SOON)
    return timedelta(seconds=settings.operator_seconds if is_quick else settings.transient_seconds)


def from_tail(tail: Tail, settings: Incidents, now: datetime) -> Iterator[Sighting]:
    """A sealer that stands still."""
    if tail.since is not None and now - tail.since >= timedelta(seconds=settings.unsealed_seconds):
        yield Sighting("audit.unsealed", "audit")


def from_endings(endings: Iterable[Ending], now: datetime) -> Iterator[Sighting]:
    """Certificates whose end has come near or is past, each by the last of DAYS that is reached."""
    for one in endings:
        left = one.days_left(now)
        passed = [
            ("certificate.ending", f"certificate {one.purpose} {one.owner} {days}") for days in DAYS if left < days
        ]
        if left < 0:
            passed.append(("certificate.ended", f"certificate {one.purpose} {one.owner}"))
        if passed:
            *formerly, (code, place) = passed
            mandanten = frozenset({one.owner} if one.purpose in _OF_MANDANTEN else ())
            yield Sighting(code, place, 0, mandanten, formerly=tuple(reversed(formerly)), is_news=True)


def from_bulletins(bulletins: Iterable[Bulletin], host: str, settings: Incidents) -> Iterator[Sighting]:
    """What keeps this host from taking or working."""
    for bulletin in bulletins:
        for obstacle in bulletin.obstacles:
            mandanten = frozenset({obstacle.mandant} if obstacle.mandant else ())
            place = f"mandant {obstacle.mandant}" if obstacle.mandant else f"host {host}"
            yield Sighting(obstacle.code, place, 0, mandanten, timedelta(seconds=settings.operator_seconds))
        for channel in bulletin.channels:
            if not channel.obstacles and (channel.code in CATALOGUE or channel.state in ("closed", "opening")):
                code = channel.code if channel.code in CATALOGUE else "intake.door.closed"
                patience = patience_for(code, settings)
                yield Sighting(code, f"channel {channel.channel}", patience=patience)


def from_overdue(overdue: Mapping[tuple[str, str], int]) -> Iterator[Sighting]:
    """Parked Nachrichten that nobody has decided on within their term, by Mandant and route."""
    for (mandant, route), count in overdue.items():
        place, once = (f"route {mandant}/{route}", f"route {route}") if route else (f"mandant {mandant}", "")
        formerly = (("retention.overdue", once),) if once else ()
        yield Sighting("retention.overdue", place, count, frozenset({mandant}), formerly=formerly)


def from_jobs(jobs: Iterable[JobRecord]) -> Iterator[Sighting]:
    """Jobs that have stopped by themselves and wait for a person."""
    for job in jobs:
        if job.state is JobState.PAUSED and job.code:
            mandant = job.selection.get("mandant")
            yield Sighting(job.code, f"job {job.id}", job.failed, frozenset({mandant} if mandant else ()))


def from_failing(failing: Mapping[str, str], host: str, settings: Incidents) -> Iterator[Sighting]:
    """Chores that fail, by name and code; an unexpected failure is the developers'."""
    patience = timedelta(seconds=settings.operator_seconds)
    for chore, code in failing.items():
        name = code if code in CATALOGUE else "bug.unexpected"
        yield Sighting(name, f"chore {chore} {host}", patience=patience)


def from_refused(refused: Fault | None, host: str, settings: Incidents) -> Iterator[Sighting]:
    """A configuration that this host does not take: file, first mistake in it and its kind, never what stands there."""
    if refused is not None:
        first = next(iter(refused.findings), None)
        line = f"line {first.line}" if first and first.line else ""
        what = f": {first.path or line} ({first.code})" if first else ""
        place = f"configuration {host} {refused.where}{what}"
        yield Sighting(refused.code, place, patience=patience_for(refused.code, settings))
