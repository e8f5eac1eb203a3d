"""The send port: what is refused, what is made durable before it is answered, and what the judgement adds (digest §5)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace

from intermediary.core.faults import Rejected
from intermediary.core.ids import derived_id
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.doors import Angaben, DoorRules, build_eingang
from intermediary.unseal.xta.container import ContentContainer, Piece, read_container, same_sha256
from intermediary.unseal.xta.message import XTA_TYPE
from intermediary.unseal.xta.names import METADATA
from intermediary.unseal.xta.values import (
    CodeValue,
    DeliveryAttributes,
    MessageMetaData,
    MessageType,
    MsgIdentification,
    moment_of,
)
from intermediary.xta.server.allowances import Allowances
from intermediary.xta.server.calls import Call, Result
from intermediary.xta.server.fetching import stamp
from intermediary.xta.server.house import House, Judged, Verdict
from intermediary.xta.server.ids import Ids
from intermediary.xta.server.managing import QUITTUNG, Readers
from intermediary.xta.server.refusal import Later, Refused
from intermediary.xta.server.skeleton import skeleton
from intermediary.xta.vorgang import vorgang_of
from intermediary.xta.wire.metadata import write_metadata
from intermediary.xta.wire.operations import SEND_MESSAGE_SYNC

_VIRUS = frozenset({"scan.virus.found"})
_ENCODING = frozenset({"xml.encoding"})
_SCHEMA = ("validate.", "xml.")
_MOST_NOT_BEFORE_DAYS = 366


@dataclass(frozen=True, slots=True)
class Held:
    """A submission that is durable; what is left is its verdict."""

    nachricht_id: str
    call: Call = field(repr=False)
    order: MessageMetaData = field(repr=False)
    is_postponed: bool = False

    @property
    def is_sync(self) -> bool:
        return self.call.operation is SEND_MESSAGE_SYNC


class Sending:
    """The two operations of the send port: `take_in`, then `judge`, and `answer` until it is no longer None."""

    def __init__(
        self,
        house: House,
        ids: Ids,
        readers: Readers,
        rules: DoorRules,
        allowances: Allowances,
        *,
        sync_services: frozenset[str],
    ) -> None:
        self._house = house
        self._allowances = allowances
        self._ids = ids
        self._readers = readers
        self._rules = replace(rules, content_types=frozenset({XTA_TYPE}))
        self._sync = sync_services

    def take_in(self, call: Call) -> Held:
        """Make a submission durable; `Refused` for what its author has to heal, of which nothing stays."""
        order = call.envelope.metadata()
        call.client.demand_name(order.author.identifier)
        self._demand_kind(call, order)
        mandant = self._readers.mandant_of(order.reader.identifier)
        if mandant is None:
            raise Refused("9022")
        call.client.demand_service(order.qualifier.service)
        if not self._ids.is_usable(order.message_id, call.client.kennung):
            raise Refused("9022")
        if self._house.gate.obstacle(mandant) is not None:
            raise Later
        eingang = self._eingang(call, order, mandant)
        taken = self._house.submissions.take(eingang)
        if taken.outcome == "conflict":
            raise Refused("9024")
        return Held(taken.nachricht_id, call, order, eingang.not_before is not None)

    def judge(self, held: Held) -> None:
        """Judge it, if nobody has."""
        if not held.is_postponed:
            self._house.submissions.judge(held.nachricht_id)

    def answer(self, held: Held) -> Result | None:
        """The answer as it stands; None while somebody is at it. `Refused` for what was judged not good."""
        verdict = self._house.submissions.verdict(held.nachricht_id)
        if verdict is Judged.IN_HAND and not held.is_postponed:
            return None
        if not isinstance(verdict, Verdict):
            return self.open_answer(held)
        if verdict.code:
            self._allowances.tell(held.call.client.kennung, held.nachricht_id, verdict.code)
            raise Refused(_number(verdict.code))
        return self._quittung(held) if held.is_sync else Result()

    def open_answer(self, held: Held) -> Result:
        """The answer while there is no verdict: what is asynchronous is taken, and that is all it promises."""
        if held.is_sync:
            raise Later
        return Result()

    def _demand_kind(self, call: Call, order: MessageMetaData) -> None:
        is_sync = order.qualifier.service in self._sync
        if is_sync and call.operation is not SEND_MESSAGE_SYNC:
            raise Refused("9081")
        if not is_sync and call.operation is SEND_MESSAGE_SYNC:
            raise Refused("9080")

    def _eingang(self, call: Call, order: MessageMetaData, mandant: str) -> Eingang:
        """The container is read to its end: what its author has to heal is said before anything is kept."""
        container = read_container(call.envelope, self._house.spool)
        if not isinstance(container, ContentContainer):
            self._allowances.demand_decrypting(call.client.kennung)
        elif not container.message.content.length:
            raise Refused("9020")
        for element in (call.envelope.headers[METADATA], call.body):
            if self._house.check(skeleton(element)):
                raise Refused("9050")
        angaben = Angaben(
            content_type=XTA_TYPE, message_id=order.message_id, mandant=mandant, vorgang=vorgang_of(order)
        )
        try:
            eingang = build_eingang(self._rules, angaben, body=call.kept, received_at=call.at)
        except Rejected as refusal:
            raise Refused("9023" if refusal.code == "intake.size.exceeded" else "9021") from refusal
        not_before = moment_of(order.delivery.not_before)
        if not_before is None and order.delivery.not_before:  # beyond any calendar: a term, and not none
            raise Refused("9022")
        if not_before is not None and (not_before - call.at).days > _MOST_NOT_BEFORE_DAYS:
            raise Refused("9022")
        if not_before is not None and not_before <= call.at:
            not_before = None
        same = same_order(order, same_sha256(call.envelope, self._house.spool))
        return replace(eingang, same_sha256=same, not_before=not_before, account=call.client.kennung)

    def _quittung(self, held: Held) -> Result:
        """The answer of a synchronous service: our Quittung, from the reader to the author."""
        asked = held.order
        quittung = self._house.submissions.quittung(held.nachricht_id, asked.message_id)
        message_id = self._ids.of_zustellung(derived_id(held.nachricht_id, "xta/answer"))
        order = MessageMetaData(
            author=asked.reader,
            reader=asked.author,
            identification=MsgIdentification(message_id, (asked.message_id,)),
            qualifier=replace(
                asked.qualifier,
                message_type=MessageType(
                    CodeValue(QUITTUNG.code, QUITTUNG.list_uri, QUITTUNG.list_version), _SCHEMA_URI
                ),
            ),
            delivery=DeliveryAttributes(origin=stamp(held.call.at)),
            is_test=asked.is_test,
        )
        piece = Piece(MemoryContent(quittung), "application/json", "quittung.json", "UTF-8")
        return Result(headers=(write_metadata(order),), container=ContentContainer(piece))


_SCHEMA_URI = "urn:xta-osci-intermediary:quittung:1"


def same_order(order: MessageMetaData, container_sha256: str) -> str:
    """What stays the same when an order is sent again: its contents, and what decides where they go."""
    kind, ids = order.qualifier.message_type, order.identification
    process = [one.value for one in (ids.requester, ids.responder) if one is not None]
    decisive = [container_sha256, order.author.identifier, order.reader.identifier, order.qualifier.service]
    decisive += [kind.code.code, kind.code.list_uri, kind.payload_schema, *ids.in_reply_to, *process]
    return hashlib.sha256(json.dumps([*decisive, order.delivery.not_before, order.is_test]).encode()).hexdigest()


def _number(code: str) -> str:
    if code == "intake.conflict":
        return "9024"
    if code in _VIRUS:
        return "9060"
    if code in _ENCODING:
        return "9051"
    return "9050" if code.startswith(_SCHEMA) else "9052"
