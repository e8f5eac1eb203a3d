"""Incidents as people ask for them: listed, shown with their alerts, taken on; and a proof that alerts arrive."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from intermediary.daemon.alerts import NotTold
from intermediary.daemon.alerts.post import ways_of
from intermediary.daemon.alerts.way import probe_letter
from intermediary.daemon.telling import as_json
from intermediary.operations.person import Request
from intermediary.settings.models import Settings
from intermediary.store.incidents import AlertRecord, IncidentRecord
from intermediary.store.store import Store
from intermediary.wiring import Installation, utc_now


@dataclass(frozen=True, slots=True)
class Shown:
    """One incident with the alerts that told, or will tell, of it."""

    incident: IncidentRecord
    alerts: tuple[AlertRecord, ...]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        alerts = [
            {
                "phase": one.phase,
                "way": one.way,
                "attempts": one.attempts,
                "sentAt": one.sent_at.isoformat() if one.sent_at else None,
            }
            for one in self.alerts
        ]
        return {**as_json(self.incident), "alerts": alerts}


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one probe: `failure` is empty when the other side has it."""

    way: str
    failure: str


def listed(store: Store, *, with_ended: bool, limit: int) -> tuple[IncidentRecord, ...]:
    """Open incidents, or all, newest first."""
    return store.watch.incidents.newest(is_open=None if with_ended else True, limit=limit)


def shown(store: Store, prefix: str) -> Shown:
    """The incident whose id begins so; `NotFound`, `Ambiguous`."""
    found = store.watch.incidents.get(prefix)
    return Shown(found, store.watch.incidents.alerts_of(found.id))


def acknowledge(installation: Installation, prefix: str, request: Request) -> IncidentRecord:
    """A person takes an incident on; `NotPossible` when it is over or somebody has already."""
    incidents = installation.store.watch.incidents
    found = incidents.get(prefix)
    incidents.acknowledge(found.id, actor=request.actor, reason=request.reason, now=installation.now())
    return incidents.get(found.id)


def probe_ways(settings: Settings) -> Iterator[Told]:
    """Tell a probe on every way but the log; needs no store, so that it can be tried before the first start."""
    name = settings.installation.name
    for way in ways_of(settings, utc_now):
        if way.name == "log":
            continue
        try:
            way.tell(probe_letter(str(uuid.uuid4()), name))
        except NotTold as failure:
            yield Told(way.name, failure.reason)
        else:
            yield Told(way.name, "")
