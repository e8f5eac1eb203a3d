"""One AMQP 0-9-1 connection in a thread of its own, so that heartbeats never wait for a commit; it never retries."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from typing import Any

import pika
import structlog
from pika import exceptions as trouble
from pika import frame as frames
from pika import spec
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel

log = structlog.get_logger(__name__)

_MALFORMED = (ValueError, OverflowError, OSError, RecursionError, struct.error, IndexError, trouble.ProtocolSyntaxError)


class LineDown(Exception):
    """The connection or channel ended, or could not be opened; the text is a reason without addresses or names."""


class _Connection(pika.SelectConnection):
    """A connection that no sender can break: properties that pika cannot decode arrive as none at all.

    A timestamp beyond the year 9999 or deeply nested tables are legal for the broker and raise in pika's decoder, which
    would end the connection, return the message to the queue, and so on for ever (threat T25).
    """

    def _read_frame(self) -> Any:
        try:
            return super()._read_frame()  # type: ignore[misc]
        except _MALFORMED:
            buffer: bytes = self._frame_buffer  # type: ignore[attr-defined]  # not in the stubs
            kind, channel, size = struct.unpack(">BHL", buffer[:7])
            if kind != spec.FRAME_HEADER:
                raise
            (body_size,) = struct.unpack_from(">Q", buffer, 11)
            end = spec.FRAME_HEADER_SIZE + size + spec.FRAME_END_SIZE
            return end, frames.Header(channel, body_size, spec.BasicProperties())

    def drop(self, error: Exception) -> None:
        """End the connection without any ceremony."""
        if not self.is_closed:
            self._terminate_stream(error)  # type: ignore[attr-defined]  # not in the stubs


class Line:
    """A connection with one channel in its own thread. Subclasses say what happens on the channel, and at the end."""

    def __init__(self, url: str, *, name: str, connect_seconds: float, heartbeat_seconds: int) -> None:
        self._parameters = pika.URLParameters(url)
        self._parameters.heartbeat = heartbeat_seconds
        self._parameters.connection_attempts = 1
        self._parameters.socket_timeout = connect_seconds
        self._parameters.stack_timeout = connect_seconds
        self._parameters.blocked_connection_timeout = None
        self._parameters.client_properties = {"connection_name": name}
        self._ioloop = IOLoop()
        self._connection: _Connection | None = None
        self._channel: Channel | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._reason = "closed"
        self.is_blocked = False

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_seconds: float = 0.4) -> None:
        """End the line in good order, or at once when the broker is silent. Not to be called from the line's thread."""
        self._call(self._close)
        self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            self._call(lambda: self._drop(LineDown("closed")))
            self._thread.join(timeout_seconds)

    def _call(self, action: Callable[[], None]) -> None:
        self._ioloop.add_callback_threadsafe(action)

    def _run(self) -> None:
        try:
            self._connection = _Connection(
                self._parameters,
                on_open_callback=self._on_open,
                on_open_error_callback=self._on_end,
                on_close_callback=self._on_end,
                custom_ioloop=self._ioloop,
            )
            self._turn()
        except Exception as error:  # the end of a thread must reach its owner, whatever ended it
            self._reason = type(error).__name__
        finally:
            self._ended(self._reason)
            self._ioloop.close()

    def _turn(self) -> None:
        try:
            self._ioloop.start()
        except Exception as error:  # the socket has to be closed first
            self._reason = type(error).__name__
            self._drop(error)
            self._ioloop.start()

    def _close(self) -> None:
        if self._connection is not None and not (self._connection.is_closing or self._connection.is_closed):
            self._connection.close()

    def _drop(self, error: Exception) -> None:
        if self._connection is not None:
            self._connection.drop(error)

    def _on_open(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(lambda *_: self._on_blocked(True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._on_blocked(False))
        self._open_channel()

    def _open_channel(self) -> None:
        if self._connection is not None:
            self._connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_channel_closed)
        self._ready(channel)

    def _on_channel_closed(self, _channel: Channel, error: Exception) -> None:
        self._channel = None
        self._fail(reason_of(error))

    def _fail(self, reason: str) -> None:
        self._reason = reason
        self._close()

    def _on_end(self, _connection: Any, error: str | Exception) -> None:
        self._channel = None
        if self._reason == "closed" and isinstance(error, Exception):
            self._reason = reason_of(error)
        self._ioloop.stop()

    def _on_blocked(self, is_blocked: bool) -> None:
        self.is_blocked = is_blocked
        log.warning("amqp.blocked" if is_blocked else "amqp.unblocked", line=self._thread.name)

    def _ready(self, channel: Channel) -> None:
        raise NotImplementedError

    def _ended(self, reason: str) -> None:
        raise NotImplementedError


def reason_of(error: Exception) -> str:
    """What kind of end it was: the broker's reply code where there is one, never its text (it holds names)."""
    code = getattr(error, "reply_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
