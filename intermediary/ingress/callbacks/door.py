"""The door of `[callbacks]`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from intermediary.ingress.callbacks.reception import FindCaller, Reception
from intermediary.ingress.callbacks.verdicts import Verdicts
from intermediary.ingress.gate import OPEN
from intermediary.ingress.https.bounds import Listening
from intermediary.ingress.https.door import Events, HttpsDoor
from intermediary.keys.spool import Spool

NAME = "[callbacks]"
"""What the door is called where others have the name of their channel; no channel can have it."""

_EVENTS = Events("callbacks.listening", "callbacks.closed")
_WAIT_SECONDS = 3.0


class CallbackDoor(HttpsDoor):
    """Takes the verdicts of targets; implements `Door`. Its gate is open: what it takes ends work and brings none."""

    def __init__(
        self,
        settings: Listening,
        find: FindCaller,
        verdicts: Verdicts,
        *,
        spool: Spool,
        clock: Callable[[], datetime],
        wait_seconds: float = _WAIT_SECONDS,
    ) -> None:
        def serve() -> Reception:
            return Reception(
                find, verdicts, spool=spool, clock=clock, wait_seconds=wait_seconds, note_holding=self.note_holding
            )

        super().__init__(settings, NAME, OPEN, serve=serve, events=_EVENTS)
