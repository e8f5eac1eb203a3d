"""One dialog with an intermediary: requests in order, every answer checked, and silence after the first doubt (§7, §17).

A delivery counts as received for the intermediary when it sees another request in the same explicit dialog, whatever it
is (digest §1). Therefore a dialog that met anything unexpected never sends again, not even ExitDialog, and none is taken
up again after a crash.
"""

from __future__ import annotations

from enum import StrEnum

from intermediary.osci.client.line import CHUNKED, Answer, Line, ask
from intermediary.osci.write import (
    CertificateList,
    Control,
    DialogRequest,
    Outgoing,
    Package,
)
from intermediary.osci.write import Order as Asked

CHALLENGE_BYTES = 10

_DELIVERING = ("ResponseToFetchDelivery", CHUNKED, "ResponseToMediateDelivery")


class DialogState(StrEnum):
    """Where a dialog stands; `ended` is final."""

    NEW = "new"
    OPEN = "open"
    ENDED = "ended"


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
        answer = ask(line, outgoing)
        self._their_challenge = answer.message.control.challenge
        self._state = before
        return answer
