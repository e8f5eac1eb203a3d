"""What was sent to us, as the store keeps it: the order is read from the sealed body, the rest from the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from intermediary.core.faults import Misconfigured
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.core.values import Befund, Eingang
from intermediary.ingress.doors import Take
from intermediary.keys.spool import Spool
from intermediary.store.errors import NotPossible
from intermediary.store.records import NachrichtRecord, Taken
from intermediary.store.store import Store
from intermediary.unseal.documents import unchanging
from intermediary.unseal.xta.entity import read_entity
from intermediary.unseal.xta.values import MessageMetaData, moment_of
from intermediary.xta.server.house import Cancelling, Judged, Standing, Verdict
from intermediary.xta.server.records import standing_of_nachricht

_N = NachrichtState
_REFUSING = frozenset({_N.REJECTED, _N.DISCARDED, _N.ANSWERING})
_ARRIVED = frozenset({ZustellungState.DELIVERED, ZustellungState.AWAITING})


@dataclass(frozen=True, slots=True)
class StoreSubmissions:
    """Implements `Submissions`. `told` is what the author of a judged one is told, `decided` what the report says."""

    store: Store
    taking: Take = field(repr=False)
    judging: Callable[[str], None] = field(repr=False)
    told: Callable[[NachrichtRecord, str], bytes] = field(repr=False)
    decided: Callable[[NachrichtRecord, str], bytes] = field(repr=False)
    spool: Spool
    clock: Callable[[], datetime]

    def take(self, eingang: Eingang) -> Taken:
        (taken,) = self.taking([eingang])
        return taken

    def judge(self, nachricht_id: str) -> None:
        self.judging(nachricht_id)

    def verdict(self, nachricht_id: str) -> Verdict | Judged:
        """Once planned, a Nachricht was judged good: what becomes of it afterwards stands in the report."""
        nachricht = self.store.get(nachricht_id)
        if nachricht.route:
            return Verdict()
        if nachricht.code == "intake.conflict":
            return Verdict("intake.conflict")
        if nachricht.state in _REFUSING and nachricht.verdict_code:
            return Verdict(nachricht.verdict_code, _findings(nachricht))
        due = nachricht.own_due_at
        is_in_hand = nachricht.state is _N.RECEIVED and due is not None and due <= self.clock()
        return Judged.IN_HAND if is_in_hand else Judged.WAITS

    def find(self, mandant: str, message_id: str, account: str) -> str | None:
        found = self.store.find_by_message_id(mandant, message_id, account)
        return found[0].id if found else None

    def order(self, nachricht_id: str) -> MessageMetaData | None:
        try:
            return read_entity(unchanging(self.store.body(nachricht_id), self.spool), self.spool).metadata()
        except Misconfigured as fault:
            if fault.code in ("payload.erased", "payload.missing"):
                return None
            raise

    def standing(self, nachricht_id: str, message_id: str) -> Standing:
        nachricht = self.store.get(nachricht_id)
        optional = (one for one in self.store.zustellungen(nachricht_id) if not one.required)
        has_warnings = any(one.state not in _ARRIVED for one in optional)
        told = self.decided(nachricht, message_id) if nachricht.verdict else b""
        return standing_of_nachricht(nachricht, has_warnings=has_warnings, quittung=told)

    def cancel(self, nachricht_id: str, now: datetime) -> Cancelling:
        nachricht = self.store.get(nachricht_id)
        term = moment_of(self._not_before(nachricht_id))
        if term is not None and now >= term and nachricht.code != "intake.cancelled":
            return Cancelling.TOO_LATE
        try:
            self.store.post_boxes.cancel(nachricht_id, now=now)
        except NotPossible:
            return Cancelling.TOO_LATE
        return Cancelling.CANCELLED

    def _not_before(self, nachricht_id: str) -> str:
        order = self.order(nachricht_id)
        return "" if order is None else order.delivery.not_before

    def quittung(self, nachricht_id: str, message_id: str) -> bytes:
        return self.told(self.store.get(nachricht_id), message_id)


def _findings(nachricht: NachrichtRecord) -> tuple[Befund, ...]:
    found = nachricht.plan.get("findings", ())
    return tuple(Befund(**one) for one in found) if isinstance(found, list) else ()
