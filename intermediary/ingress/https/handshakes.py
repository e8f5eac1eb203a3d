"""TLS handshakes that fail: told to the operator, whose partner sees no more than a closed connection."""

from __future__ import annotations

import ssl
import time
from collections import Counter
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

_SECONDS = 60.0
"""The shortest time between two lines for one reason."""


class Handshakes:
    """What failed at one address, by reason; each reason is told at once, and then at most once a minute, with a count."""

    def __init__(self, where: str, now: Callable[[], float] = time.monotonic) -> None:
        self._where = where
        self._now = now
        self._told: dict[str, float] = {}
        self._since: Counter[str] = Counter()

    def watch(self, context: ssl.SSLContext) -> None:
        """Have every handshake under this context noted that fails for TLS; a client that goes away is none."""
        note = self.note

        class Noted(ssl.SSLObject):
            def do_handshake(self) -> None:
                try:
                    super().do_handshake()
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLEOFError):
                    raise
                except ssl.SSLError as failure:
                    note(told(failure))
                    raise

        context.sslobject_class = Noted

    def note(self, reason: str) -> None:
        """One more that failed for this reason."""
        self._since[reason] += 1
        now, last = self._now(), self._told.get(reason)
        if last is None or now - last >= _SECONDS:
            log.warning("https.client.refused", reason=reason, where=self._where, count=self._since.pop(reason))
            self._told[reason] = now


def told(failure: ssl.SSLError) -> str:
    """Why, in the constant words of OpenSSL: of the certificate where it is that, else of the protocol."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        return failure.verify_message
    return (failure.reason or "SSL").replace("_", " ").lower()
