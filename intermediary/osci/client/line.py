"""The line to an intermediary: a request goes out sealed, its answer comes back opened, checked and believed (§5, §12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from intermediary.core.faults import Fault, Transient, Unclear
from intermediary.core.values import Content
from intermediary.keys.spool import Spool
from intermediary.osci.client.http import Exchange
from intermediary.osci.client.party import Intermediary, Party
from intermediary.osci.client.verdicts import FAULT_CODES, fault_of
from intermediary.osci.write import Control, Outgoing, Protection, Random, write_stream
from intermediary.osci.write.markup import base64_lines
from intermediary.unseal import NotOpened
from intermediary.unseal.osci.cards import Order
from intermediary.unseal.osci.control import ControlBlock
from intermediary.unseal.osci.feedback import errors
from intermediary.unseal.osci.message import OsciMessage, open_message, open_transport

CHUNKED = "ResponseToPartialFetchDelivery"


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer: `raw` are the bytes as received, `message` their transport layer (of chunks also the content)."""

    kind: str
    raw: Content
    message: OsciMessage = field(repr=False)

    @property
    def order(self) -> Order:
        return self.message.order

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the feedback."""
        return self.message.order.feedback

    @property
    def errors(self) -> tuple[str, ...]:
        """The codes 9xxx of the feedback."""
        return errors(self.message.order.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What every dialog of one Mandant with one intermediary needs; shared by dialogs one after the other."""

    exchange: Exchange
    party: Party
    intermediary: Intermediary
    spool: Spool
    random: Random
    clock: Callable[[], datetime]

    @property
    def where(self) -> str:
        """The partner, for faults and logs."""
        return f"partner {self.intermediary.kennung}"

    def open(self, raw: Content, opening: Callable[..., OsciMessage]) -> OsciMessage:
        """An answer by `open_transport` or `open_message`, with our keys and as of now; raises as they do."""
        party = self.party
        return opening(
            raw,
            keyring=party.keyring,
            policy=party.policy,
            circle=party.circle,
            at=self.clock(),
            role="client",
            spool=self.spool,
        )


def ask(line: Line, outgoing: Outgoing) -> Answer:
    """Send one request and give its answer, if it is one to be believed; raises as `Dialog` says."""
    answer = _read(line, outgoing.kind, line.exchange.post(sealed(line, outgoing)))
    check_control(answer.message.control, outgoing.control, where=f"{line.where}: {outgoing.kind}")
    return answer


def sealed(line: Line, outgoing: Outgoing) -> Content:
    """The request, signed and encrypted; in the spool, so that its length is known and nothing large in memory."""
    protection = Protection(
        signer=line.party.signer,
        method=line.party.method,
        recipient=line.intermediary.cipher,
        cipher=line.intermediary.protection,
    )
    arriving = line.spool.receive()
    try:
        for piece in write_stream(outgoing, protection, random=line.random):
            arriving.write(piece)
        return arriving.finish()
    except BaseException:
        arriving.abandon()
        raise


def _read(line: Line, kind: str, raw: Content) -> Answer:
    """Open an answer to a request of this kind, encrypted and signed as it must be; control values are unchecked."""
    where = f"{line.where}: {kind}"
    try:
        message = line.open(raw, open_transport)
        if message.opened.message_type == CHUNKED:
            message = line.open(raw, open_message)
    except NotOpened as refusal:
        raise _not_opened(refusal, where) from refusal
    _check_kind(message, kind, where)
    _check_protection(line, message, where)
    return Answer(message.opened.message_type, raw, message)


def check_control(answer: ControlBlock, request: Control, *, where: str) -> None:
    """Response, ConversationId and SequenceNumber are those of this dialog, or `Transient("dialog.broken")` (§7)."""
    if answer.response != written_challenge(request.challenge):
        raise Transient("dialog.broken", where=f"{where}: Response")
    conversation = request.conversation_id
    if conversation is not None and answer.conversation_id != conversation:
        raise Transient("dialog.broken", where=f"{where}: ConversationId")
    if answer.sequence_number != request.sequence_number:
        raise Transient("dialog.broken", where=f"{where}: SequenceNumber")


def written_challenge(challenge: bytes | str | None) -> str | None:
    """A challenge as it stands on the wire."""
    if isinstance(challenge, bytes):
        return base64_lines(challenge).strip()
    return challenge


def _check_kind(message: OsciMessage, kind: str, where: str) -> None:
    """A small delivery is answered as if it had been asked for as a whole (§16)."""
    expected = {f"ResponseTo{kind}"} | ({"ResponseToFetchDelivery"} if kind == "PartialFetchDelivery" else set())
    if message.opened.message_type not in expected:
        raise Unclear("dialog.answer.unreadable", where=f"{where}: kind")


def _check_protection(line: Line, message: OsciMessage, where: str) -> None:
    """Requests are always encrypted, so are answers; a signed request has an answer signed by the intermediary."""
    if not message.encrypted:
        raise Unclear("dialog.answer.unprotected", where=f"{where}: not encrypted")
    if line.party.signer is None:
        return
    signature = next((one for one in message.opened.signatures if one.layer == "transport"), None)
    if signature is None or not signature.valid:
        raise Unclear("dialog.answer.unprotected", where=f"{where}: not signed")
    known, used = line.intermediary.signatures, message.certificates.get("SignatureCertificateIntermediary", ())
    if not (used[:1] and used[0] in known if known else signature.trusted):
        raise Unclear("dialog.answer.unprotected", where=f"{where}: signer unknown")


def _not_opened(refusal: NotOpened, where: str) -> Fault:
    if refusal.code == "osci.fault-received":
        # Nobody signs a fault: only what the protocol says in faults is believed, never the verdict on an order.
        code = refusal.osci_code or ""
        if code in FAULT_CODES:
            return fault_of([code], where=where)
        return Unclear("dialog.no-answer", where=f"{where}: {code or 'no code'}")
    return Unclear("dialog.answer.unreadable", where=f"{where}: {refusal.code}")
