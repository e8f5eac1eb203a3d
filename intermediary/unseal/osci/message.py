"""An OSCI message, opened: MIME, transport layer, frame, transport signature, content, in this order (digest §17)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from intermediary.core.faults import Rejected
from intermediary.core.values import Content, Opened
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.unseal import mime, require
from intermediary.unseal.circumstances import NOBODY, Circle, Circumstances
from intermediary.unseal.documents import read_xml, unchanging
from intermediary.unseal.mime import MimeMessage, MimePart
from intermediary.unseal.osci.attachments import Attachments
from intermediary.unseal.osci.cards import Order, read_order
from intermediary.unseal.osci.certificates import Certificates
from intermediary.unseal.osci.content_signature import ContentVerifier
from intermediary.unseal.osci.control import ControlBlock, read_control
from intermediary.unseal.osci.identity import delivery_sha256
from intermediary.unseal.osci.metadata import read_metadata
from intermediary.unseal.osci.names import ENCRYPTED_ENVELOPE, KINDS, SOAP_FAULT
from intermediary.unseal.osci.package import PackageReader
from intermediary.unseal.osci.progress import Progress, Stage
from intermediary.unseal.osci.structure import Structure, fault_code, message_type, read_structure
from intermediary.unseal.osci.transport import open_envelope, verify_transport
from intermediary.unseal.policy import Policy
from intermediary.unseal.refusal import NotOpened
from intermediary.xml.long import Document

Role = Literal["passive", "client", "any"]

ROOT_ID = "osci@message"


@dataclass(frozen=True, slots=True)
class OsciMessage:
    """An opened message with what a door needs for its answer beside the content.

    `encrypted` says whether the transport was; `certificates` are the header's, DER by role name. `same_sha256` is
    equal for every delivery of one message (`delivery_sha256`); only `open_transport` fills it.
    """

    opened: Opened
    control: ControlBlock
    order: Order
    encrypted: bool
    certificates: dict[str, tuple[bytes, ...]] = field(repr=False)
    same_sha256: str = ""


class NotDelivered(NotOpened):
    """An OSCI message that was refused after its frame was read: `message` is enough to answer it at order level."""

    def __init__(self, refusal: NotOpened, message: OsciMessage) -> None:
        super().__init__(
            refusal.code,
            where=refusal.where,
            findings=refusal.findings,
            osci_code=refusal.osci_code,
            known=refusal.known,
        )
        self.message = message


def open_message(
    raw: Content,
    *,
    keyring: Keyring,
    policy: Policy,
    at: datetime,
    role: Role = "any",
    spool: Spool | None = None,
    circle: Circle = NOBODY,
) -> OsciMessage:
    """Opens and verifies one OSCI message as it travels in an HTTP body.

    `role` limits the kinds of message: `passive` takes AcceptDelivery and ProcessDelivery, `client` answers, `any` all.
    `at` is the moment of receipt, for certificates and the end date of an exception. What is large goes to the `spool`;
    without one everything is held in memory. `circle` says which partner the message may come from. Raises `NotOpened` for
    everything the sender has to heal; nothing else is expected.
    """
    return _Reading(Circumstances(keyring, policy, at, circle), role, spool).run(raw, with_content=True)


def open_transport(
    raw: Content,
    *,
    keyring: Keyring,
    policy: Policy,
    at: datetime,
    role: Role = "any",
    spool: Spool | None = None,
    circle: Circle = NOBODY,
) -> OsciMessage:
    """The same up to the transport signature; no content key is used, `opened` has neither contents nor attachments.

    For doors that need the message's id, its dialog or its certificates before it is durable. What the keyring requires
    of the transport is checked, what it requires of the content is not. Raises as `open_message`.
    """
    return _Reading(Circumstances(keyring, policy, at, circle), role, spool).run(raw, with_content=False)


class _Reading:
    """One message being opened."""

    def __init__(self, circumstances: Circumstances, role: Role, spool: Spool | None) -> None:
        if circumstances.at.tzinfo is None:
            raise ValueError("a naive datetime")
        self._circumstances = circumstances
        self._keyring = circumstances.keyring
        self._role = role
        self._spool = spool or Spool(None)
        self._progress = Progress(circumstances.policy)
        self._fault_code = ""
        self._frame: OsciMessage | None = None

    def run(self, raw: Content, *, with_content: bool) -> OsciMessage:
        try:
            return self._open(unchanging(raw, self._spool), with_content=with_content)
        except NotOpened:
            raise
        except Rejected as fault:
            # Not kept in a variable: a refusal that holds its own frame would keep spool files open.
            raise self._refusal(fault) from fault

    def _refusal(self, fault: Rejected) -> NotOpened:
        refusal = NotOpened(
            fault.code,
            where=fault.where,
            findings=fault.findings,
            osci_code=self._fault_code or self._progress.osci_code(fault.code),
            known=self._progress.opened(),
        )
        return refusal if self._frame is None else NotDelivered(refusal, self._frame)

    def _open(self, raw: Content, *, with_content: bool) -> OsciMessage:
        self._circumstances.policy.check_date(self._circumstances.at)
        message, envelope = self._read_mime(raw)
        kind = message_type(envelope.root)
        if kind != ENCRYPTED_ENVELOPE:
            return self._read(message, envelope, kind, encrypted=False, with_content=with_content)
        self._progress.stage = Stage.TRANSPORT
        policy = self._circumstances.envelope_policy()
        self._progress.applies(policy)
        inner, authenticated = open_envelope(envelope, message, self._keyring, policy, self._progress, self._spool)
        if authenticated:
            return self._read_inner(inner, with_content=with_content)
        try:
            return self._read_inner(inner, with_content=with_content, is_exact=True)
        except Rejected:
            if self._progress.signatures and self._progress.signatures[0].intact:
                raise
            # Without authentication every failure up to a good signature may be the attacker's question (rule R3).
            self._progress.stage = Stage.TRANSPORT
            self._frame = None
            raise Rejected("osci.transport.undecryptable") from None

    def _read_inner(self, inner: Content, *, with_content: bool, is_exact: bool = False) -> OsciMessage:
        """`is_exact`: nothing may follow the end, for no signature covers it, and an attacker could add questions there."""
        self._progress.stage = Stage.MESSAGE
        message, envelope = self._read_mime(inner)
        if is_exact and message.epilogue:
            raise Rejected("mime.malformed", where="epilogue")
        kind = message_type(envelope.root)
        if kind in (ENCRYPTED_ENVELOPE, SOAP_FAULT):
            raise Rejected("osci.type.unexpected", where=kind)
        return self._read(message, envelope, kind, encrypted=True, with_content=with_content)

    def _read(
        self, message: MimeMessage, envelope: Document, kind: str, *, encrypted: bool, with_content: bool
    ) -> OsciMessage:
        progress = self._progress
        progress.stage = Stage.MESSAGE
        progress.message_type = kind
        self._check_role(kind)
        if kind == SOAP_FAULT:
            self._fault_code = fault_code(envelope.root)
            raise Rejected("osci.fault-received")
        structure = read_structure(envelope.root, kind, envelope.texts)
        control = read_control(structure)
        order = read_order(structure)
        progress.message_id, progress.subject = order.message_id, order.subject
        certificates = Certificates(structure)
        parts = {part.content_id: part for part in message.others}
        progress.stage = Stage.SIGNATURE
        self._frame = OsciMessage(progress.opened(), control, order, encrypted, certificates.roles())
        proven = verify_transport(structure, parts, certificates, self._circumstances, progress)
        require.check_transport(progress.signatures, self._keyring.require)
        progress.facts.update(_facts(order) | read_metadata(structure))
        if not with_content:
            same = delivery_sha256(structure, parts)
            return OsciMessage(progress.opened(), control, order, encrypted, certificates.roles(), same)
        progress.stage = Stage.CONTENT
        opened = self._content(structure, parts, certificates, proven)
        require.check(opened, self._keyring.require)
        return OsciMessage(opened, control, order, encrypted, certificates.roles())

    def _check_role(self, kind: str) -> None:
        if self._role == "any" or (kind == SOAP_FAULT and self._role == "client"):
            return
        if kind == SOAP_FAULT or KINDS[kind].door != self._role:
            raise Rejected("osci.type.unexpected", where=kind)

    def _content(
        self, structure: Structure, parts: dict[str, MimePart], certificates: Certificates, proven: Circumstances
    ) -> Opened:
        attachments = Attachments(parts, self._spool)
        if structure.package is None:
            attachments.check_all_referenced()
            return self._progress.opened()
        policy = proven.content_policy()
        self._progress.applies(policy)
        verifier = ContentVerifier(certificates, proven, policy, self._progress)
        reader = PackageReader(certificates, self._keyring, policy, verifier, attachments, self._progress, self._spool)
        contents, opened = reader.read(structure.package, structure.texts)
        return self._progress.opened(contents, opened)

    def _read_mime(self, entity: Content) -> tuple[MimeMessage, Document]:
        message = mime.read(entity, spool=self._spool)
        root = message.root
        if root.content_id != ROOT_ID or root.media_type != "text/xml":
            raise Rejected("mime.malformed", where="root")
        if root.parameters.get("charset", "utf-8").lower() != "utf-8":
            raise Rejected("xml.encoding", where="charset")
        return message, read_xml(root.content, self._spool)


def _facts(order: Order) -> dict[str, str]:
    facts = {"feedback": " ".join(order.feedback), "message_id_response": order.message_id_response}
    if order.cards:
        card = order.cards[-1]
        facts |= {"created": card.creation, "forwarded": card.forwarding, "delivered": card.reception}
    return {name: value for name, value in facts.items() if value}
