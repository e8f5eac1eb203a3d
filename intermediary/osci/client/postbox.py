"""One post box: fetches what lies there, secures each delivery before the next request, and passes by what is stuck.

In order, while all is well. After a delivery that could not be opened or kept the dialog is silent, so the intermediary
still has it and would hand out the same one again; from then on process cards tell what waits, and each delivery is
fetched by its id, without those that are stuck. Nothing is given up that is not durable.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.core.values import Content
from intermediary.osci.client.cards import waiting_cards
from intermediary.osci.client.chunks import PARTIAL, agreed_chunk_bytes, ask_for_chunk, fetch_rest
from intermediary.osci.client.dialog import Answer, Dialog, DialogState, Line
from intermediary.osci.client.stuck import Stuck, short_hash
from intermediary.osci.client.verdicts import fault_of
from intermediary.osci.write import Fetch
from intermediary.unseal import NotOpened
from intermediary.unseal.osci.feedback import is_success
from intermediary.unseal.osci.message import OsciMessage, open_transport
from intermediary.unseal.osci.selection import SelectionRule

log = structlog.get_logger(__name__)

_EMPTY = ("9803",)
_CARDS = 100
_DISTRUSTED = frozenset({"dialog.answer.unreadable", "dialog.answer.unprotected", "dialog.answer.too-large"})
_PATIENCE = 3


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it was received: `body` are the bytes of the answer, or of the chunks put together.

    `same_sha256` is equal however often it is fetched.
    """

    message_id: str = field(repr=False)
    body: Content = field(repr=False)
    same_sha256: str


Keep = Callable[[Delivery], str]
"""Makes a delivery durable. Empty: it is. A code: this one cannot be kept. Whatever it raises ends the visit: the
delivery stays where it is."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit brought: how many deliveries are durable, whether more is waiting, how many are passed by."""

    kept: int
    has_more: bool
    stuck: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visiting:
    """How a post box is emptied: at most `most` deliveries in one dialog, none larger than `max_bytes`.

    `chunk_bytes` is the size of chunks we wish for; None fetches every delivery in one piece.
    """

    most: int = 100
    max_bytes: int = 128 * 1024 * 1024
    chunk_bytes: int | None = None


class _NotKept(Exception):
    """One delivery cannot be opened or kept; the dialog is over and it stays in the post box."""

    def __init__(self, code: str, message_id: str | None) -> None:
        super().__init__(code)
        self.code = code
        self.message_id = message_id


class PostBox:
    """One post box of one Mandant; `visit` is called by one thread at a time. `name` is for logs."""

    def __init__(self, name: str, visiting: Visiting, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._visiting = visiting
        self._ticks = ticks
        self._stuck = Stuck()
        self._by_id = False
        self._has_cards = True
        self._failures = 0

    @property
    def name(self) -> str:
        return self._name

    @property
    def stuck(self) -> int:
        """How many deliveries are passed by."""
        return len(self._stuck)

    def visit(self, line: Line, keep: Keep, should_stop: Callable[[], bool] = lambda: False) -> Visit:
        """One dialog: fetch and keep what waits. Raises the faults of `Dialog`, and whatever `keep` raises.

        Whenever it ends, everything that was not kept still lies in the post box.
        """
        emptying = _Emptying(self._visiting, line, keep, should_stop)
        try:
            return self._by_cards(emptying) if self._by_id and self._has_cards else self._in_order(emptying)
        except _NotKept as one:
            return self._pass_by(one, emptying.kept)
        except (Transient, Unclear) as fault:
            self._count_failure(fault, emptying)
            raise
        finally:
            emptying.dialog.abandon()

    def _in_order(self, emptying: _Emptying) -> Visit:
        emptying.begin()
        has_more = True
        while has_more and emptying.may_go_on:
            has_more = emptying.fetch(None)
            self._failures = 0
        emptying.end()
        self._by_id, self._has_cards = False, True
        return Visit(emptying.kept, has_more)

    def _by_cards(self, emptying: _Emptying) -> Visit:
        emptying.begin()
        limit = _CARDS + len(self._stuck)
        try:
            cards = waiting_cards(emptying.dialog, limit=limit, where=emptying.line.where)
        except (Misconfigured, Unclear) as fault:
            self._has_cards = False
            log.error("osci.fetch.no-cards", post_box=self._name, code=fault.code, where=fault.where)
            return Visit(0, has_more=False, stuck=max(1, len(self._stuck)))
        waiting = list(dict.fromkeys(card.message_id for card in cards if card.message_id))
        self._stuck.keep_only(waiting)
        due = [one for one in waiting if not self._stuck.waits(one, self._ticks())]
        tried = 0
        while tried < len(due) and emptying.may_go_on:
            emptying.fetch(due[tried])
            self._stuck.settle(due[tried])
            self._failures = 0
            tried += 1
        emptying.end()
        self._by_id = len(self._stuck) > 0
        has_more = tried < len(due) or (len(cards) >= limit and emptying.kept > 0)
        return Visit(emptying.kept, has_more, len(self._stuck))

    def _pass_by(self, one: _NotKept, kept: int) -> Visit:
        """Remember it, and go on at once: with process cards the others are reached."""
        was_by_id, self._by_id = self._by_id and self._has_cards, True
        self._failures = 0
        wait = 0.0 if one.message_id is None else self._stuck.add(one.message_id, self._ticks())
        log.error(
            "osci.delivery.stuck",
            post_box=self._name,
            code="dialog.delivery.stuck",
            reason=one.code,
            message_sha256="" if one.message_id is None else short_hash(one.message_id),
            again_seconds=round(wait),
        )
        reached = self._has_cards and (one.message_id is not None or not was_by_id)
        return Visit(kept, reached, max(1, len(self._stuck)))

    def _count_failure(self, fault: Fault, emptying: _Emptying) -> None:
        """A delivery that ends every dialog by silence or errors must not block the post box either."""
        if emptying.asked is None:
            return
        self._failures += 1
        if self._failures < _PATIENCE:
            return
        self._pass_by(_NotKept(fault.code, emptying.asked.message_id), emptying.kept)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A delivery was asked for; without an id the intermediary chose."""

    message_id: str | None


class _Emptying:
    """One dialog that empties a post box, or a part of it."""

    def __init__(self, visiting: Visiting, line: Line, keep: Keep, should_stop: Callable[[], bool]) -> None:
        self._visiting = visiting
        self.line = line
        self._keep = keep
        self._should_stop = should_stop
        self.dialog = Dialog(line)
        self._chunk_bytes: int | None = None
        self.kept = 0
        self.asked: _Asked | None = None

    @property
    def may_go_on(self) -> bool:
        return self.kept < self._visiting.most and not self._should_stop()

    def begin(self) -> None:
        answer = self.dialog.open()
        if self.dialog.state is not DialogState.OPEN:
            raise fault_of(answer.errors, where=f"{self.line.where}: InitDialog")
        self._chunk_bytes = self._agreed(answer)

    def _agreed(self, answer: Answer) -> int | None:
        """Chunks come apart from the signature over the whole: who demands it gets every delivery in one piece."""
        wanted = self._visiting.chunk_bytes
        if wanted is None or "transport-signature" in self.line.party.keyring.require:
            return None
        return agreed_chunk_bytes(wanted, answer.order.features)

    def end(self) -> None:
        """ExitDialog gives up what was kept; when it is time to stop, the next dialog finds it as a repetition."""
        if not self._should_stop():
            self.dialog.close()

    def fetch(self, message_id: str | None) -> bool:
        """Fetch one delivery and keep it; False when there is none. Raises `_NotKept` if it is this one's fault."""
        self.asked = _Asked(message_id)
        try:
            answer = self._ask(message_id)
        except Unclear as fault:
            if fault.code in _DISTRUSTED:
                raise _NotKept(fault.where or fault.code, message_id) from fault
            raise
        if answer.errors == _EMPTY:
            self.asked = None
            return False
        if not is_success(answer.order.entries):
            raise fault_of(answer.errors, where=f"{self.line.where}: FetchDelivery")
        delivery = self._delivery(answer, message_id)
        code = self._keep(delivery)
        if code:
            raise _NotKept(code, delivery.message_id or None)
        self.dialog.secured()
        self.asked = None
        self.kept += 1
        return True

    def _ask(self, message_id: str | None) -> Answer:
        if self._chunk_bytes is not None:
            return ask_for_chunk(self.dialog, message_id, chunk_bytes=self._chunk_bytes)
        rule = None if message_id is None else SelectionRule(message_ids=(message_id,))
        return self.dialog.ask("FetchDelivery", Fetch(selection=rule))

    def _delivery(self, answer: Answer, wanted: str | None) -> Delivery:
        body, message = answer.raw, answer.message
        if answer.kind == PARTIAL:
            body = self._rest(answer)
            message = self._opened(body, answer.order.message_id)
        found = message.order.message_id or wanted or ""
        if wanted is not None and found != wanted:
            raise Transient("dialog.broken", where=f"{self.line.where}: MessageId")
        return Delivery(found, body, message.same_sha256)

    def _rest(self, first: Answer) -> Content:
        max_bytes, where = self._visiting.max_bytes, self.line.where
        try:
            return fetch_rest(self.dialog, first, chunk_bytes=self._chunk_bytes or 0, max_bytes=max_bytes, where=where)
        except Unclear as fault:
            if fault.code in _DISTRUSTED:
                raise _NotKept(fault.where or fault.code, first.order.message_id) from fault
            raise

    def _opened(self, body: Content, message_id: str) -> OsciMessage:
        """The message inside the chunks. Its control block belongs to no dialog of ours and is not compared (§16)."""
        line = self.line
        try:
            return open_transport(
                body,
                keyring=line.party.keyring,
                policy=line.party.policy,
                at=line.clock(),
                role="client",
                spool=line.spool,
            )
        except NotOpened as refusal:
            raise _NotKept(refusal.code, message_id) from refusal
