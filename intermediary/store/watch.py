"""What those who watch the installation ask of its store."""

from __future__ import annotations

from dataclasses import dataclass

from intermediary.store.alerts import Alerts
from intermediary.store.database import Database
from intermediary.store.gauges import Gauges
from intermediary.store.incidents import Incidents


@dataclass(frozen=True, slots=True)
class Watch:
    """Measures that stay cheap, the incidents made of them, and the alerts that tell of these; `Store.watch`."""

    gauges: Gauges
    incidents: Incidents
    alerts: Alerts


def watch(db: Database) -> Watch:
    """The three for one open database."""
    return Watch(Gauges(db), Incidents(db), Alerts(db))
