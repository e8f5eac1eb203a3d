"""The door of a channel of type `xta_passive`: an XTA server that portals send to and Fachverfahren fetch from."""

from __future__ import annotations

import time

from intermediary.ingress.doors import DoorRules, DoorStatus
from intermediary.ingress.https.door import Events, HttpsDoor
from intermediary.xta.server.allowances import Allowances
from intermediary.xta.server.desk import Desk, Naming
from intermediary.xta.server.house import House
from intermediary.xta.server.managing import Readers
from intermediary.xta.server.reception import Reception
from intermediary.xta.server.settings import ServerSettings

_EVENTS = Events("xta.listening", "xta.closed")


class XtaDoor(HttpsDoor):
    """Serves the three ports of XTA 2.1.1; implements `Door`."""

    def __init__(
        self,
        settings: ServerSettings,
        rules: DoorRules,
        readers: Readers,
        naming: Naming,
        house: House,
        *,
        sync_services: frozenset[str] = frozenset(),
    ) -> None:
        self._allowances = Allowances(rules.channel, settings, ticks=time.monotonic)
        desk = Desk(
            house,
            rules,
            readers,
            naming,
            self._allowances,
            sync_services=sync_services,
            on_holding=self.note_holding,
        )

        def serve() -> Reception:
            return Reception(desk, settings, rules, spool=house.spool, clock=house.clock)

        super().__init__(settings, rules.channel, house.gate, serve=serve, events=_EVENTS)

    @property
    def status(self) -> DoorStatus:
        """While it takes, an account that is out of its allowance shows as a code."""
        status = super().status
        return status if status.code else DoorStatus(status.state, self._allowances.alarm)
