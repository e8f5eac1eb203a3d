"""Requests that wait for a second person: one row each, moved once, with its events in the installation's chain.

Who may approve is decided in `operations/approvals.py`; here it is made sure that every step happens once, however many
processes ask for it at the same moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from intermediary.store.database import Database, whole
from intermediary.store.demands import Remembered
from intermediary.store.errors import NotFound, StoreError
from intermediary.store.installation import record_installation
from intermediary.store.tables import approvals

_C = approvals.c


class ApprovalState(StrEnum):
    """Where a request stands; `refused` and `used` are final, and so is anything past `expires_at`."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Approval:
    """One request as it stands durably.

    `asked` is what was asked for in canonical JSON, exactly; `effect` what it would have done then: `count`, `lines` and
    the `ids` of the Nachrichten it is about, no content. `subject` is the person behind the account `actor`; `second_*`
    who decided.
    """

    id: str
    verb: str
    asked: str
    asked_sha256: str
    effect: Mapping[str, Any]
    reason: str
    actor: str
    subject: str
    created_at: datetime
    expires_at: datetime
    state: ApprovalState = ApprovalState.OPEN
    second_actor: str = ""
    second_subject: str = ""
    second_reason: str = ""
    decided_at: datetime | None = None
    used_by: str = ""
    used_at: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        """Whether nothing can come of it any more because its time is over."""
        return self.state in (ApprovalState.OPEN, ApprovalState.APPROVED) and now >= self.expires_at


class NotApproved(StoreError):
    """A request cannot take this step; `why` is one of `WHYS`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Approvals:
    """The requests of one store, reached by `Store.approvals`. `now` is always an argument."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @property
    def remembered(self) -> Remembered:
        """What needs a second person, whatever the configuration says."""
        return Remembered(self._db)

    def ask(self, approval: Approval) -> None:
        """Write a new request and its event."""
        _ask(self._db, approval)

    def decide(
        self, approval_id: str, *, approves: bool, actor: str, subject: str, reason: str, now: datetime
    ) -> Approval:
        """Open → approved or refused; `NotApproved` when it is decided already or its time is over."""
        return _decide(self._db, approval_id, approves, actor=actor, subject=subject, reason=reason, now=now)

    def use(self, approval_id: str, *, asked_sha256: str, actor: str, now: datetime) -> Approval:
        """Approved → used, once and for ever: what it allows is carried out by whoever gets this answer, and nobody else.

        `NotApproved` when it was not approved, is used or over, or was given for something else (`asked_sha256`).
        """
        return _use(self._db, approval_id, asked_sha256=asked_sha256, actor=actor, now=now)

    def get(self, prefix: str) -> Approval:
        """The request whose id begins so; `NotFound` when it is not exactly one."""
        with self._db.read() as tx:
            found = tx.execute(select(approvals).where(_C.id.startswith(prefix, autoescape=True)).limit(2)).all()
        if len(found) != 1 or not prefix:
            raise NotFound(prefix)
        return _approval(found[0])

    def find(self) -> Iterator[Approval]:
        """All requests, newest first."""
        with self._db.read() as tx:
            found = tx.execute(select(approvals).order_by(_C.created_at.desc(), _C.id.desc())).all()
        yield from map(_approval, found)


def use_in(db: Database, tx: Connection, approval_id: str, *, asked_sha256: str, actor: str, now: datetime) -> Approval:
    """`Approvals.use` as a part of the caller's own transaction, for what is carried out by one transaction."""
    found = _locked(tx, approval_id)
    if found.state is not ApprovalState.APPROVED:
        raise NotApproved(found.state.value)
    if found.is_expired(now):
        raise NotApproved("expired")
    if found.asked_sha256 != asked_sha256:
        raise NotApproved("changed")
    tx.execute(update(approvals).where(_C.id == found.id).values(state=ApprovalState.USED, used_by=actor, used_at=now))
    fields = {
        "approval": found.id,
        "verb": found.verb,
        "requested_by": found.actor,
        "approved_by": found.second_actor,
        "asked_sha256": found.asked_sha256,
    }
    record_installation(db, tx, "approval.used", fields, now=now, actor=actor)
    return found


@whole
def _ask(db: Database, approval: Approval) -> None:
    values = {name: getattr(approval, name) for name in Approval.__slots__}
    fields = {
        "approval": approval.id,
        "verb": approval.verb,
        "asked_sha256": approval.asked_sha256,
        "count": int(approval.effect.get("count", 0)),
        "reason": approval.reason,
    }
    with db.write() as tx:
        tx.execute(insert(approvals), values)
        record_installation(db, tx, "approval.requested", fields, now=approval.created_at, actor=approval.actor)


@whole
def _decide(
    db: Database, approval_id: str, approves: bool, *, actor: str, subject: str, reason: str, now: datetime
) -> Approval:
    with db.write() as tx:
        found = _locked(tx, approval_id)
        if found.state is not ApprovalState.OPEN:
            raise NotApproved(found.state.value)
        if found.is_expired(now):
            raise NotApproved("expired")
        state = ApprovalState.APPROVED if approves else ApprovalState.REFUSED
        values = {
            "state": state,
            "second_actor": actor,
            "second_subject": subject,
            "second_reason": reason,
            "decided_at": now,
        }
        tx.execute(update(approvals).where(_C.id == found.id).values(**values))
        fields = {"approval": found.id, "verb": found.verb, "requested_by": found.actor, "reason": reason}
        event = "approval.given" if approves else "approval.refused"
        record_installation(db, tx, event, fields, now=now, actor=actor)
        return _approval(tx.execute(select(approvals).where(_C.id == found.id)).one())


@whole
def _use(db: Database, approval_id: str, *, asked_sha256: str, actor: str, now: datetime) -> Approval:
    with db.write() as tx:
        return use_in(db, tx, approval_id, asked_sha256=asked_sha256, actor=actor, now=now)


def _locked(tx: Connection, approval_id: str) -> Approval:
    row = tx.execute(select(approvals).where(_C.id == approval_id).with_for_update()).one_or_none()
    if row is None:
        raise NotApproved("unknown")
    return _approval(row)


def _approval(row: Row[Any]) -> Approval:
    values = dict(row._mapping)
    return Approval(**{**values, "state": ApprovalState(values["state"])})
