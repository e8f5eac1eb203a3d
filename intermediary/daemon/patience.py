"""Opens the installation as soon as the store is there: a database that comes up after us is no reason to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from intermediary.core.faults import Transient
from intermediary.wiring import Installation, open_installation

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 1.0


def open_when_there(
    config: Path, should_stop: Callable[[], bool], *, sleep: Callable[[float], None] = time.sleep
) -> Installation | None:
    """The opened installation; None when `should_stop` says so before the store answers.

    What time heals is waited for and told once for each code; everything else is raised as by `open_installation`.
    """
    told = ""
    while not should_stop():
        try:
            return open_installation(config)
        except Transient as fault:
            if told != fault.code:
                log.error("store.away", code=fault.code, where=fault.where)
            told = fault.code
            sleep(AGAIN_SECONDS)
    return None
