"""One dialog with an intermediary: requests in order, every answer checked, and silence after the first doubt (§7, §17).

A delivery counts as received for the intermediary when it sees another request in the same explicit dialog, whatever it
is (digest §1). Therefore a dialog that met anything unexpected never sends again, not even ExitDialog, and none is taken
up again after a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from intermediary.core.faults import Fault, Transient, Unclear
from intermediary.core.values import Content
from intermediary.keys.spool import Spool
from intermediary.osci.client.http import Exchange
from intermediary.osci.client.party import Intermediary, Party
from intermediary.osci.client.verdicts import fault_of
from intermediary.osci.write import (
    CertificateList,
    Control,
    DialogRequest,
    Outgoing,
    Package,
    Protection,
    Random,
    write_stream,
)
from intermediary.osci.write import Order as Asked
from intermediary.osci.write.markup import base64_lines
from intermediary.unseal import NotOpened
from intermediary.unseal.osci.cards import Order
from intermediary.unseal.osci.control import ControlBlock
from intermediary.unseal.osci.feedback import errors
from intermediary.unseal.osci.message import OsciMessage, open_message, open_transport

CHALLENGE_BYTES = 10

_CHUNKED = "ResponseToPartialFetchDelivery"
_DELIVERING = ("ResponseToFetchDelivery", _CHUNKED, "ResponseToMediateDelivery")


class DialogState(StrEnum):
    """Where a dialog stands; `ended` is final."""

    NEW = "new"
    OPEN = "open"
    ENDED = "ended"


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


class Dialog:
    """One dialog; used by one thread.

    Explicit: `open`, any number of `ask`, `close`. Implicit: one `ask_alone`. Raises the faults of `Exchange`;
    `Unclear("dialog.answer.unreadable")`, `Unclear("dialog.answer.unprotected")` and `Transient("dialog.broken")` for an
    answer that is not to be believed; the fault of `verdicts` for a SOAP fault. After any of them the dialog has ended.
    Error codes in a feedback are not raised: they are the caller's to read.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._state = DialogState.NEW
        self._conversation_id: str | None = None
        self._sequence = 0
        self._their_challenge: str | None = None
        self._is_unsecured = False

    @property
    def state(self) -> DialogState:
        return self._state

    def open(self) -> Answer:
        """InitDialog. A feedback that does not open a dialog ends it; the caller reads why."""
        self._expect(DialogState.NEW)
        answer = self._exchange("InitDialog", DialogRequest(), Control(challenge=self._challenge()))
        self._conversation_id = answer.message.control.conversation_id
        self._state = DialogState.OPEN if "0801" in answer.codes and not answer.errors else DialogState.ENDED
        return answer

    def ask(
        self, kind: str, order: Asked, *, package: Package | None = None, certificates: CertificateList | None = None
    ) -> Answer:
        """The next request. It tells the intermediary that everything answered so far has arrived.

        AssertionError if the last answer brought a delivery and nobody called `secured`.
        """
        self._expect(DialogState.OPEN)
        answer = self._exchange(kind, order, self._next(), package=package, certificates=certificates)
        self._sequence += 1
        self._is_unsecured = answer.kind in _DELIVERING and not answer.errors
        return answer

    def ask_alone(
        self, kind: str, order: Asked, *, package: Package | None = None, certificates: CertificateList | None = None
    ) -> Answer:
        """One request in an implicit dialog: it begins and ends with it (§7)."""
        self._expect(DialogState.NEW)
        control = Control(challenge=self._challenge(), sequence_number=0)
        answer = self._exchange(kind, order, control, package=package, certificates=certificates)
        self._state = DialogState.ENDED
        return answer

    def secured(self) -> None:
        """What the last answer brought is durable: the dialog may go on."""
        self._is_unsecured = False

    def close(self) -> Answer:
        """ExitDialog, and the end."""
        self._expect(DialogState.OPEN)
        answer = self._exchange("ExitDialog", DialogRequest(), self._next())
        self._state = DialogState.ENDED
        return answer

    def abandon(self) -> None:
        """End it without a word: what was not secured stays in the post box."""
        self._state = DialogState.ENDED

    def _expect(self, state: DialogState) -> None:
        if self._state is not state:
            raise AssertionError(f"a dialog that is {self._state} cannot do that")
        if self._is_unsecured:
            raise AssertionError("the last delivery is not secured: another request would give it up")

    def _challenge(self) -> bytes:
        return self._line.random(CHALLENGE_BYTES)

    def _next(self) -> Control:
        return Control(
            response=self._their_challenge,
            challenge=self._challenge(),
            conversation_id=self._conversation_id,
            sequence_number=self._sequence,
        )

    def _exchange(
        self,
        kind: str,
        order: Asked,
        control: Control,
        *,
        package: Package | None = None,
        certificates: CertificateList | None = None,
    ) -> Answer:
        """Send one request and give its answer, believed; the dialog has ended unless this returns."""
        before, self._state = self._state, DialogState.ENDED
        line = self._line
        outgoing = Outgoing(
            kind=kind,
            control=control,
            order=order,
            certificates=certificates or line.party.certificates(),
            package=package,
        )
        answer = read_answer(line, kind, line.exchange.post(_sealed(line, outgoing)))
        check_control(answer.message.control, control, where=f"{line.where}: {kind}")
        self._their_challenge = answer.message.control.challenge
        self._state = before
        return answer


def _sealed(line: Line, outgoing: Outgoing) -> Content:
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


def read_answer(line: Line, kind: str, raw: Content) -> Answer:
    """Open an answer to a request of this kind, encrypted and signed as it must be; control values are unchecked."""
    where = f"{line.where}: {kind}"
    keyring, policy, at = line.party.keyring, line.party.policy, line.clock()
    try:
        message = open_transport(raw, keyring=keyring, policy=policy, at=at, role="client", spool=line.spool)
        if message.opened.message_type == _CHUNKED:
            message = open_message(raw, keyring=keyring, policy=policy, at=at, role="client", spool=line.spool)
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
        return fault_of([refusal.osci_code] if refusal.osci_code else [], where=where)
    return Unclear("dialog.answer.unreadable", where=f"{where}: {refusal.code}")
