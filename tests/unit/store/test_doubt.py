"""A commit whose answer is lost: whoever asked repeats what they wanted, and the store finds what became of it (F5)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from intermediary.core.faults import Transient
from intermediary.core.states import ZustellungState
from intermediary.store import Store
from intermediary.testing.postgres import PrivatePostgres
from tests.conformance.store_kit import (
    DELIVERED,
    LEASE,
    NOW,
    OUTPUT,
    Bench,
    bench_in,
    claimed,
    eingang,
    key_of,
    names,
    planned,
)

COMMIT = b"COMMIT\x00"


class Line:
    """Stands between us and the server; once `cut`, it hands on the next commit or not, and then says nothing more."""

    def __init__(self, port: int) -> None:
        self._server = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._mode, self._after = "", 0
        self._cut = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, what: str, *, after: int = 0) -> None:
        """Lose the `answer` to the next commit, or the `request` itself; before it `after` commits come through."""
        with self._cut:
            self._mode, self._after = what, after

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                threading.Thread(target=self._up, args=(client, server), daemon=True).start()
                threading.Thread(target=self._down, args=(client, server), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if COMMIT in data and (mode := self._taken()):
                    if mode == "answer":
                        client.shutdown(socket.SHUT_RD)  # `_down` ends when the server has answered
                        self._silent = client
                        server.sendall(data)
                    else:
                        for end in (server, client):
                            end.shutdown(socket.SHUT_RDWR)
                    return
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _taken(self) -> str:
        with self._cut:
            if self._mode and self._after:
                self._after -= 1
                return ""
            mode, self._mode = self._mode, ""
            return mode

    _silent: socket.socket | None = None

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if client is self._silent:
                    break  # committed: nobody is told
                client.sendall(data)
        for end in (client, server):
            with suppress(OSError):
                end.close()


@pytest.fixture
def line(postgres: PrivatePostgres) -> Iterator[Line]:
    """A line to the server that can be cut."""
    made = Line(postgres.port)
    yield made
    made.close()


@pytest.fixture
def bench(tmp_path: Path, postgres: PrivatePostgres, line: Line) -> Iterator[Bench]:
    """A store behind the line."""
    made = bench_in(tmp_path, postgres.database().replace(f":{postgres.port}/", f":{line.port}/"))
    yield made
    made.close()


@pytest.fixture
def store(bench: Bench) -> Store:
    """Opened."""
    return bench.open()


LOST = pytest.mark.parametrize("lost", ["answer", "request"])


@LOST
def test_an_intake_in_doubt_is_told_apart_afterwards(store: Store, bench: Bench, line: Line, lost: str) -> None:
    """The door does not tell the sender; its repetition finds the Nachricht with its payload, or takes it now."""
    line.lose(lost, after=1)  # it looks first whether it has been there

    with pytest.raises(Transient):
        store.take([eingang("a-1")])
    [again] = store.take([eingang("a-1")])

    assert ("duplicate" if lost == "answer" else "new") == again.outcome
    assert b"<Antrag/>" == store.body(again.nachricht_id).read()
    assert [] == list((bench.data / "blobs/incoming").iterdir())
    assert 1 == len(list((bench.data / "blobs").glob("??/*")))


@LOST
def test_a_claim_in_doubt_is_given_back(store: Store, line: Line, lost: str) -> None:
    """A worker that got no answer frees what it may hold and claims again: at once, and nothing is counted."""
    store.take([eingang("a-1")])
    line.lose(lost)

    with pytest.raises(Transient):
        store.claim("w1", NOW, LEASE)
    assert (lost == "answer") == store.release_all_of("w1", NOW)

    [claim] = store.claim("w1", NOW, LEASE)
    assert 0 == claim.nachricht.unexplained


@LOST
def test_a_verdict_in_doubt_is_never_a_second_delivery(store: Store, line: Line, lost: str) -> None:
    """It was committed, and nothing is due any more; or it was not, and the intent says `unclear`, not `due`."""
    claim = planned(store)
    key = key_of(claim)
    claim = store.intend(claim, key, OUTPUT, NOW)
    line.lose(lost)

    with pytest.raises(Transient):
        store.settle(claim, key, DELIVERED, now=NOW)
    store.release_all_of("w1", NOW)

    [again] = store.claim("w1", NOW, LEASE)
    expected = ZustellungState.DELIVERED if lost == "answer" else ZustellungState.UNCLEAR
    assert expected is again.zustellung(key).state


@LOST
def test_an_intent_in_doubt_is_unclear_or_was_never_made(store: Store, line: Line, lost: str) -> None:
    """The connector was not called; if the intent is there, the target is asked first."""
    claim = planned(store)
    key = key_of(claim)
    line.lose(lost)

    with pytest.raises(Transient):
        store.intend(claim, key, OUTPUT, NOW)
    store.release_all_of("w1", NOW)

    [again] = store.claim("w1", NOW, LEASE)
    expected = ZustellungState.UNCLEAR if lost == "answer" else ZustellungState.DUE
    assert expected is again.zustellung(key).state


@LOST
def test_events_in_doubt_are_there_once_or_not_at_all(store: Store, line: Line, lost: str) -> None:
    """State and event are one commit: the chain has no gap and no double, whatever was lost."""
    claim = claimed(store)
    line.lose(lost)

    with pytest.raises(Transient):
        store.park(claim, "bug.unexpected", NOW)

    parked = ["nachricht.parked"] if lost == "answer" else []
    assert ["intake.taken", *parked] == names(store, claim)
    assert ("parked" if parked else "received") == store.get(claim.nachricht.id).state


@LOST
def test_a_sealing_in_doubt_seals_once(store: Store, line: Line, lost: str) -> None:
    """Numbers are given once: the next sealing goes on behind, or does it now."""
    store.take([eingang("a-1"), eingang("a-2")])
    line.lose(lost, after=1)

    with pytest.raises(Transient):
        store.seal_heads(lambda data: b"s" * 64, NOW)
    store.seal_heads(lambda data: b"s" * 64, NOW)

    assert [2] == [head.size for head in store.heads()]
