"""Puts copies of refused messages into the refused queue, few bytes at a time, and reports each answer."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass

from intermediary.core.faults import Rejected
from intermediary.ingress.amqp.intake import Delivery, Inbox
from intermediary.ingress.amqp.message import refused_copy
from intermediary.ingress.amqp.outlet import Publisher

_WINDOW_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answered:
    """The broker answered for a refused copy: `error` is None when it has it."""

    delivery: Delivery
    refused: Rejected
    error: BaseException | None


class Refusals:
    """The refusals of one session; an `Answered` arrives in the inbox for each. Used by the door's thread only.

    At most one window of bytes is on its way (or one message, if that is larger): a broker that takes nothing, for want
    of memory or disk, must not fill ours.
    """

    def __init__(self, publisher: Publisher, queue: str, inbox: Inbox) -> None:
        self._publisher = publisher
        self._queue = queue
        self._inbox = inbox
        self._waiting: deque[tuple[Delivery, Rejected]] = deque()
        self._bytes_sent = 0

    def refuse(self, delivery: Delivery, refused: Rejected) -> None:
        """Send a copy with the reason, as soon as the window has room."""
        self._waiting.append((delivery, refused))
        self._send_waiting()

    def settled(self, answered: Answered) -> None:
        """Give back the room of what was answered; to be called for each `Answered`."""
        self._bytes_sent -= answered.delivery.content.length
        self._send_waiting()

    def _send_waiting(self) -> None:
        while self._waiting:
            length = self._waiting[0][0].content.length
            if self._bytes_sent and self._bytes_sent + length > _WINDOW_BYTES:
                return
            self._send(*self._waiting.popleft())

    def _send(self, delivery: Delivery, refused: Rejected) -> None:
        def tell(future: Future[None]) -> None:
            self._inbox.put(Answered(delivery, refused, future.exception()))

        self._bytes_sent += delivery.content.length
        self._publisher.submit(refused_copy(delivery, self._queue, refused)).add_done_callback(tell)
