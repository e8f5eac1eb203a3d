"""Opens a message of XTA as it was received: order, container and what it holds. Nothing is verified but the structure:
who sent it was proven by TLS to the gateway, and stands as a statement in the order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from intermediary.core.faults import Rejected
from intermediary.core.values import EMPTY, Content, Opened, Part
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.unseal import require
from intermediary.unseal.circumstances import NOBODY, Circle, Circumstances
from intermediary.unseal.documents import unchanging
from intermediary.unseal.policy import Policy, profile
from intermediary.unseal.refusal import NotOpened
from intermediary.unseal.xta.container import ContentContainer, Piece, read_container
from intermediary.unseal.xta.entity import read_entity
from intermediary.unseal.xta.envelope import Envelope
from intermediary.unseal.xta.sealed import open_sealed
from intermediary.unseal.xta.values import CodeValue, MessageMetaData

FORMAT = "xta-2.1.1"
XTA_TYPE = "application/vnd.xta211+mime"
"""The content type under which a kept body of XTA rests (`entity.entity_head`)."""

_OWN_CODES = {"osci.structure": "xta.structure", "osci.reference": "xta.reference", "osci.limit": "xta.limit"}
"""What the readers shared with OSCI say, in the words of XTA."""


@dataclass(slots=True)
class _Known:
    """What is established so far, for the record of a refusal."""

    policy: str
    message_type: str = ""
    message_id: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    facts: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)
    algorithms: tuple[str, ...] = ()

    def opened(self, contents: tuple[Part, ...] = (), attachments: tuple[Part, ...] = ()) -> Opened:
        return Opened(
            format=FORMAT,
            message_type=self.message_type,
            message_id=self.message_id,
            subject=self.subject,
            contents=contents,
            attachments=attachments,
            signatures=(),
            algorithms=self.algorithms,
            policy=self.policy,
            facts=self.facts,
        )


def open_xta(
    raw: Content,
    *,
    keyring: Keyring,
    policy: Policy,
    at: datetime,
    spool: Spool | None = None,
    circle: Circle = NOBODY,
) -> Opened:
    """Opens one message as it was kept. `message_type` is the code of its MessageType.

    For a container sealed end to end the strict profile holds where the keyring has that of OSCI, whose concessions are to
    libraries of OSCI; an exception of the channel's partner counts. Raises `NotOpened` for what the sender has to heal.
    """
    if at.tzinfo is None:
        raise ValueError("a naive datetime")
    spool = spool or Spool(None)
    rules = profile("strict") if policy.name == "osci" else policy
    rules = Circumstances(keyring, rules, at, circle).envelope_policy()
    known = _Known(rules.label)
    try:
        rules.check_date(at)
        envelope = read_entity(unchanging(raw, spool), spool)
        _note(known, envelope.metadata())
        container, sealed = _container(envelope, known, keyring, rules, spool)
        opened = known.opened(*_parts(container, sealed=sealed))
        require.check(opened, demanded(keyring.require))
    except Rejected as fault:
        code = _OWN_CODES.get(fault.code, fault.code)
        raise NotOpened(code, where=fault.where, findings=fault.findings, known=known.opened()) from fault
    return opened


def demanded(required: Collection[str]) -> frozenset[str]:
    """What a keyring's demands mean here: a transport signature is OSCI's, in whose place TLS stands; a content signature is
    the author's, and XTA has none.
    """
    return frozenset(required) - {require.TRANSPORT_SIGNATURE} if require.CONTENT_SIGNATURE in required else frozenset()


def facts_of(order: MessageMetaData) -> dict[str, str]:
    """The sender's statements, flat, by the names they have in messages of OSCI too; those that are there."""
    kind, times, ids = order.qualifier.message_type, order.delivery, order.identification
    scenario = order.qualifier.scenario
    process = ids.requester or ids.responder
    facts = {
        "service": order.qualifier.service,
        "business_type": kind.code.code,
        "business_type.list": kind.code.list_uri,
        "payload_schema": kind.payload_schema,
        "scenario": scenario.code if isinstance(scenario, CodeValue) else scenario,
        "metadata.subject": order.qualifier.subject or "",
        "origin": times.origin,
        "service_quality": times.service_quality,
        "author": order.author.identifier,
        "sender": "" if order.sender is None else order.sender.identifier,
        "reader": order.reader.identifier,
        "metadata.message_id": order.message_id,
        "metadata.process": "" if process is None else process.value,
        "metadata.size": "" if order.size is None else str(order.size),
        "delivered": times.delivery,
        "test": "true" if order.is_test else "",
    }
    return {name: value.strip() for name, value in facts.items() if value.strip()}


def _note(known: _Known, order: MessageMetaData) -> None:
    known.message_type = order.qualifier.message_type.code.code
    known.message_id, known.subject = order.message_id, order.qualifier.subject or ""
    known.facts = facts_of(order)


def _container(
    envelope: Envelope, known: _Known, keyring: Keyring, policy: Policy, spool: Spool
) -> tuple[ContentContainer, bool]:
    found = read_container(envelope, spool)
    if isinstance(found, ContentContainer):
        return found, False
    container, known.algorithms = open_sealed(found, envelope.texts, keyring=keyring, policy=policy, spool=spool)
    return container, True


def _parts(container: ContentContainer, *, sealed: bool) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The message, and the attachments in order; names are the sender's."""
    attachments = tuple(
        _part(piece, f"attachment[{number}]", sealed=sealed)
        for number, piece in enumerate(container.attachments, start=1)
    )
    return (_part(container.message, "message", sealed=sealed),), attachments


def _part(piece: Piece, place: str, *, sealed: bool) -> Part:
    is_message = place == "message"
    name = piece.filename or piece.id
    kind = piece.content_type
    return Part(name, kind, "data" if is_message else "attachment", piece.content, place, sealed, ((),))
