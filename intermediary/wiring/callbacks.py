"""The door of `[callbacks]`, joined to the store and to the connectors of the routes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from intermediary.core.callbacks import Hearing
from intermediary.core.faults import Misconfigured
from intermediary.ingress.callbacks.door import CallbackDoor
from intermediary.ingress.callbacks.reception import Caller
from intermediary.ingress.callbacks.verdicts import Verdicts
from intermediary.ingress.https.bounds import Listening
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles
from intermediary.settings.listening import Callbacks
from intermediary.wiring.configuration import Configuration
from intermediary.wiring.installation import Installation
from intermediary.wiring.work import OpenTargets


def open_callbacks(
    settings: Callbacks,
    installation: Installation,
    configuration: Configuration,
    *,
    spool: Spool,
    now: Callable[[], datetime],
) -> CallbackDoor:
    """The endpoint for all targets whose connector hears callbacks; that of a vendor, in its lane, does not."""
    targets = OpenTargets(configuration)

    def find(mandant: str, route: str, name: str) -> Caller | None:
        try:
            target = targets(mandant, route, name)
        except Misconfigured:
            return None
        return Caller(target.connector, target.ref.names) if isinstance(target.connector, Hearing) else None

    tls = None
    if settings.tls_cert is not None and settings.tls_key is not None:
        tls = TlsFiles(settings.tls_cert, settings.tls_key, settings.client_ca)
    listening = Listening(settings.host, settings.port, tls)
    return CallbackDoor(listening, find, Verdicts(installation.store, now), spool=spool, clock=now)
