"""How an XTA server listens, for how long an answer waits for a verdict, and what an account may cost."""

from __future__ import annotations

from dataclasses import dataclass

from intermediary.ingress.https.bounds import Listening
from intermediary.ingress.https.failures import FAILURES_PER_HOUR

MALFORMED_PER_HOUR = 200


@dataclass(frozen=True, slots=True)
class ServerSettings(Listening):
    """Where to listen; TLS with client certificates is not optional. `judged_seconds` 0 answers without any verdict.

    `failures_per_hour` is how often an account is told that a container cannot be decrypted (rule R3), `malformed_per_hour`
    how often it may send, to one port, what is no request of XTA.
    """

    judged_seconds: float = 10.0
    failures_per_hour: int = FAILURES_PER_HOUR
    malformed_per_hour: int = MALFORMED_PER_HOUR

    def __post_init__(self) -> None:
        if self.tls is None or self.tls.client_ca is None:
            raise ValueError("a server of XTA demands client certificates")
