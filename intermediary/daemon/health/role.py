"""What the health process runs: the server at once, the measuring as soon as the store is there."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import structlog

from intermediary.daemon.health.pages import pages
from intermediary.daemon.health.processes import Processes
from intermediary.daemon.health.sample import Sampler
from intermediary.daemon.patience import open_when_there
from intermediary.ingress.https.bounds import Bounds, Listening
from intermediary.ingress.https.server import Server
from intermediary.settings.load import load

log = structlog.get_logger(__name__)

_BOUNDS = Bounds(header=5.0, idle=5.0, total=10.0, send=10.0, per_client=16, connections=64)


def run_health(config: Path, ordered: str, stop: threading.Event) -> int:
    """Serve until `stop`; 1 when the address cannot be had. `ordered`: `role=processes`, with commas between."""
    settings = load(config)
    sampler = Sampler(settings)
    counts = {role: int(count) for role, _, count in (one.partition("=") for one in ordered.split(","))}
    channels = tuple(one.name for one in settings.channel)
    processes = Processes(settings.installation.data, counts, channels, supervisor=os.getppid())
    health = settings.health
    server = Server(
        pages(settings, processes, sampler),
        Listening(host=health.host, port=health.port, bounds=_BOUNDS),
        on_open=lambda port: log.info("health.listening", port=port),
    )
    threading.Thread(target=_measure, args=(config, sampler, stop), daemon=True).start()
    threading.Thread(target=_end_when_stopped, args=(server, stop), daemon=True).start()
    try:
        server.run_until_stopped()
    except OSError as failure:
        log.error("health.closed", where=f"{settings.health.listen}: {failure.strerror or type(failure).__name__}")
        return 1
    return 0


def _measure(config: Path, sampler: Sampler, stop: threading.Event) -> None:
    try:
        installation = open_when_there(config, stop.is_set)
        if installation is not None:
            sampler.run(installation, stop)
    except Exception as failure:  # without figures the other pages still answer
        log.error("health.failed", failure=type(failure).__name__)


def _end_when_stopped(server: Server, stop: threading.Event) -> None:
    stop.wait()
    server.should_exit = True
