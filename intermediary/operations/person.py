"""Who asks, and why: every change a person makes carries both into the audit trail."""

from __future__ import annotations

from dataclasses import dataclass


class ReasonMissing(Exception):
    """A change was asked for without saying why."""


@dataclass(frozen=True, slots=True)
class Request:
    """A person and a reason. `actor` is the account name; `reason` is free text of at least one word.

    `subject` is the person behind the account, the same for all accounts that can be told to be theirs; empty when the
    face of the program cannot tell. `approval` is the id of what a second person approved (`operations/approvals.py`).
    """

    actor: str
    reason: str
    subject: str = ""
    approval: str = ""

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ReasonMissing("a change needs a reason (--reason); it is written into the audit trail")
