"""What `lint` sees of targets that call back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from intermediary.route.table import RoutingTable
from intermediary.settings.finding import Finding
from intermediary.settings.models import Settings

_CONNECTOR = "rest"


def lint_callbacks(settings: Settings, table: RoutingTable) -> Iterator[Finding]:
    """Who calls back needs an address of ours to call: else every verdict is overdue."""
    if settings.callbacks is not None:
        return
    for route in table.routes:
        for target in route.targets:
            verdict = target.settings.get("verdict")
            if target.connector == _CONNECTOR and isinstance(verdict, Mapping) and "callback" in verdict:
                path = f"route[{route.name}].target[{target.name}].settings.verdict.callback"
                what = "the target is to call back, but nobody listens: there is no [callbacks]"
                yield Finding(
                    settings.installation.routes, path, what, f"add it to {settings.file.name}, with `listen`"
                )
