"""Empties a post box in one dialog: asks for a delivery, keeps it, and only then goes on (digest §1, §17)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from intermediary.core.faults import Fault, Transient, Unclear
from intermediary.core.values import Content
from intermediary.ingress.fetching.box import Delivery, Keep
from intermediary.osci.client.chunks import agreed_chunk_bytes, ask_for_chunk, fetch_rest
from intermediary.osci.client.dialog import Dialog, DialogState
from intermediary.osci.client.line import CHUNKED, Answer, Line
from intermediary.osci.client.verdicts import fault_of
from intermediary.osci.write import Fetch
from intermediary.unseal import NotOpened
from intermediary.unseal.osci.feedback import is_success
from intermediary.unseal.osci.message import OsciMessage, open_transport
from intermediary.unseal.osci.selection import SelectionRule

log = structlog.get_logger(__name__)

_EMPTY = ("9803",)
_DISTRUSTED = frozenset({"dialog.answer.unreadable", "dialog.answer.unprotected", "dialog.answer.too-large"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Visiting:
    """How a post box is emptied: at most `most` deliveries in one dialog, none larger than `max_bytes`.

    `chunk_bytes` is the size of chunks we wish for; None fetches every delivery in one piece.
    """

    most: int = 100
    max_bytes: int = 128 * 1024 * 1024
    chunk_bytes: int | None = None


class NotKept(Exception):
    """One delivery cannot be opened or kept; the dialog is over and it stays in the post box."""

    def __init__(self, code: str, message_id: str | None) -> None:
        super().__init__(code)
        self.code = code
        self.message_id = message_id


@dataclass(frozen=True, slots=True)
class Asked:
    """A delivery was asked for; without an id the intermediary chose."""

    message_id: str | None


class Emptying:
    """One dialog that empties a post box, or a part of it.

    `should_stop`: end without another word. `should_leave`: fetch nothing more, and end it in good order.
    """

    def __init__(
        self,
        visiting: Visiting,
        line: Line,
        keep: Keep,
        should_stop: Callable[[], bool],
        should_leave: Callable[[], bool] = lambda: False,
    ) -> None:
        self._visiting = visiting
        self.line = line
        self._keep = keep
        self._should_stop = should_stop
        self._should_leave = should_leave
        self.dialog = Dialog(line)
        self._chunk_bytes: int | None = None
        self.kept = 0
        self.asked: Asked | None = None

    @property
    def may_go_on(self) -> bool:
        return self.kept < self._visiting.most and not self._should_stop() and not self._should_leave()

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
        """ExitDialog gives up what was kept last; where it fails, or at a stop, the next dialog finds that once more."""
        if self._should_stop():
            return
        try:
            self.dialog.close()
        except Fault as fault:
            log.warning("osci.exit.failed", code=fault.code, where=fault.where)

    def fetch(self, message_id: str | None) -> bool:
        """Fetch one delivery and keep it; False when there is none. Raises `NotKept` if it is this one's fault."""
        self.asked = Asked(message_id)
        try:
            answer = self._ask(message_id)
        except Unclear as fault:
            if fault.code in _DISTRUSTED:
                raise NotKept(fault.where or fault.code, message_id) from fault
            raise
        if answer.errors == _EMPTY:
            self.asked = None
            return False
        if not is_success(answer.order.entries):
            raise fault_of(answer.errors, where=f"{self.line.where}: FetchDelivery")
        delivery = self._delivery(answer, message_id)
        code = self._keep(delivery)
        if code:
            raise NotKept(code, delivery.message_id or None)
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
        if answer.kind == CHUNKED:
            body = self._rest(answer)
            message = self._opened(body, answer.order.message_id)
        found = message.order.message_id or wanted or ""
        if wanted is not None and found != wanted:
            raise Transient("dialog.broken", where=f"{self.line.where}: MessageId")
        return Delivery(found, body, message.same_sha256)

    def _rest(self, first: Answer) -> Content:
        max_bytes, where = self._visiting.max_bytes, self.line.where
        try:
            return fetch_rest(
                self.dialog,
                first,
                chunk_bytes=self._chunk_bytes or 0,
                max_bytes=max_bytes,
                spool=self.line.spool,
                where=where,
            )
        except Unclear as fault:
            if fault.code in _DISTRUSTED:
                raise NotKept(fault.where or fault.code, first.order.message_id) from fault
            raise

    def _opened(self, body: Content, message_id: str) -> OsciMessage:
        """The message inside the chunks. Its control block belongs to no dialog of ours and is not compared (§16)."""
        try:
            return self.line.open(body, open_transport)
        except NotOpened as refusal:
            raise NotKept(refusal.code, message_id) from refusal
