"""A call on its way: what arrived, what of it was understood, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from intermediary.core.faults import Rejected
from intermediary.core.joined import JoinedContent
from intermediary.core.values import Content
from intermediary.keys.spool import Spool
from intermediary.unseal.xta.container import ContentContainer
from intermediary.unseal.xta.entity import entity_head, read_entity
from intermediary.unseal.xta.envelope import Envelope
from intermediary.unseal.xta.names import ANONYMOUS
from intermediary.xml.parser import Element
from intermediary.xta.server.clients import Client
from intermediary.xta.server.refusal import NoCall, unreadable
from intermediary.xta.wire.entity import Entity, OutgoingMessage, Random, answer_addressing, write_entity
from intermediary.xta.wire.faults import Kind, XtaError, write_error, write_soap_fault
from intermediary.xta.wire.operations import BY_ACTION, FAULT_ACTION, Operation, Port

_NONE = "http://www.w3.org/2005/08/addressing/none"


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request, complete, of a client that was let in. `wants_mtom`: it reads answers with parts beside the envelope.

    `action` is what HTTP says of it, for clients that do not address their messages.
    """

    client: Client
    port: Port
    content_type: str
    body: Content = field(repr=False)
    at: datetime
    action: str = ""
    wants_mtom: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was read: `kept` is what makes it readable again without its HTTP."""

    client: Client
    operation: Operation
    envelope: Envelope = field(repr=False)
    kept: Content = field(repr=False)
    at: datetime

    @property
    def body(self) -> Element:
        """The child of the body, which the operation has."""
        if self.envelope.body is None:
            raise Rejected("xta.structure", where="Body")
        return self.envelope.body


@dataclass(frozen=True, slots=True)
class Result:
    """What an operation gives back: header blocks and body as XML, or a container in the body."""

    body: str = field(default="", repr=False)
    headers: tuple[str, ...] = field(default=(), repr=False)
    container: ContentContainer | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP. `retry_after` in seconds is set where the call is to be repeated."""

    entity: Entity
    status: int = 200
    retry_after: int | None = None


def read_call(arrived: Arrived, spool: Spool) -> Call:
    """What arrived, as a call of an operation of its port; `NoCall` for everything else.

    An operation is chosen by its action and held against the body: the same element serves two of them.
    """
    try:
        kept = JoinedContent([entity_head(arrived.content_type), arrived.body])
        envelope = read_entity(kept, spool)
    except Rejected as refusal:
        raise unreadable(refusal) from refusal
    addressing = envelope.addressing
    action = addressing.action if addressing is not None else arrived.action
    if not action:
        raise NoCall("Die Anfrage nennt keine Operation (wsa:Action)")
    if arrived.action and action != arrived.action:
        raise NoCall("wsa:Action und die Operation in HTTP widersprechen sich")
    if addressing is not None and addressing.reply_to not in ("", ANONYMOUS, _NONE):
        raise NoCall("Geantwortet wird nur auf demselben Weg (wsa:ReplyTo anonymous)")
    operation = BY_ACTION.get(action)
    if operation is None or operation.port != arrived.port:
        raise NoCall("Diese Operation gibt es unter dieser Adresse nicht")
    if envelope.kind != operation.request:
        raise NoCall("Der Body passt nicht zur Operation")
    return Call(arrived.client, operation, envelope, kept, arrived.at)


def write_result(result: Result, call: Call, *, random: Random, mtom: bool) -> Answer:
    """The answer of an operation that succeeded."""
    message = OutgoingMessage(
        answer_addressing(call.envelope.addressing, action=call.operation.action, message_id=_urn(random)),
        headers=result.headers,
        body=result.body,
        container=result.container,
    )
    return Answer(write_entity(message, random=random, mtom=mtom and result.container is not None))


def write_refusal(
    error: XtaError | NoCall, call: Call | None, *, random: Random, action: str = "", retry_after: int | None = None
) -> Answer:
    """The answer that says why not; without a call that was understood it relates to nothing."""
    is_fault = isinstance(error, NoCall)
    own = FAULT_ACTION if is_fault else (call.operation.action if call is not None else action) or FAULT_ACTION
    request = call.envelope.addressing if call is not None else None
    body = write_soap_fault(error.code, error.reason) if isinstance(error, NoCall) else write_error(error)
    message = OutgoingMessage(answer_addressing(request, action=own, message_id=_urn(random)), body=body)
    if isinstance(error, NoCall):
        status = error.status
    else:
        status = 500 if error.kind is Kind.TECHNICAL_PROBLEM else 400
    status = 503 if retry_after is not None else status
    return Answer(write_entity(message, random=random, mtom=False), status, retry_after)


def _urn(random: Random) -> str:
    octets = bytearray(random(16))
    octets[6], octets[8] = octets[6] & 0x0F | 0x40, octets[8] & 0x3F | 0x80
    text = octets.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
