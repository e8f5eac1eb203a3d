"""Whether a target would have something twice: the question before a deliberate redelivery (promise G16)."""

from __future__ import annotations

from collections.abc import Callable

from intermediary.core.faults import Misconfigured
from intermediary.core.ports import Idempotency
from intermediary.settings.models import Settings
from intermediary.store.records import NachrichtRecord
from intermediary.wiring import connectors, read_routes

TwiceHurts = Callable[[NachrichtRecord, str], bool]
"""Of a Nachricht and one of its targets: whether that target cannot tell a second delivery from a first one."""


def twice_hurts(settings: Settings) -> TwiceHurts:
    """By the routes and connectors of today; a target that is not configured any more counts as one that cannot tell."""
    table = read_routes(settings.installation.routes)
    installed = connectors(settings)

    def hurts(nachricht: NachrichtRecord, target: str) -> bool:
        route = table.by_name(nachricht.mandant, nachricht.route)
        named = next((one for one in route.targets if one.name == target), None) if route else None
        if named is None:
            return True
        try:
            return installed.get(named.connector).manifest.idempotency is Idempotency.NONE
        except Misconfigured:
            return True

    return hurts
