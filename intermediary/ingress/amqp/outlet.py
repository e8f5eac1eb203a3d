"""Publishes persistent, mandatory messages and learns of each whether the broker has stored it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pika
from pika import spec
from pika.channel import Channel

from intermediary.core.values import EMPTY
from intermediary.ingress.amqp.line import Line, LineDown


class Unroutable(Exception):
    """The queue does not exist: the broker handed the message back."""


class NotConfirmed(Exception):
    """The broker could not store the message."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish to a queue by its name, through the default exchange."""

    queue: str
    body: bytes = field(repr=False)
    content_type: str
    message_id: str = field(default="", repr=False)
    correlation_id: str = field(default="", repr=False)
    reply_to: str = field(default="", repr=False)
    headers: Mapping[str, Any] = field(default_factory=lambda: EMPTY, repr=False)


class Outlet(Line):
    """Publishes persistent, mandatory messages and resolves a future per message when the broker has confirmed it."""

    def __init__(self, url: str, *, name: str, connect_seconds: float, heartbeat_seconds: int) -> None:
        super().__init__(url, name=name, connect_seconds=connect_seconds, heartbeat_seconds=heartbeat_seconds)
        self._lock = threading.Lock()
        self._has_ended = False
        self._waiting: deque[tuple[Outgoing, Future[None]]] = deque()
        self._unconfirmed: dict[int, tuple[str, Future[None]]] = {}
        self._last_tag = 0

    @property
    def has_ended(self) -> bool:
        return self._has_ended

    def submit(self, message: Outgoing) -> Future[None]:
        """Publish as soon as the channel is open. The future fails with LineDown, Unroutable or NotConfirmed."""
        future: Future[None] = Future()
        with self._lock:
            if self._has_ended:
                future.set_exception(LineDown(self._reason))
                return future
            self._waiting.append((message, future))
        self._call(self._send_waiting)
        return future

    def abandon(self) -> None:
        """After `close`: fail what a line that does not end (its broker is silent in the handshake) still holds."""
        self._ended("closed")

    def _ready(self, channel: Channel) -> None:
        channel.add_on_return_callback(self._on_returned)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._on_confirming(channel))
        self._channel = None  # not to be used before the broker has agreed to confirm

    def _on_confirming(self, channel: Channel) -> None:
        self._channel = channel
        self._send_waiting()

    def _send_waiting(self) -> None:
        while self._channel is not None and self._channel.is_open and self._waiting:
            message, future = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            self._last_tag += 1
            self._unconfirmed[self._last_tag] = (message.queue, future)
            self._channel.basic_publish("", message.queue, message.body, _properties(message), mandatory=True)

    def _on_returned(self, _channel: Channel, method: spec.Basic.Return, _properties: Any, _body: bytes) -> None:
        """A return precedes its confirm but does not name it: every message on its way to that queue has failed."""
        for tag, (queue, future) in list(self._unconfirmed.items()):
            if queue == method.routing_key:
                del self._unconfirmed[tag]
                future.set_exception(Unroutable())

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        tags = (
            [tag for tag in self._unconfirmed if tag <= method.delivery_tag]
            if method.multiple
            else [method.delivery_tag]
        )
        for tag in tags:
            _queue, future = self._unconfirmed.pop(tag, ("", None))
            if future is None:
                continue
            if isinstance(method, spec.Basic.Ack):
                future.set_result(None)
            else:
                future.set_exception(NotConfirmed())

    def _ended(self, reason: str) -> None:
        with self._lock:
            self._has_ended = True
        for _, future in [*self._waiting, *self._unconfirmed.values()]:
            if not future.done():
                future.set_exception(LineDown(reason))


class Publisher:
    """An outlet that is opened when it is needed and opened anew after it has ended. Usable from any thread."""

    def __init__(self, url: str, *, name: str, connect_seconds: float = 5.0, heartbeat_seconds: int = 30) -> None:
        self._url = url
        self._name = name
        self._connect_seconds = connect_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._lock = threading.Lock()
        self._outlet: Outlet | None = None
        self._is_closed = False

    @property
    def is_blocked(self) -> bool:
        """Whether the broker takes nothing at present (memory or disk alarm)."""
        outlet = self._outlet
        return outlet is not None and not outlet.has_ended and outlet.is_blocked

    def submit(self, message: Outgoing) -> Future[None]:
        """See `Outlet.submit`; the future may resolve in another thread."""
        with self._lock:
            if self._outlet is None or (self._outlet.has_ended and not self._is_closed):
                self._outlet = self._open()
            return self._outlet.submit(message)

    def close(self) -> None:
        """End the connection; what was not confirmed fails with LineDown, and so does everything submitted later."""
        with self._lock:
            self._is_closed = True
            outlet = self._outlet
        if outlet is not None:
            outlet.close(0.2)
            outlet.abandon()

    def _open(self) -> Outlet:
        outlet = Outlet(
            self._url,
            name=self._name,
            connect_seconds=self._connect_seconds,
            heartbeat_seconds=self._heartbeat_seconds,
        )
        outlet.start()
        return outlet


def _properties(message: Outgoing) -> pika.BasicProperties:
    return pika.BasicProperties(
        content_type=message.content_type,
        delivery_mode=2,
        message_id=message.message_id or None,
        correlation_id=message.correlation_id or None,
        reply_to=message.reply_to or None,
        headers=dict(message.headers) or None,
    )
