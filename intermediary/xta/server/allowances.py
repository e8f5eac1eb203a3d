"""How often an account may send what cannot be decrypted (rule R3) or is no request of XTA; then it has to wait."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from intermediary.ingress.https.failures import Alarm, Failures
from intermediary.xta.server.refusal import Later
from intermediary.xta.server.settings import ServerSettings
from intermediary.xta.wire.operations import Port

_UNDECRYPTABLE = "xta.content.undecryptable"
_DECRYPT = Alarm("xta.decrypt.alarm", "intake.decrypt.alarm")
_MALFORMED = Alarm("xta.malformed.alarm", "intake.malformed.alarm")
_MOST_TOLD = 10_000


class Allowances:
    """Those of all accounts of one server; safe for all threads.

    A failed decryption counts when its author is told, and once for each Nachricht: nothing is learned before, whatever was
    sent to be judged later, and nothing new afterwards.
    """

    def __init__(self, channel: str, settings: ServerSettings, *, ticks: Callable[[], float]) -> None:
        self._decrypting = Failures(channel, _DECRYPT, per_hour=settings.failures_per_hour, ticks=ticks)
        self._reading = Failures(channel, _MALFORMED, per_hour=settings.malformed_per_hour, ticks=ticks)
        self._lock = threading.Lock()
        self._told: OrderedDict[str, None] = OrderedDict()

    @property
    def alarm(self) -> str:
        """The code that operators see while an account is out of its allowance; empty for none."""
        if self._decrypting.suspects:
            return _DECRYPT.code
        return _MALFORMED.code if self._reading.suspects else ""

    def demand_decrypting(self, account: str) -> None:
        """Raise `Later` for an account that is told nothing more of what its sealed containers came to."""
        wait = self._decrypting.wait_seconds(account)
        if wait:
            raise Later(wait)

    def tell(self, account: str, nachricht_id: str, code: str) -> None:
        """The account is about to learn that its Nachricht was refused with this code."""
        if code != _UNDECRYPTABLE:
            return
        with self._lock:
            is_new = nachricht_id not in self._told
            self._told[nachricht_id] = None
            self._told.move_to_end(nachricht_id)
            if len(self._told) > _MOST_TOLD:
                self._told.popitem(last=False)
        if is_new:
            self._decrypting.count(account)

    def malformed(self, account: str, port: Port) -> None:
        """The account sent something to a port that is no request of XTA."""
        self._reading.count(f"{account} {port}")

    def wait_seconds(self, account: str, port: Port) -> float:
        """How long nothing more is read of this account at a port; 0 when it is."""
        return self._reading.wait_seconds(f"{account} {port}")
