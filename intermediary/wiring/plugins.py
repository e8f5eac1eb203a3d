"""Connectors as a process of the daemon has them: ours loaded here, those of vendors in lanes of their own."""

from __future__ import annotations

from intermediary.connect.lane.connector import isolator
from intermediary.connect.lane.process import LaneLimits
from intermediary.route.plugins import Connectors
from intermediary.settings.models import Settings

_MEGABYTE = 1024 * 1024


def connectors(settings: Settings | None = None) -> Connectors:
    """The installed connectors; without settings with the default limits, for who only wants to know what is there."""
    limits = LaneLimits()
    if settings is not None:
        lane = settings.lane
        limits = LaneLimits(
            deliver_seconds=lane.deliver_seconds,
            ask_seconds=lane.ask_seconds,
            memory_bytes=lane.memory_megabytes * _MEGABYTE,
        )
    return Connectors(isolate=isolator(limits))
