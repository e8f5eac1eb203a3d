"""Ends a connection whose time is over, whatever it is busy with: the header of an answer has no deadline of its own."""

from __future__ import annotations

import os
import socket
import threading
from types import TracebackType
from typing import Any, Self

_OPENED = frozenset({"connection.connect_tcp.complete", "connection.start_tls.complete"})


class Watchdog:
    """Shuts what one request has opened down after so many seconds; the library then fails as at a broken connection.

    `trace` is given to the request as the extension of that name. Bytes that come one by one, and interim answers without
    end, would otherwise hold a thread for ever (threat T28).
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._bite)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._opened: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        with self._lock:
            for one in self._opened:
                one.close()
            self._opened.clear()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Remember the connection, by a descriptor of our own: it is never somebody else's by the time it is used."""
        if event not in _OPENED:
            return
        opened = info["return_value"].get_extra_info("socket")
        with self._lock:
            self._opened.append(socket.socket(fileno=os.dup(opened.fileno())))

    def _bite(self) -> None:
        with self._lock:
            for one in self._opened:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:  # it has ended by itself
                    continue
