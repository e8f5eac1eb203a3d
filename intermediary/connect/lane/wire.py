"""What the two ends of a lane say to each other: JSON objects with their length before them, over one Unix socket."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Callable, Sequence
from typing import Any

MOST = 16 * 1024 * 1024
"""The longest message either end accepts; documents do not travel here, they have pipes of their own."""

_HEAD = 4
_PIECE = 1 << 16

Wait = Callable[[int], None]
"""Returns when the socket is ready for this event of `select.poll`, or raises."""


def _at_once(_event: int) -> None:
    """For a socket that blocks by itself."""


class Line:
    """One end. `say` and `hear` raise OSError or EOFError when the other end is gone, ValueError for what is no message.

    File descriptors are taken by an end that asks for them only (`takes`): the kernel drops what is sent to the other one.
    """

    def __init__(self, end: socket.socket, wait: Wait = _at_once, *, takes: bool = False) -> None:
        self._end = end
        self._wait = wait
        self._takes = takes
        self._buffer = bytearray()
        self._taken: list[int] = []

    def say(self, head: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send one message, and descriptors with it."""
        text = json.dumps(head, default=str).encode()
        if len(text) > MOST:
            raise ValueError("too long")
        left = memoryview(len(text).to_bytes(_HEAD, "big") + text)
        while left:
            self._wait(select.POLLOUT)
            try:
                if descriptors:
                    sent = socket.send_fds(self._end, [left[:_PIECE]], list(descriptors))
                else:
                    sent = self._end.send(left[:_PIECE])
            except BlockingIOError:
                continue
            descriptors = ()
            left = left[sent:]

    def hear(self) -> dict[str, Any]:
        """The next message."""
        length = int.from_bytes(self._exactly(_HEAD), "big")
        if length > MOST:
            raise ValueError("too long")
        try:
            head = json.loads(self._exactly(length))
        except RecursionError as error:
            raise ValueError("too deep") from error
        if not isinstance(head, dict):
            raise ValueError("no object")
        return head

    def taken(self) -> int:
        """A descriptor that came with the last message; ValueError when none did."""
        if not self._taken:
            raise ValueError("no descriptor")
        return self._taken.pop(0)

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._wait(select.POLLIN)
            try:
                self._buffer += self._read()
            except BlockingIOError:
                continue
        piece = bytes(self._buffer[:count])
        del self._buffer[:count]
        return piece

    def _read(self) -> bytes:
        if self._takes:
            piece, descriptors, _, _ = socket.recv_fds(self._end, _PIECE, 1)
            self._taken += descriptors
        else:
            piece = self._end.recv(_PIECE)
        if not piece:
            raise EOFError
        return piece
