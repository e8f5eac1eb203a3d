"""Sending through an intermediary: into a post box, on to a passive recipient, or with an answer from one (§1, §17).

Every message has an id the intermediary gave out. Sending it again under this id is safe: 9801 says that the id was used,
and the process card shows that the message arrived. Who remembers the id sends at most once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from cryptography import x509

from intermediary.core.faults import Fault, Transient, Unclear
from intermediary.osci.client.cards import cards_of
from intermediary.osci.client.dialog import Dialog, DialogState
from intermediary.osci.client.line import Answer, Line
from intermediary.osci.client.verdicts import fault_of
from intermediary.osci.write import CertificateList, Contents, Deposit, DialogRequest, Package, pack_contents
from intermediary.unseal.osci.cards import ProcessCard
from intermediary.unseal.osci.feedback import is_success

_USED = "9801"
_DELIVERED_ALL_THE_SAME = ("9810",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A message to be sent: its id, and content sealed for its readers.

    `addressee` is the cipher certificate of the post box, or of the passive recipient at `receiver`. The certificates in
    `readers` of the contents are those who can open them; our own signature key may sign them.
    """

    message_id: str = field(repr=False)
    subject: str = field(default="", repr=False)
    addressee: x509.Certificate = field(repr=False)
    contents: tuple[Contents, ...] = field(repr=False)
    receiver: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """The intermediary has it. `is_repeated`: it had it already; `codes` are its feedback, `card` the process card."""

    message_id: str = field(repr=False)
    codes: tuple[str, ...]
    is_repeated: bool = False
    card: ProcessCard | None = None


class Sender:
    """Sends for one Mandant through one intermediary; each call is one explicit dialog, used by one thread.

    Raises the faults of `Dialog` and `verdicts`. `Unclear` means: it may have arrived; call again with the same posting.
    `Transient("dialog.message-id")`: the intermediary does not accept the id and has nothing under it: take a new one.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    def new_id(self) -> str:
        """An id for one message (GetMessageId). Remember it before anything is sent under it."""
        with self._dialog() as dialog:
            answer = self._ask(dialog, "GetMessageId", None)
            self._check(answer, "GetMessageId")
        if not answer.order.message_id:
            raise Unclear("dialog.answer.unreadable", where=f"{self._line.where}: MessageId")
        return answer.order.message_id

    def store(self, posting: Posting) -> Sent:
        """Put it into the addressee's post box (StoreDelivery)."""
        return self._deposit("StoreDelivery", posting)

    def forward(self, posting: Posting) -> Sent:
        """Have it delivered to the passive recipient at `posting.receiver` (ForwardDelivery).

        `Rejected("target.refused")` when the recipient does not take it.
        """
        return self._deposit("ForwardDelivery", posting)

    def mediate(self, posting: Posting) -> Answer:
        """Have it delivered and bring back the recipient's reply (MediateDelivery); its content is for `open_message`.

        `posting.message_id` may be empty: then nothing is put on record, and nobody can tell whether it arrived.
        """
        with self._dialog() as dialog:
            answer = self._ask(dialog, "MediateDelivery", posting)
            dialog.secured()
            self._check(answer, "MediateDelivery")
        return answer

    def probe(self) -> None:
        """Raise the fault that sending would meet now: a dialog is opened and closed."""
        with self._dialog():
            pass

    def _deposit(self, kind: Literal["StoreDelivery", "ForwardDelivery"], posting: Posting) -> Sent:
        with self._dialog() as dialog:
            answer = self._ask(dialog, kind, posting)
            if _USED in answer.errors:
                return self._found(dialog, posting, must_be_received=kind == "ForwardDelivery")
            self._check(answer, kind)
        return Sent(posting.message_id, answer.codes, card=next(iter(answer.order.cards), None))

    def _found(self, dialog: Dialog, posting: Posting, *, must_be_received: bool) -> Sent:
        """The id was used: by this very message, if there is a process card of it."""
        cards = cards_of(dialog, [posting.message_id], where=self._line.where)
        if not cards:
            raise Transient("dialog.message-id", where=f"{self._line.where}: {_USED}")
        if must_be_received and not cards[0].reception:
            raise Unclear("dialog.no-answer", where=f"{self._line.where}: not received yet")
        return Sent(posting.message_id, (_USED,), is_repeated=True, card=cards[0])

    def _ask(self, dialog: Dialog, kind: str, posting: Posting | None) -> Answer:
        if posting is None:
            return dialog.ask(kind, DialogRequest())
        certificates, package = packed(self._line, posting)
        receiver = "" if kind == "StoreDelivery" else posting.receiver
        order = Deposit(message_id=posting.message_id, subject=posting.subject, receiver=receiver)
        return dialog.ask(kind, order, package=package, certificates=certificates)

    def _check(self, answer: Answer, kind: str) -> None:
        if is_success(answer.order.entries) or answer.errors == _DELIVERED_ALL_THE_SAME:
            return
        raise fault_of(answer.errors, where=f"{self._line.where}: {kind}")

    @contextmanager
    def _dialog(self) -> Iterator[Dialog]:
        with opened_dialog(self._line) as (dialog, _answer):
            yield dialog


@contextmanager
def opened_dialog(line: Line) -> Iterator[tuple[Dialog, Answer]]:
    """A dialog that is open, and closed at the end, also after a refusal: what its end brings changes nothing before it.

    A dialog that ended in doubt stays silent.
    """
    dialog = Dialog(line)
    answer = dialog.open()
    if dialog.state is not DialogState.OPEN:
        raise fault_of(answer.errors, where=f"{line.where}: InitDialog")
    try:
        yield dialog, answer
    finally:
        _leave(dialog)


def _leave(dialog: Dialog) -> None:
    """ExitDialog, as a courtesy: everything asked for was answered before."""
    if dialog.state is DialogState.OPEN:
        with suppress(Fault):
            dialog.close()


def packed(line: Line, posting: Posting) -> tuple[CertificateList, Package]:
    """The certificate blocks of a posting and its sealed content."""
    readers = tuple(dict.fromkeys(reader for contents in posting.contents for reader in contents.readers))
    certificates = line.party.certificates(addressee=posting.addressee, readers=readers)
    return certificates, pack_contents(*posting.contents, certificates=certificates, random=line.random)
