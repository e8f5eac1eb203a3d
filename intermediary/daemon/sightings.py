"""What the daemon finds wrong, as sightings: pure, from measures of the store, bulletins, chores and certificates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from intermediary.core.bulletin import Bulletin
from intermediary.core.codes import CATALOGUE, Healer
from intermediary.core.incidents import AT_ONCE, Sighting
from intermediary.settings.watching import Incidents
from intermediary.store.gauges import Tail, Trouble
from intermediary.store.job_records import JobRecord, JobState
from intermediary.wiring.endings import Ending

DAYS = (30, 14, 3)
"""When a certificate that ends is told: each is an incident of its own, so that the last one is not overheard."""

_TIME = frozenset({Healer.TIME})
_DELIBERATE = frozenset({"order.waits", "target.limited", "target.paused"})
"""What waits because somebody wants it to: for an earlier Nachricht of its Vorgang, within limits, at a pause."""
_SOON = frozenset({"target.resting"})
"""What time heals, but was given enough of it before it got this code."""


def place_of(*, code: str, route: str, target: str, channel: str) -> str:
    """Where a Nachricht or Zustellung stands still, by words of the configuration."""
    if target:
        return f"target {route}/{target}"
    return f"route {route}" if route and not code.startswith("receipt.") else f"channel {channel}"


def from_troubles(troubles: Iterable[Trouble], settings: Incidents) -> Iterator[Sighting]:
    """What is parked is an incident at once; what waits, when it has waited for as long as its healer may need."""
    for one in troubles:
        place = place_of(code=one.code, route=one.route, target=one.target, channel=one.channel)
        patience = AT_ONCE if one.is_parked else patience_for(one.code, settings)
        if one.is_parked or one.code not in _DELIBERATE:
            yield Sighting(one.code, place, one.count, frozenset({one.mandant}), patience)


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
    """Certificates whose end has come near, one sighting for each of DAYS that is reached."""
    for one in endings:
        for days in DAYS:
            if one.days_left(now) < days:
                yield Sighting("certificate.ending", f"certificate {one.purpose} {one.owner} {days}")


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
        place = f"route {route}" if route else f"mandant {mandant}"
        yield Sighting("retention.overdue", place, count, frozenset({mandant}))


def from_jobs(jobs: Iterable[JobRecord]) -> Iterator[Sighting]:
    """Jobs that have stopped by themselves and wait for a person."""
    for job in jobs:
        if job.state is JobState.PAUSED and job.code:
            yield Sighting(job.code, f"job {job.id}", job.failed)


def from_failing(failing: Mapping[str, str], host: str, settings: Incidents) -> Iterator[Sighting]:
    """Chores that fail, by name and code; an unexpected failure is the developers'."""
    patience = timedelta(seconds=settings.operator_seconds)
    for chore, code in failing.items():
        name = code if code in CATALOGUE else "bug.unexpected"
        yield Sighting(name, f"chore {chore} {host}", patience=patience)
