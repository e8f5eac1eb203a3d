"""An intermediary that never finishes the header of its answer: it holds a thread no longer than it may."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from intermediary.core.faults import Unclear
from intermediary.core.values import MemoryContent
from intermediary.keys.spool import Spool
from intermediary.osci.client.http import HttpExchange, HttpLimits

Speak = Callable[[socket.socket], None]


@contextmanager
def server(speak: Speak) -> Iterator[str]:
    """Accepts one connection after the other and says something on each."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    speak(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/osci"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def crumbs(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    pause = threading.Event()
    for number in itertools.count():
        connection.sendall(b"X-%d: y\r\n" % number)
        pause.wait(0.05)


def interim(connection: socket.socket) -> None:
    pause = threading.Event()
    while True:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        pause.wait(0.05)


def silence(connection: socket.socket) -> None:
    connection.recv(1)


@pytest.mark.parametrize("speak", [crumbs, interim, silence])
def test_an_answer_without_end_has_a_deadline(tmp_path: Path, speak: Speak) -> None:
    """A header in crumbs, interim answers for ever, or nothing at all: the whole has its time and no more (T28)."""
    limits = HttpLimits(connect_seconds=5, idle_seconds=30, total_seconds=0.5)
    with server(speak) as url:
        exchange = HttpExchange(url, where="partner x", spool=Spool(tmp_path), limits=limits)
        began = time.monotonic()
        with pytest.raises(Unclear) as fault:
            exchange.post(MemoryContent(b"x"))
        took = time.monotonic() - began
        exchange.close()

    assert fault.value.code == "dialog.no-answer"
    assert took < 10
