"""The door of a channel of type `osci_passive`."""

from __future__ import annotations

import time

from intermediary.ingress.doors import DoorRules, DoorStatus
from intermediary.ingress.https.door import Events, HttpsDoor
from intermediary.ingress.https.failures import Alarm, Failures
from intermediary.osci.passive.delivery import Deliveries, House
from intermediary.osci.passive.reception import Reception
from intermediary.osci.passive.settings import PassiveSettings

_EVENTS = Events("osci.listening", "osci.closed")
_ALARM = Alarm("osci.decrypt.alarm", "intake.decrypt.alarm")


class PassiveDoor(HttpsDoor):
    """Takes what an OSCI intermediary delivers; implements `Door`."""

    def __init__(self, settings: PassiveSettings, rules: DoorRules, house: House) -> None:
        self._failures = Failures(rules.channel, _ALARM, per_hour=settings.failures_per_hour, ticks=time.monotonic)
        deliveries = Deliveries(house, rules, self._failures, on_holding=self.note_holding)

        def serve() -> Reception:
            return Reception(deliveries, settings, rules, spool=house.spool, clock=house.clock)

        super().__init__(settings, rules.channel, house.gate, serve=serve, events=_EVENTS)

    @property
    def status(self) -> DoorStatus:
        """While it takes, partners that may be asking an oracle show as a code."""
        status = super().status
        if not status.code and self._failures.suspects:
            return DoorStatus(status.state, _ALARM.code)
        return status
