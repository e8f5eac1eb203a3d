"""Dialog rules of the supplier: who may speak, with which numbers and challenges, and what that acknowledges (§7)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from intermediary.osci.write import Random
from intermediary.testing.simulate.osci.books import Dialog
from intermediary.testing.simulate.osci.facts import DialogClosed, DialogOpened, Fact, Received, Turned
from intermediary.unseal.osci.control import ControlBlock

IMPLICIT = frozenset({"StoreDelivery", "ForwardDelivery", "GetMessageId"})
"""What may be asked without InitDialog (digest §7)."""
_OPENS = "InitDialog"
_CLOSES = "ExitDialog"


class WrongDialog(Exception):
    """ConversationId, SequenceNumber or Response is not what the dialog demands: 9400. Nothing is acknowledged by it."""


class ClientMissing(Exception):
    """The cipher certificate of the client is missing: 9500."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: the name of its post box, and the file its cipher certificate lies in."""

    box: str
    file: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands: what the answer's control block says, and what the dialog's turn changes.

    `is_open` says whether the dialog goes on after the answer (0801) or not (0800). The facts acknowledge the delivery
    of the answer before, because this is another request in the same dialog.
    """

    client: Client
    conversation: str
    sequence: int | None
    response: str
    challenge: str | None
    facts: tuple[Fact, ...]
    is_open: bool = False


class DialogMissing(Exception):
    """The order needs an explicit dialog and the request stands in none: 9802; `standing` is enough to say so."""

    def __init__(self, standing: Standing) -> None:
        super().__init__()
        self.standing = standing


def admit(
    kind: str,
    control: ControlBlock,
    *,
    client: Client | None,
    dialogs: Mapping[str, Dialog],
    random: Random,
    may_be_implicit: bool = False,
    still_fetching: str | None = None,
) -> Standing:
    """Checks the control block of a request against the open dialogs.

    Raises WrongDialog, DialogMissing or ClientMissing. `client` is from the cipher certificate in the request; inside a
    dialog it may be left out, but not be another than the one that opened it. `still_fetching` is a delivery whose
    chunks the request asks for: it is not acknowledged by that.
    """
    asked = control.challenge or ""
    if kind == _OPENS:
        if client is None:
            raise ClientMissing
        conversation, challenge = _new_conversation(random), _new_challenge(random)
        opened = (
            DialogOpened(conversation=conversation, client=client.box, certificate=client.file),
            Turned(conversation=conversation, sequence=0, challenge=challenge),
        )
        return Standing(client, conversation, None, asked, challenge, opened, is_open=True)
    if control.conversation_id is None:
        return _implicit(control, client, random, is_allowed=may_be_implicit or kind in IMPLICIT)
    dialog = dialogs.get(control.conversation_id)
    if dialog is None or (client is not None and dialog.client != client.box):
        raise WrongDialog
    client = Client(dialog.client, dialog.certificate)
    if control.sequence_number != dialog.sequence or control.response != dialog.challenge:
        raise WrongDialog
    pending = dialog.pending if dialog.pending != still_fetching else None
    received: tuple[Fact, ...] = () if pending is None else (Received(message_id=pending),)
    if kind == _CLOSES:
        closed = (*received, DialogClosed(conversation=dialog.conversation))
        return Standing(client, dialog.conversation, dialog.sequence, asked, None, closed)
    challenge = _new_challenge(random)
    turned = Turned(conversation=dialog.conversation, sequence=dialog.sequence + 1, challenge=challenge)
    facts = (*received, turned)
    return Standing(client, dialog.conversation, dialog.sequence, asked, challenge, facts, is_open=True)


def _implicit(control: ControlBlock, client: Client | None, random: Random, *, is_allowed: bool) -> Standing:
    if client is None:
        raise ClientMissing
    standing = Standing(client, _new_conversation(random), 0, control.challenge or "", _new_challenge(random), ())
    if not is_allowed:
        raise DialogMissing(standing)
    if control.sequence_number != 0 or control.response is not None:
        raise WrongDialog
    return standing


def _new_conversation(random: Random) -> str:
    """Digits only, as the schema demands."""
    return str(int.from_bytes(random(7), "big") + 1)


def _new_challenge(random: Random) -> str:
    return base64.b64encode(random(10)).decode("ascii")
