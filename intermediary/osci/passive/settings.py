"""How a passive recipient listens, and what it bears."""

from __future__ import annotations

from dataclasses import dataclass

from intermediary.ingress.https.bounds import Listening
from intermediary.ingress.https.failures import FAILURES_PER_HOUR


@dataclass(frozen=True, slots=True)
class PassiveSettings(Listening):
    """Where to listen, and for how long an answer may be waited for.

    `judged_seconds` is the longest wait for the verdict; `tick_seconds` the grid on which refusals leave (rule R3).
    `failures_per_hour` is how often one partner may send what cannot be decrypted.
    """

    judged_seconds: float = 10.0
    tick_seconds: float = 0.25
    failures_per_hour: int = FAILURES_PER_HOUR
