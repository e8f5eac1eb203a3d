"""Whether a target would have something twice: the question before a deliberate redelivery (promise G16)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from intermediary.connect.settings import open_connector
from intermediary.core.faults import Fault
from intermediary.core.ports import Idempotency
from intermediary.settings.models import Settings
from intermediary.store.records import NachrichtRecord
from intermediary.wiring import connectors, read_routes

TwiceHurts = Callable[[NachrichtRecord, str], bool]
"""Of a Nachricht and one of its targets: whether that target cannot tell a second delivery from a first one."""


def twice_hurts(settings: Settings) -> TwiceHurts:
    """By the routes and connectors of today; a target that is not configured any more counts as one that cannot tell.

    Each is asked once, of the connector as its settings make it: what a target offers may depend on them.
    """
    file = settings.installation.routes
    table = read_routes(file)
    installed = connectors(settings)

    @cache
    def cannot_tell(mandant: str, route: str, target: str) -> bool:
        planned = table.by_name(mandant, route)
        named = next((one for one in planned.targets if one.name == target), None) if planned else None
        if named is None:
            return True
        try:
            factory, where = installed.get(named.connector), f"route {route}, target {target}"
            connector = open_connector(factory, named.settings, base=file.parent, where=where)
        except Fault:
            return True
        return connector.manifest.idempotency is Idempotency.NONE

    return lambda nachricht, target: cannot_tell(nachricht.mandant, nachricht.route, target)
