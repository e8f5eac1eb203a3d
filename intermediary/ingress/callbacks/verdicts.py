"""Commits the verdict that a target tells by itself, as if it had been asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from enum import StrEnum

from intermediary.core.callbacks import Heard
from intermediary.core.decide import OVERDUE, Decision
from intermediary.core.ports import Refused
from intermediary.core.states import ZustellungState
from intermediary.core.targets import target_name
from intermediary.store.errors import Busy
from intermediary.store.owners import own_name
from intermediary.store.post_box import Lying
from intermediary.store.records import ZustellungRecord
from intermediary.store.store import Store

_Z = ZustellungState


class Told(StrEnum):
    """What became of a callback; each is what its answer says."""

    TAKEN = "taken"
    KNOWN = "known"
    PENDING = "pending"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"


class Verdicts:
    """Used by the threads of one door. `now` is the time of the installation."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def take(self, names: Collection[str], heard: Heard) -> tuple[Told, str]:
        """What the target known by `names` said, durable when it returns, and of which Nachricht; its sender is told then.

        A verdict counts once and is never changed: repeated it is `KNOWN`, contradicted a `CONFLICT`, as is one that nobody
        waits for. `Busy` while a worker has the Nachricht, or does not know yet that the target has it.
        """
        found = self._store.post_boxes.those([heard.key])
        if not found or not self._is_from(names, found[0]):
            return Told.UNKNOWN, ""
        record, said = found[0].zustellung, heard.verdict
        if said is None:
            return Told.PENDING, record.nachricht_id
        reason = {"reason": said.reason} if isinstance(said, Refused) else {}
        decision = Decision(_Z.REFUSED, "target.refused") if reason else Decision(_Z.DELIVERED)
        if _is_open(record, decision):
            claim = self._store.claim_one(record.nachricht_id, own_name(), self._now())
            try:
                record = claim.zustellung(heard.key)
                if _is_open(record, decision):
                    proof = {**record.correlation, **said.proof, "told": "callback", **reason}
                    claim = self._store.settle(claim, heard.key, decision, now=self._now(), proof=proof)
                    return Told.TAKEN, record.nachricht_id
            finally:
                self._store.release(claim, self._now())
        return Told.KNOWN if record.state is decision.state else Told.CONFLICT, record.nachricht_id

    def _is_from(self, names: Collection[str], lying: Lying) -> bool:
        """Whether the Zustellung went to this target, by whichever of its routes."""
        route = self._store.get(lying.zustellung.nachricht_id).route
        return target_name(lying.mandant, route, lying.zustellung.target) in names


def _is_open(record: ZustellungRecord, decision: Decision) -> bool:
    """Whether the verdict may be committed now. What is sent at this moment will await it: `Busy`."""
    match record.state:
        case _Z.AWAITING:
            return True
        case _Z.UNCLEAR if decision.state is _Z.DELIVERED:
            return True
        case _Z.INTENDED | _Z.UNCLEAR:
            raise Busy(record.nachricht_id)
        case _:
            return (record.state, record.code, decision.state) == (_Z.PARKED, OVERDUE, _Z.DELIVERED)
