"""Copies a document into a pipe for a lane, in pieces, until it is read, or nobody reads it any more."""

from __future__ import annotations

import fcntl
import os
import select
import threading
from contextlib import suppress

from intermediary.core.values import Content

_PIECE = 1 << 18
_PIPE = 1 << 20
_SET_SIZE = 1031
_MOST = 16
_LOOK_MILLISECONDS = 200


class Pumps:
    """The documents one call reads: at most 16 at a time. `end` stops them, whether they are read to the end or not."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._running: list[threading.Thread] = []

    def open(self, content: Content) -> int:
        """A descriptor to read from, to be closed by the caller once it is sent; ValueError when too many are open."""
        self._running = [one for one in self._running if one.is_alive()]
        if len(self._running) >= _MOST:
            raise ValueError(f"more than {_MOST} documents are open")
        source, sink = os.pipe()
        with suppress(OSError):
            fcntl.fcntl(sink, _SET_SIZE, _PIPE)
        os.set_blocking(sink, False)
        thread = threading.Thread(target=self._run, args=(content, sink), name="pump", daemon=True)
        self._running.append(thread)
        thread.start()
        return source

    def end(self) -> None:
        """No more is copied when this returns."""
        self._ended.set()
        for one in self._running:
            one.join()

    def _run(self, content: Content, sink: int) -> None:
        """Whatever goes wrong, the reader finds a document that is too short, and says so."""
        try:
            with content.open() as stream:
                while piece := stream.read(_PIECE):
                    if not self._write(sink, memoryview(piece)):
                        return
        except Exception:  # noqa: S110 - the call fails by the missing end, and names the reason itself
            pass
        finally:
            os.close(sink)

    def _write(self, sink: int, left: memoryview) -> bool:
        poll = select.poll()
        poll.register(sink, select.POLLOUT)
        while left:
            if self._ended.is_set():
                return False
            if poll.poll(_LOOK_MILLISECONDS):
                try:
                    left = left[os.write(sink, left) :]
                except BlockingIOError:
                    continue
        return True
