"""The twelve operations as functions: each is one request, its answer checked against it, every fault one of ours."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.core.values import Content, MemoryContent
from intermediary.keys.spool import Spool
from intermediary.unseal.xta.container import ContentContainer, same_sha256
from intermediary.unseal.xta.entity import Octets, read_entity
from intermediary.unseal.xta.envelope import Envelope
from intermediary.unseal.xta.metadata import read_uri
from intermediary.unseal.xta.values import MessageMetaData, Party
from intermediary.xml.parser import Element
from intermediary.xta.client.http import Exchange
from intermediary.xta.client.verdicts import fault_of
from intermediary.xta.wire import operations as o
from intermediary.xta.wire.box import (
    MSG_ATTRIBUTES,
    BoxResponse,
    FetchRequest,
    NextRequest,
    StatusList,
    StatusListRequest,
    read_box_response,
    read_status_list,
    write_close_request,
    write_fetch_request,
    write_next_request,
    write_status_list_request,
)
from intermediary.xta.wire.entity import OutgoingMessage, Random, SealedXml, request_addressing, write_entity
from intermediary.xta.wire.faults import read_fault
from intermediary.xta.wire.lookup import ServiceAnswer, ServiceQuestion, read_lookup_response, write_lookup_request
from intermediary.xta.wire.markup import leaf
from intermediary.xta.wire.metadata import write_metadata, write_party
from intermediary.xta.wire.operations import Operation, Port
from intermediary.xta.wire.report import TransportReport, read_transport_report

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Listed:
    """What a box says it holds: the iterator over it, how many entries follow (None: nothing here), and the entries."""

    box: BoxResponse
    entries: StatusList


@dataclass(frozen=True, slots=True)
class Fetched:
    """A message out of a box, as received; `same_sha256` is equal however often it is fetched.

    `box` is the iterator by which it is closed, None where the answer names none.
    """

    order: MessageMetaData
    raw: Content = field(repr=False)
    same_sha256: str
    box: BoxResponse | None = None


@dataclass(frozen=True, slots=True)
class _Reply:
    envelope: Envelope
    raw: Content = field(repr=False)


class XtaClient:
    """Calls one account's services; for several threads if its exchanges are.

    `exchanges` has the endpoints that are configured, `account` is who we are there (header Author), `where` names us in
    faults. Every call raises what its exchange raises, what `verdicts` says of the gateway's faults, `Unclear` with
    `xta.answer.unreadable` for an answer that is none, and `Misconfigured("xta.http")` where the endpoint is not configured.
    """

    def __init__(
        self,
        exchanges: Mapping[Port, Exchange],
        account: Party,
        *,
        where: str,
        spool: Spool,
        random: Random,
        mtom: bool = True,
    ) -> None:
        self._exchanges = exchanges
        self.account = account
        self.where = where
        self._spool = spool
        self._random = random
        self._mtom = mtom

    def check_account_active(self) -> None:
        """Returns if the account is active; else raises who can heal it."""
        self._call(o.CHECK_ACCOUNT_ACTIVE)

    def look(self) -> None:
        """Look into the box without fetching anything: address, TLS, certificate and account are proven by it."""
        self.status_list(StatusListRequest(max_items=1, list_form=MSG_ATTRIBUTES))

    def create_message_id(self) -> str:
        """A new id for a transport order."""
        reply = self._call(o.CREATE_MESSAGE_ID)
        return self._read(o.CREATE_MESSAGE_ID, lambda: read_uri(_body(reply)))

    def lookup_service(self, questions: tuple[ServiceQuestion, ...]) -> tuple[ServiceAnswer, ...]:
        """Which readers offer which services."""
        reply = self._call(o.LOOKUP_SERVICE, write_lookup_request(questions))
        return self._read(o.LOOKUP_SERVICE, lambda: read_lookup_response(_body(reply), self._octets(reply)))

    def transport_report(self, message_id: str) -> TransportReport:
        """What became of an order; `Transient("xta.message-id.unknown")` if the gateway has none of this id."""
        reply = self._call(o.GET_TRANSPORT_REPORT, leaf("wsa:MessageID", message_id))
        report = self._read(o.GET_TRANSPORT_REPORT, lambda: read_transport_report(_body(reply), self._octets(reply)))
        if report.order.message_id != message_id:
            raise self._unreadable(o.GET_TRANSPORT_REPORT, "MessageID")
        return report

    def cancel_message(self, message_id: str) -> None:
        """Withdraw an order whose NotBefore has not come; `Rejected("xta.cancel.denied")` if it is too late."""
        self._call(o.CANCEL_MESSAGE, leaf("wsa:MessageID", message_id))

    def send_message(self, order: MessageMetaData, container: ContentContainer | SealedXml) -> None:
        """Hand over one message; returns when the gateway has accepted it under the order's id."""
        self._call(o.SEND_MESSAGE, headers=(write_metadata(order),), container=container)

    def send_message_sync(self, order: MessageMetaData, container: ContentContainer | SealedXml) -> Fetched:
        """The same for a service that answers at once; its answer as received."""
        reply = self._call(o.SEND_MESSAGE_SYNC, headers=(write_metadata(order),), container=container)
        return self._fetched(o.SEND_MESSAGE_SYNC, reply)

    def status_list(self, request: StatusListRequest) -> Listed:
        """What lies in the box."""
        return self._listed(o.GET_STATUS_LIST, write_status_list_request(request))

    def next_status_list(self, request: NextRequest) -> Listed:
        """The next page of a list."""
        return self._listed(o.GET_NEXT_STATUS_LIST, write_next_request(request))

    def get_message(self, request: FetchRequest) -> Fetched:
        """The first message the selector names; it stays in the box until it is closed."""
        return self._fetched(o.GET_MESSAGE, self._call(o.GET_MESSAGE, write_fetch_request(request)))

    def next_message(self, request: NextRequest) -> Fetched:
        """The next message of an iterator."""
        return self._fetched(o.GET_NEXT_MESSAGE, self._call(o.GET_NEXT_MESSAGE, write_next_request(request)))

    def close_messages(self, request: NextRequest) -> None:
        """Say that these messages are safely here: the box gives them up."""
        self._call(o.CLOSE, write_close_request(request))

    def close(self) -> None:
        """End all connections."""
        for exchange in self._exchanges.values():
            exchange.close()

    def _listed(self, operation: Operation, body: str) -> Listed:
        reply = self._call(operation, body)
        box = self._read(operation, lambda: read_box_response(reply.envelope))
        if box is None:
            raise self._unreadable(operation, "MsgBoxResponse")
        if reply.envelope.body is None:
            return Listed(box, StatusList())
        return Listed(box, self._read(operation, lambda: read_status_list(_body(reply))))

    def _fetched(self, operation: Operation, reply: _Reply) -> Fetched:
        envelope = reply.envelope
        if envelope.body is None and operation.port == "msgbox":
            raise Transient("xta.message-id.unknown", where=f"{self.where}: {operation.name}")
        order = self._read(operation, envelope.metadata)
        same = self._read(operation, lambda: same_sha256(envelope, self._spool))
        return Fetched(order, reply.raw, same, self._read(operation, lambda: read_box_response(envelope)))

    def _call(
        self,
        operation: Operation,
        body: str = "",
        *,
        headers: tuple[str, ...] = (),
        container: ContentContainer | SealedXml | None = None,
    ) -> _Reply:
        exchange = self._exchanges.get(operation.port)
        if exchange is None:
            raise Misconfigured("xta.http", where=f"{self.where}: {operation.port}")
        soap_id = f"urn:uuid:{uuid.UUID(bytes=self._random(16), version=4)}"
        addressing = request_addressing(action=operation.action, to=exchange.url, message_id=soap_id)
        # Where an order goes along, it names its author; everywhere else the header says whose account this is.
        blocks = headers or (write_party("oscimeta:Author", self.account),)
        message = OutgoingMessage(addressing, blocks, body, container)
        raw = exchange.post(write_entity(message, random=self._random, mtom=self._mtom))
        if raw is None:
            if operation.response:
                raise self._unreadable(operation, "empty")
            return _Reply(Envelope({}, None), _NOTHING)
        envelope = self._read(operation, lambda: read_entity(raw, self._spool))
        fault = self._read(operation, lambda: read_fault(envelope))
        if fault is not None:
            raise fault_of(fault, operation, where=self.where)
        if envelope.kind != operation.response and (envelope.kind or operation.port != "msgbox"):
            # A box may say in the header alone that there is nothing.
            raise self._unreadable(operation, "body")
        told = envelope.addressing
        if told is not None and told.relates_to and told.relates_to != soap_id:
            raise self._unreadable(operation, "RelatesTo")
        return _Reply(envelope, raw)

    def _read(self, operation: Operation, reading: Callable[[], _Value]) -> _Value:
        try:
            return reading()
        except Rejected as refusal:
            raise self._unreadable(operation, refusal.code) from refusal

    def _unreadable(self, operation: Operation, reason: str) -> Fault:
        return Unclear("xta.answer.unreadable", where=f"{self.where}: {operation.name}: {reason}")

    def _octets(self, reply: _Reply) -> Octets:
        return Octets(reply.envelope.texts, reply.envelope.parts, self._spool)


_NOTHING = MemoryContent(b"")


def _body(reply: _Reply) -> Element:
    """What the body of a checked answer holds."""
    body = reply.envelope.body
    if body is None:
        raise Rejected("xta.structure", where="Body")
    return body
