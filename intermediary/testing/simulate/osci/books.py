"""The state the journal adds up to: dialogs, ids, post boxes, process cards, chunks. Nothing here does anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import singledispatchmethod

from intermediary.testing.simulate.osci import facts as f


@dataclass(frozen=True, slots=True)
class Dialog:
    """An open explicit dialog: what the next request must say, and which delivery it acknowledges."""

    conversation: str
    client: str
    certificate: str
    sequence: int = 0
    challenge: str = ""
    pending: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A process card and the two boxes it belongs to (digest §14)."""

    message_id: str = field(repr=False)
    originator: str
    addressee: str
    subject: str = field(repr=False)
    creation: datetime
    modified: datetime
    inspected: tuple[str, ...] = ()
    forwarding: datetime | None = None
    reception: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that waits in a post box; `cut` is the file of the answer it is served from in chunks.

    `served_chunks` went out in the dialog `served_in`, each of `chunk_bytes`.
    """

    message_id: str = field(repr=False)
    addressee: str
    file: str
    cut: str | None = None
    chunk_bytes: int = 0
    served_in: str = ""
    served_chunks: frozenset[int] = frozenset()

    def served_before(self, conversation: str, chunk_bytes: int) -> frozenset[int]:
        """The chunks that went out in this dialog; those of another size have numbers that mean other bytes."""
        return self.served_chunks if (self.served_in, self.chunk_bytes) == (conversation, chunk_bytes) else frozenset()


@dataclass(frozen=True, slots=True)
class Arriving:
    """A chunked store: the files of what has arrived, and the feedback of the inner message once it was executed."""

    subject: str = field(repr=False)
    since: datetime
    chunk_bytes: int
    total: int
    chunks: dict[int, str] = field(default_factory=dict)
    feedback: tuple[str, ...] | None = None


class Books:
    """Everything that is true after the entries applied so far; equal entries give equal books."""

    def __init__(self) -> None:
        self.issued: dict[str, str] = {}
        self.dialogs: dict[str, Dialog] = {}
        self.cards: dict[str, Card] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.arriving: dict[str, Arriving] = {}
        self._at = datetime.min.replace(tzinfo=UTC)

    def apply(self, entry: f.Entry) -> None:
        """Takes the facts of one entry over."""
        self._at = entry.at
        for fact in entry.facts:
            self._take(fact)

    def box(self, client: str) -> tuple[Delivery, ...]:
        """What waits for this client, oldest first."""
        return tuple(one for one in self.deliveries.values() if one.addressee == client)

    def messages(self) -> frozenset[str]:
        """Names of the files with messages that are still needed: in boxes, cut, or still arriving."""
        names = {one.file for one in self.deliveries.values()}
        names |= {one.cut for one in self.deliveries.values() if one.cut is not None}
        waiting = [one for one in self.arriving.values() if one.feedback is None]
        return frozenset(names | {file for one in waiting for file in one.chunks.values()})

    def files(self) -> frozenset[str]:
        """Names of all files that are still needed, those of certificates too."""
        inspected = {file for card in self.cards.values() for file in card.inspected}
        return self.messages() | inspected | {dialog.certificate for dialog in self.dialogs.values()}

    @singledispatchmethod
    def _take(self, fact: object) -> None:
        """Facts that change nothing (Troubled) end here."""

    @_take.register
    def _(self, fact: f.IdIssued) -> None:
        self.issued[fact.message_id] = fact.client

    @_take.register
    def _(self, fact: f.DialogOpened) -> None:
        self.dialogs[fact.conversation] = Dialog(fact.conversation, fact.client, fact.certificate)

    @_take.register
    def _(self, fact: f.Turned) -> None:
        self._dialog(
            fact.conversation,
            lambda dialog: replace(dialog, sequence=fact.sequence, challenge=fact.challenge, pending=None),
        )

    @_take.register
    def _(self, fact: f.DialogClosed) -> None:
        self.dialogs.pop(fact.conversation, None)

    @_take.register
    def _(self, fact: f.Stored) -> None:
        self._open_card(fact)
        self.deliveries[fact.message_id] = Delivery(fact.message_id, fact.addressee, fact.file)

    @_take.register
    def _(self, fact: f.Carded) -> None:
        self._open_card(fact)

    @_take.register
    def _(self, fact: f.Forwarding) -> None:
        self._card(fact.message_id, lambda card: replace(card, forwarding=self._at, modified=self._at))

    @_take.register
    def _(self, fact: f.Served) -> None:
        self._dialog(fact.conversation, lambda dialog: replace(dialog, pending=fact.message_id))

    @_take.register
    def _(self, fact: f.Received) -> None:
        self.deliveries.pop(fact.message_id, None)
        self._card(
            fact.message_id,
            lambda card: card if card.reception else replace(card, reception=self._at, modified=self._at),
        )

    @_take.register
    def _(self, fact: f.ChunkArrived) -> None:
        arriving = self.arriving.setdefault(
            fact.message_id, Arriving(fact.subject, self._at, fact.chunk_bytes, fact.total)
        )
        arriving.chunks[fact.number] = fact.file

    @_take.register
    def _(self, fact: f.Assembled) -> None:
        arriving = self.arriving[fact.message_id]
        self.arriving[fact.message_id] = replace(arriving, chunks=dict(arriving.chunks), feedback=fact.feedback)

    @_take.register
    def _(self, fact: f.Cut) -> None:
        self._delivery(fact.message_id, lambda delivery: replace(delivery, cut=fact.file))

    @_take.register
    def _(self, fact: f.ChunkServed) -> None:
        self._delivery(fact.message_id, lambda delivery: _serve_chunk(delivery, fact))

    def _open_card(self, fact: f.Stored | f.Carded) -> None:
        self.issued.pop(fact.message_id, None)
        self.cards[fact.message_id] = Card(
            fact.message_id, fact.originator, fact.addressee, fact.subject, self._at, self._at, fact.inspected
        )

    def _card(self, message_id: str, change: Callable[[Card], Card]) -> None:
        if message_id in self.cards:
            self.cards[message_id] = change(self.cards[message_id])

    def _dialog(self, conversation: str, change: Callable[[Dialog], Dialog]) -> None:
        if conversation in self.dialogs:
            self.dialogs[conversation] = change(self.dialogs[conversation])

    def _delivery(self, message_id: str, change: Callable[[Delivery], Delivery]) -> None:
        if message_id in self.deliveries:
            self.deliveries[message_id] = change(self.deliveries[message_id])


def _serve_chunk(delivery: Delivery, fact: f.ChunkServed) -> Delivery:
    served = delivery.served_before(fact.conversation, fact.chunk_bytes) | {fact.number}
    return replace(delivery, chunk_bytes=fact.chunk_bytes, served_in=fact.conversation, served_chunks=served)
