"""What a target has done of one Zustellung already: steps, each committed before the connector goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from intermediary.audit.chain import canonical
from intermediary.core.faults import Fault, Unclear
from intermediary.core.states import IllegalTransition, ZustellungState
from intermediary.core.steps import Checkpoints
from intermediary.store.database import Database, whole
from intermediary.store.records import Claim
from intermediary.store.tables import delivery_steps
from intermediary.store.work import under_claim

_S = delivery_steps.c
_UNDER_WAY = frozenset({ZustellungState.INTENDED, ZustellungState.UNCLEAR})


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step that is done: of which Zustellung, in which attempt, when, and what the target said of it."""

    key: str
    step: str
    attempt: int
    done_at: datetime
    facts: Mapping[str, str] = field(repr=False)


class Ledger(Checkpoints):
    """The steps of one Zustellung as its connector sees them; each new one is committed under the claim.

    `claim` is the newest: go on with that one. When a step cannot be committed, what it stands for has happened all the
    same: `done` raises `Unclear`, whatever the store's own failure was.
    """

    __slots__ = ("_db", "_key", "_now", "claim")

    def __init__(
        self,
        db: Database,
        claim: Claim,
        key: str,
        *,
        names: Sequence[str],
        done: Mapping[str, Mapping[str, str]],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(names, done, self._commit)
        self._db = db
        self._key = key
        self._now = now
        self.claim = claim

    def _commit(self, step: str, facts: Mapping[str, str]) -> None:
        try:
            self.claim = commit_step(self._db, self.claim, self._key, step, facts, self._now())
        except Fault as failure:
            raise Unclear("delivery.unclear", where="steps") from failure


class DoneSteps:
    """The steps of all Zustellungen; reached by `Store.steps`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def open(self, claim: Claim, key: str, names: Sequence[str], now: Callable[[], datetime]) -> Ledger:
        """The steps of a Zustellung under a claim; nothing is read where the connector has none (`names`)."""
        done = {one.step: one.facts for one in self._of(_S.key == key)} if names else {}
        return Ledger(self._db, claim, key, names=names, done=done, now=now)

    def of(self, nachricht_id: str) -> tuple[StepRecord, ...]:
        """All steps of a Nachricht in the order they were done, by Zustellung; none once its payload is erased."""
        return self._of(_S.nachricht_id == nachricht_id)

    def _of(self, whose: object) -> tuple[StepRecord, ...]:
        chosen = select(_S.key, _S.step, _S.attempt, _S.done_at, _S.facts).where(whose)  # type: ignore[arg-type]
        with self._db.read() as tx:
            return tuple(StepRecord(*row) for row in tx.execute(chosen.order_by(_S.key, _S.position)))


@whole
def commit_step(db: Database, claim: Claim, key: str, step: str, facts: Mapping[str, str], now: datetime) -> Claim:
    """Make one step durable, with its event; once: the same again changes nothing (a commit's answer can be lost).

    `ValueError` when it is done with other facts, `IllegalTransition` when the Zustellung is not under way, `LeaseLost`.
    """
    with db.write() as tx:
        known = tx.execute(select(_S.facts).where(_S.key == key, _S.step == step)).scalar_one_or_none()
        if known is not None:
            if dict(known) != dict(facts):
                raise ValueError("the step is done already, with other facts")
            return claim
        work = under_claim(tx, claim, now)
        record = work.zustellung(key)
        if record.state not in _UNDER_WAY:
            raise IllegalTransition(f"the Zustellung is {record.state}")
        fields = {"target": record.target, "key": key, "attempt": record.attempts, "step": step}
        work.event("delivery.step", {**fields, "facts_sha256": facts_sha256(facts)})
        saved = work.save()  # the fence: nothing is written below without the lease
        last = tx.execute(select(func.max(_S.position)).where(_S.key == key)).scalar_one()
        row = {"key": key, "position": (last or 0) + 1, "nachricht_id": record.nachricht_id, "step": step}
        row |= {"attempt": record.attempts, "done_at": now, "facts": dict(facts)}
        tx.execute(insert(delivery_steps), row)
        return saved


def facts_sha256(facts: Mapping[str, str]) -> str:
    """What the audit trail keeps of the facts of a step: they are erased with the payload, this is not."""
    return hashlib.sha256(canonical(dict(facts))).hexdigest()


def forget_steps(tx: Connection, ids: Sequence[str]) -> None:
    """Erase the steps of Nachrichten, with their payloads."""
    tx.execute(delete(delivery_steps).where(_S.nachricht_id.in_(ids)))
