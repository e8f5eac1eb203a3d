"""Sending a large message in chunks (PartialStoreDelivery), and going on after an interruption (digest §16)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from intermediary.core.faults import Misconfigured, Transient
from intermediary.core.section import Section
from intermediary.core.values import Content
from intermediary.osci.client.cards import cards_of
from intermediary.osci.client.chunks import agreed_chunk_bytes
from intermediary.osci.client.dialog import CHALLENGE_BYTES, Dialog
from intermediary.osci.client.line import Answer, Line
from intermediary.osci.client.send import Posting, Sent, opened_dialog, packed
from intermediary.osci.client.verdicts import fault_of
from intermediary.osci.write import Chunk, Control, Deposit, Outgoing, chunk_package, write_stream
from intermediary.unseal.osci.feedback import errors, is_success
from intermediary.unseal.osci.partial import KILOBYTE, ChunkInformation

_PARTIAL = "PartialStoreDelivery"
_SUFFIX = "_Partial"
_HAD_IT = ("9900",)
_USED = ("9801",)
_STILL_WORKING = frozenset({"3951", "3952"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message ready to be cut: the bytes of its StoreDelivery, and the size of its chunks.

    Whoever wants to go on after a crash keeps all of it: chunks of other bytes do not fit those that have arrived.
    """

    message_id: str = field(repr=False)
    subject: str = field(default="", repr=False)
    inner: Content = field(repr=False)
    chunk_bytes: int

    @property
    def total(self) -> int:
        """The number of chunks."""
        return -(-self.inner.length // self.chunk_bytes)

    def chunk(self, number: int) -> Content:
        """The chunk of this number, counted from 1."""
        begin = (number - 1) * self.chunk_bytes
        return Section(self.inner, begin, min(begin + self.chunk_bytes, self.inner.length))


def make_parcel(line: Line, posting: Posting, *, chunk_bytes: int) -> Parcel:
    """Seal a posting as the StoreDelivery that travels in chunks: transport in the open, content sealed end to end."""
    certificates, package = packed(line, posting)
    outgoing = Outgoing(
        kind="StoreDelivery",
        control=Control(challenge=line.random(CHALLENGE_BYTES), sequence_number=0),
        order=Deposit(message_id=posting.message_id, subject=posting.subject),
        certificates=certificates,
        package=package,
    )
    arriving = line.spool.receive()
    try:
        for piece in write_stream(outgoing, random=line.random):
            arriving.write(piece)
        inner = arriving.finish()
    except BaseException:
        arriving.abandon()
        raise
    size = max(KILOBYTE, chunk_bytes // KILOBYTE * KILOBYTE)
    return Parcel(message_id=posting.message_id, subject=posting.subject, inner=inner, chunk_bytes=size)


def send_parcel(
    line: Line, parcel: Parcel, *, pause: Callable[[float], None], looks: int = 5, pause_seconds: float = 2.0
) -> Sent:
    """Send every chunk that has not arrived yet, in one dialog, until the whole message is in the post box.

    Safe to repeat: it asks first what has arrived (InfoOnly). While the intermediary works on the whole it is asked again
    `looks` times after `pause(pause_seconds)`; then `Transient("dialog.busy")`, and a later call goes on. Other faults as
    `Sender`; `Misconfigured("dialog.chunks")` when it takes no chunks of this size.
    """
    with opened_dialog(line) as (dialog, greeting):
        _check_size(line, greeting, parcel)
        answer = _look(line, dialog, parcel)
        for number in _missing(answer, parcel):
            answer = _send(line, dialog, parcel, number)
        for _ in range(looks):
            sent = _concluded(line, dialog, answer, parcel)
            if sent is not None:
                return sent
            pause(pause_seconds)
            answer = _look(line, dialog, parcel)
    raise Transient("dialog.busy", where=f"{line.where}: {_PARTIAL}")


def _check_size(line: Line, greeting: Answer, parcel: Parcel) -> None:
    features = greeting.order.features
    size = agreed_chunk_bytes(parcel.chunk_bytes, features)
    too_large = (
        features is not None
        and features.max_message_bytes is not None
        and (parcel.inner.length > features.max_message_bytes)
    )
    if size != parcel.chunk_bytes or too_large:
        raise Misconfigured("dialog.chunks", where=f"{line.where}: InitDialog")


def _missing(answer: Answer, parcel: Parcel) -> list[int]:
    arrived = set() if answer.order.chunk is None else set(answer.order.chunk.received)
    if answer.order.inside:
        return []
    return [number for number in range(1, parcel.total + 1) if number not in arrived]


def _look(line: Line, dialog: Dialog, parcel: Parcel) -> Answer:
    return _ask(line, dialog, Chunk(message_id=parcel.message_id + _SUFFIX), None)


def _send(line: Line, dialog: Dialog, parcel: Parcel, number: int) -> Answer:
    information = ChunkInformation(
        number=number,
        chunk_bytes=parcel.chunk_bytes,
        total=parcel.total,
        total_kilobytes=-(-parcel.inner.length // KILOBYTE),
    )
    order = Chunk(message_id=parcel.message_id + _SUFFIX, subject=parcel.subject, chunk=information)
    return _ask(line, dialog, order, parcel.chunk(number))


def _ask(line: Line, dialog: Dialog, order: Chunk, chunk: Content | None) -> Answer:
    package = None if chunk is None else chunk_package(chunk)
    answer = dialog.ask(_PARTIAL, order, package=package)
    inner_failed = answer.errors == ("9950",) and bool(answer.order.inside)
    if answer.errors and answer.errors != _HAD_IT and not inner_failed:
        raise fault_of(answer.errors, where=f"{line.where}: {_PARTIAL}")
    return answer


def _concluded(line: Line, dialog: Dialog, answer: Answer, parcel: Parcel) -> Sent | None:
    """What the inside feedback says of the whole message; None while there is none."""
    inside = answer.order.inside
    codes = tuple(entry.code for entry in inside)
    if not inside or _STILL_WORKING & {*codes, *answer.codes}:
        return None
    if is_success(inside):
        return Sent(parcel.message_id, codes, card=next(iter(answer.order.cards), None))
    if errors(inside) == _USED:
        cards = cards_of(dialog, [parcel.message_id], where=line.where)
        if cards:
            return Sent(parcel.message_id, codes, is_repeated=True, card=cards[0])
    raise fault_of(errors(inside), where=f"{line.where}: {_PARTIAL}, inside")
