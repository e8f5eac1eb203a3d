"""Consumes a queue: declares it, receives in its line's thread, and tells its owner everything through an inbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import structlog
from pika import exceptions as trouble
from pika import spec
from pika.channel import Channel

from intermediary.core.values import Content
from intermediary.ingress.amqp.ledger import Ack
from intermediary.ingress.amqp.line import Line

log = structlog.get_logger(__name__)

# Before RabbitMQ dead-letters what nobody acknowledged. Broker 4 has 20, which an outage of the store uses up.
DELIVERY_LIMIT = 1000
_PASSIVELY = {403, 406}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it arrived. Properties are unchecked: what was no UTF-8 is bytes, what was not set is None."""

    tag: int
    redelivered: bool
    content: Content
    content_type: object = None
    message_id: object = field(default=None, repr=False)
    correlation_id: object = field(default=None, repr=False)
    reply_to: object = field(default=None, repr=False)
    headers: Mapping[Any, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """The queue is there and deliveries begin."""


@dataclass(frozen=True, slots=True)
class Down:
    """The line has ended; nothing more will come from it, and what was not acknowledged returns to the queue."""

    reason: str


Inbox = SimpleQueue[object]


class Intake(Line):
    """Consumes `queue`; the owner's inbox gets `Opened`, then `Delivery` in order, and at the end exactly one `Down`.

    Declares `queue` and `refused_queue` as durable quorum queues. Where the broker forbids that, or they exist with
    other arguments, they are used as they are. With `is_paused` it opens without consuming, until `resume`. `spool` makes
    content of each body in the line's thread and may raise OSError: then the line ends and the messages return.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        queue: str,
        refused_queue: str,
        prefetch: int,
        inbox: Inbox,
        spool: Callable[[bytes], Content],
        connect_seconds: float,
        heartbeat_seconds: int,
        is_paused: bool = False,
    ) -> None:
        super().__init__(url, name=name, connect_seconds=connect_seconds, heartbeat_seconds=heartbeat_seconds)
        self._queue = queue
        self._refused_queue = refused_queue
        self._prefetch = prefetch
        self._inbox = inbox
        self._spool = spool
        self._is_passive = False
        self._is_ready = False
        self._is_paused = is_paused
        self._consumer = ""

    def acknowledge(self, acks: Sequence[Ack]) -> None:
        """Send these acks; without effect when the line has ended, for then the messages return anyway."""

        def send() -> None:
            if self._channel is not None and self._channel.is_open:
                for ack in acks:
                    self._channel.basic_ack(ack.tag, ack.multiple)

        self._call(send)

    def pause(self) -> None:
        """Let the broker send nothing more; the connection, its heartbeats and the acknowledgements go on."""

        def cancel() -> None:
            self._is_paused = True
            if self._consumer and self._channel is not None and self._channel.is_open:
                self._channel.basic_cancel(self._consumer, callback=lambda _: None)
            self._consumer = ""

        self._call(cancel)

    def resume(self) -> None:
        """Let it send again."""

        def consume() -> None:
            self._is_paused = False
            if self._is_ready and not self._consumer and self._channel is not None and self._channel.is_open:
                self._consume(self._channel)

        self._call(consume)

    def give_back(self, tags: Sequence[int]) -> None:
        """Return these deliveries to the queue, for another consumer or a later time; called after `pause`."""

        def send() -> None:
            if self._channel is not None and self._channel.is_open:
                for tag in tags:
                    self._channel.basic_nack(tag, requeue=True)

        self._call(send)

    def _ready(self, channel: Channel) -> None:
        channel.add_on_cancel_callback(lambda _frame: self._fail("consumer cancelled"))
        channel.basic_qos(prefetch_count=self._prefetch, callback=lambda _: self._declare_refused(channel))

    def _declare_refused(self, channel: Channel) -> None:
        self._declare(channel, self._refused_queue, QUORUM, then=lambda: self._declare_queue(channel))

    def _declare_queue(self, channel: Channel) -> None:
        arguments = queue_arguments(self._queue)
        self._declare(channel, self._queue, arguments, then=lambda: self._begin(channel))

    def _declare(self, channel: Channel, queue: str, arguments: Mapping[str, Any], then: Callable[[], None]) -> None:
        channel.queue_declare(
            queue, passive=self._is_passive, durable=True, arguments=dict(arguments), callback=lambda _: then()
        )

    def _begin(self, channel: Channel) -> None:
        if self._is_paused:
            self._on_opened()
        else:
            self._consume(channel)

    def _consume(self, channel: Channel) -> None:
        callback = (lambda _: None) if self._is_ready else (lambda _: self._on_opened())
        self._consumer = channel.basic_consume(self._queue, self._on_message, callback=callback)

    def _on_opened(self) -> None:
        self._is_ready = True
        self._inbox.put(Opened())

    def _on_channel_closed(self, channel: Channel, error: Exception) -> None:
        refusal = error.reply_code if isinstance(error, trouble.ChannelClosedByBroker) else 0
        if refusal in _PASSIVELY and not self._is_passive and not self._is_ready:
            log.warning("amqp.queue.foreign", line=self._thread.name, reply_code=refusal)
            self._is_passive = True
            self._open_channel()
        else:
            super()._on_channel_closed(channel, error)

    def _on_message(
        self, _channel: Channel, method: spec.Basic.Deliver, properties: spec.BasicProperties, body: bytes
    ) -> None:
        try:
            content = self._spool(body)
        except OSError as error:
            self._fail(type(error).__name__)
            return
        self._inbox.put(
            Delivery(
                tag=method.delivery_tag or 0,
                redelivered=method.redelivered,
                content=content,
                content_type=properties.content_type,
                message_id=properties.message_id,
                correlation_id=properties.correlation_id,
                reply_to=properties.reply_to,
                headers=properties.headers or {},
            )
        )

    def _ended(self, reason: str) -> None:
        self._inbox.put(Down(reason))


QUORUM: Mapping[str, Any] = {"x-queue-type": "quorum"}


def refused_queue_of(queue: str) -> str:
    """Where a door puts what it refuses, and the broker what was delivered too often."""
    return f"{queue}.refused"


def queue_arguments(queue: str) -> Mapping[str, Any]:
    """The arguments with which a door declares its queue; whoever declares it too must use the same."""
    return {
        **QUORUM,
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": refused_queue_of(queue),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
