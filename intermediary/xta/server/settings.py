"""How an XTA server listens, and for how long an answer waits for a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from intermediary.ingress.https.bounds import Listening


@dataclass(frozen=True, slots=True)
class ServerSettings(Listening):
    """Where to listen; TLS with client certificates is not optional. `judged_seconds` 0 answers without any verdict."""

    judged_seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.tls is None or self.tls.client_ca is None:
            raise ValueError("a server of XTA demands client certificates")
