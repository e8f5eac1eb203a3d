"""The control block: dialog bookkeeping whose presence depends on the kind of message (digest §6, §7)."""

from __future__ import annotations

from dataclasses import dataclass

from intermediary.core.faults import Rejected
from intermediary.unseal.nodes import only, optional, text
from intermediary.unseal.osci.names import OSCI, Kind
from intermediary.unseal.osci.structure import CONTROL_BLOCK, Structure


@dataclass(frozen=True, slots=True)
class ControlBlock:
    """Response and Challenge as written (opaque), conversation id as digits; None where absent."""

    response: str | None
    challenge: str | None
    conversation_id: str | None
    sequence_number: int | None


def read_control(structure: Structure) -> ControlBlock:
    """The control block of a message; what its kind forbids or demands is `Rejected("osci.control-block")`."""
    block = structure.block(CONTROL_BLOCK)
    if block is None:
        raise _wrong("missing")
    only(block, OSCI + "Response", OSCI + "Challenge")
    response, challenge = optional(block, OSCI + "Response"), optional(block, OSCI + "Challenge")
    control = ControlBlock(
        response=None if response is None else text(response).strip(),
        challenge=None if challenge is None else text(challenge).strip(),
        conversation_id=block.get("ConversationId"),
        sequence_number=_number(block.get("SequenceNumber")),
    )
    _check(control, structure.kind)
    return control


def _check(control: ControlBlock, kind: Kind) -> None:
    values = (control.response, control.challenge, control.conversation_id, control.sequence_number)
    names = ("Response", "Challenge", "ConversationId", "SequenceNumber")
    for value, rule, name in zip(values, kind.control, names, strict=True):
        if (rule == "r" and value in (None, "")) or (rule == "-" and value is not None):
            raise _wrong(name)
    conversation = control.conversation_id
    if conversation is not None and not (conversation.isascii() and conversation.isdigit()):
        raise _wrong("ConversationId")


def _number(value: str | None) -> int | None:
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise _wrong("SequenceNumber")
    return int(value)


def _wrong(where: str) -> Rejected:
    return Rejected("osci.control-block", where=where)
