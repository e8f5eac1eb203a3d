"""Has connectors remove what attempts that died left readable: at the start, and every hour (`Connector.tidy`)."""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog

from intermediary.core.faults import Fault
from intermediary.wiring import Configuration

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)


def keep_tidy(configuration: Configuration, stop: threading.Event, *, every: timedelta = EVERY) -> None:
    """Until `stop`, in a thread of its own that nobody waits for: a folder on a share that hangs holds up nothing else."""
    while not stop.is_set():
        for ref in configuration.targets():
            tidy(configuration, ref.id)
        stop.wait(every.total_seconds())


def tidy(configuration: Configuration, target: str) -> None:
    """One target, if its connector has something to remove; what goes wrong there is logged, and comes round again."""
    try:
        tidied = getattr(configuration.own_connector(target), "tidy", None)
        cleared = tidied() if tidied is not None else 0
    except Fault as fault:
        log.warning("target.not-tidied", target=target, code=fault.code)
    except Exception as failure:  # a connector's defect ends no tidying of the others
        log.warning("target.not-tidied", target=target, failure=type(failure).__name__)
    else:
        if cleared:
            log.info("target.tidied", target=target, count=cleared)
