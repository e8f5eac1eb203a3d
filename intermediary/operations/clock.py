"""A person says that the time is right after a jump (promise G12): audited, and nothing becomes due or late by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from intermediary.core.clock import Doubt
from intermediary.core.faults import Misconfigured
from intermediary.operations.person import Request
from intermediary.wiring import Installation


@dataclass(frozen=True, slots=True)
class Accepted:
    """By how much the time was set, why it had been doubted, and how many open Nachrichten moved along."""

    doubt: Doubt
    shift: timedelta
    moved: int


def accept_clock(installation: Installation, request: Request) -> Accepted | None:
    """Set the time of the installation to its reference; None when nothing is doubted, and then nothing changes.

    Running daemons notice within seconds. `Misconfigured("clock.untrusted")` when the clock of this host differs from the
    database server's: then one of both is wrong, and only setting it helps. `Transient` when the store does not answer.
    """
    keeper = installation.time
    judged = keeper.look()
    if judged.doubt is None:
        return None
    if judged.doubt is Doubt.DIFFERS:
        seconds = round(judged.off.total_seconds())
        raise Misconfigured("clock.untrusted", where=f"this host's clock differs from the database's by {seconds:+d} s")
    zero = judged.zero + judged.off
    fields = {
        "doubt": judged.doubt.value,
        "shift_seconds": round(judged.off.total_seconds()),
        "reason": request.reason,
    }
    moved = installation.store.pulse.set_time(
        keeper.boot_id,
        zero=zero,
        shift=judged.off,
        now=zero + keeper.reading().boot,
        actor=request.actor,
        fields=fields,
    )
    keeper.look()
    return Accepted(judged.doubt, judged.off, moved)
