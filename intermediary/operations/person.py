"""Who asks, and why: every change a person makes carries both into the audit trail."""

from __future__ import annotations

from dataclasses import dataclass


class ReasonMissing(Exception):
    """A change was asked for without saying why."""


@dataclass(frozen=True, slots=True)
class Request:
    """A person and a reason. `actor` is the account name; `reason` is free text of at least one word."""

    actor: str
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ReasonMissing("a change needs a reason (--reason); it is written into the audit trail")
