"""A network that can be broken: forwards TCP to one address, and refuses, swallows, cuts or delays on command."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable

KINDS = ("refuse", "black-hole", "one-way", "reset", "delay")
_DELAY_SECONDS = 0.3
_ACK = bytes((0, 60, 0, 80))  # class Basic, method Ack


class Proxy:
    """Listens on a free port of 127.0.0.1; `mode` holds for all connections and those to come.

    What was swallowed never arrives late: leaving `black-hole` or `one-way` resets every connection it may have touched.
    """

    def __init__(self, target_port: int) -> None:
        self._target = target_port
        self._mode = ""
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._loop = asyncio.new_event_loop()
        self._trap: tuple[Callable[[], None], threading.Event] | None = None
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        self._tasks: set[asyncio.Task[None]] = set()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listener, started), name="proxy", daemon=True)
        self._thread.start()
        started.wait()

    def set_mode(self, mode: str) -> None:
        """One of `KINDS`, or empty: all is well. `reset` cuts once and is over."""
        asyncio.run_coroutine_threadsafe(self._change(mode), self._loop).result(10)

    def set_trap(self, spring: Callable[[], None]) -> threading.Event:
        """Call `spring` when the client acknowledges a delivery (AMQP), before the broker hears of it."""
        sprung = threading.Event()
        self._trap = (spring, sprung)
        return sprung

    def disarm(self) -> None:
        self._trap = None

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self, listener: socket.socket, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, sock=listener))
        started.set()
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    async def _change(self, mode: str) -> None:
        before, self._mode = self._mode, "" if mode == "reset" else mode
        if mode in ("reset", "refuse") or before in ("black-hole", "one-way"):
            for pair in list(self._pairs):
                for writer in pair:
                    _reset(writer)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode == "refuse":
            _reset(writer)
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        pair = (writer, up_writer)
        self._pairs.add(pair)
        try:
            there = asyncio.ensure_future(self._pump(reader, up_writer, is_up=True))
            back = asyncio.ensure_future(self._pump(up_reader, writer, is_up=False))
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            there.cancel()
            back.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
        finally:
            self._pairs.discard(pair)
            for one in pair:
                one.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_up: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                if self._mode == "black-hole" or (self._mode == "one-way" and not is_up):
                    continue
                if self._mode == "delay":
                    await asyncio.sleep(_DELAY_SECONDS)
                if is_up and self._trap is not None and _ACK in data:
                    (spring, sprung), self._trap = self._trap, None
                    await asyncio.to_thread(spring)
                    sprung.set()
                writer.write(data)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End it so that the other side gets RST, not FIN."""
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
