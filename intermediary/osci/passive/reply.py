"""What goes back over HTTP: a status, the OSCI answer, and whether it leaves on the grid of refusals."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from intermediary.osci.passive.feedback import INTERNAL, NO_REQUEST, UNDECRYPTABLE
from intermediary.osci.write.fault import write_fault

LATER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `retry_after` in seconds is set where the delivery is to be repeated.

    `is_refusal`: it leaves at the next tick of the grid, so that the time it took does not tell why (rule R3).
    """

    body: bytes = field(repr=False)
    status: int = 200
    retry_after: int | None = None
    is_refusal: bool = True


def fault(code: str) -> Reply:
    """A SOAP fault whose bytes depend on the code alone."""
    return Reply(write_fault(code, server=code in (INTERNAL, "9503")))


def later(seconds: float = LATER_SECONDS) -> Reply:
    """It cannot be answered now: the intermediary keeps the delivery and repeats it. Says nothing of what was taken."""
    body = write_fault(INTERNAL, "Zurzeit nicht möglich, bitte wiederholen", server=True)
    return Reply(body, 503, retry_after=max(1, math.ceil(seconds)))


def too_large() -> Reply:
    """More bytes than the channel takes."""
    body = write_fault(NO_REQUEST, "Die Nachricht ist größer, als dieser Empfänger annimmt", server=False)
    return Reply(body, 413)


def too_slow() -> Reply:
    """The client did not send its request in time; the connection ends with it."""
    return Reply(b"", 408)


UNDECRYPTED = fault(UNDECRYPTABLE)
"""The one answer to everything that cannot be decrypted (rule R3)."""
