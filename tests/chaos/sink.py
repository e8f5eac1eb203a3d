"""The Fachverfahren of a campaign: commits, forgets to answer, hangs, fails; and knows every effect it ever had.

Requests are taken in the order in which they came and committed by one thread, so that a look-up never overtakes a delivery
that was sent before it. Everything is in the journal: `arrival`, `effect` (durable before it is answered), `repeat`.
"""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.journal import Journal

POINTS = ("arrival", "commit", "answer")
MISDEEDS = ("later", "fail", "hang", "commit-fail", "commit-hang", "commit-reset", "slow", "torn")
_HANG_SECONDS = 3.0
_SLOW_SECONDS = 0.4


@dataclass(slots=True)
class _Trap:
    """What is to happen when the next delivery reaches a point."""

    point: str
    spring: Callable[[], None]
    sprung: threading.Event


class Sink:
    """Listens on a Unix socket until `close`; `share` is how many of the calls go wrong, by the dice of the seed."""

    def __init__(self, path: Path, journal: Journal, *, seed: int, share: float, patience_seconds: int = 1) -> None:
        self._journal = journal
        self._dice = random.Random(f"sink {seed}")
        self.share = share
        self._patience = patience_seconds
        self._known: dict[tuple[str, str], int] = {}
        self._count = 0
        self.effects = 0
        self.misdeeds: dict[str, int] = dict.fromkeys(MISDEEDS, 0)
        self._trap: _Trap | None = None
        self._lock = threading.Lock()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(256)
        self._thread = threading.Thread(target=self._serve, name="sink", daemon=True)
        self._thread.start()

    def set_trap(self, point: str, spring: Callable[[], None]) -> threading.Event:
        """Call `spring` when the next delivery reaches `point`; the event tells that it did. One trap at a time."""
        trap = _Trap(point, spring, threading.Event())
        with self._lock:
            self._trap = trap
        return trap.sprung

    def disarm(self) -> None:
        """Forget the trap; if it is springing just now, return when it has sprung."""
        with self._lock:
            self._trap = None

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            try:
                self._receive(line)
            except (OSError, ValueError):
                line.close()

    def _receive(self, line: socket.socket) -> None:
        line.settimeout(1.0)
        with line.makefile("rb") as stream:
            asked = stream.readline()
        if not asked.endswith(b"\n"):  # whoever asked is gone, or stopped in the middle
            self._journal.write("broken-request")
            line.close()
            return
        question = json.loads(asked)
        if question["op"] == "lookup":
            self._answer(line, self._look_up(question), 0.0)
        else:
            self._deliver(line, question)

    def _look_up(self, question: dict[str, Any]) -> dict[str, Any]:
        number = self._known.get((question["kind"], question["key"]))
        verdict = "unknown" if number is None else "delivered"
        self._journal.write("lookup", key=question["key"], verdict=verdict)
        return {"verdict": verdict, "number": number}

    def _deliver(self, line: socket.socket, question: dict[str, Any]) -> None:
        misdeed = self._dice.choice(MISDEEDS) if self._dice.random() < self.share else ""
        about = {name: question[name] for name in ("kind", "key", "nachricht", "target", "attempt", "sha256")}
        self._journal.write("arrival", misdeed=misdeed, **about)
        if misdeed:
            self.misdeeds[misdeed] += 1
        is_left = self._spring("arrival") and self._dice.random() < 0.5  # killed while it was sending: half arrives
        if misdeed in ("later", "fail", "hang") or is_left:
            answer = {"later": {"verdict": "later", "retry_after": self._patience}, "fail": {"verdict": "failed"}}
            self._answer(line, answer.get(misdeed), _HANG_SECONDS if misdeed == "hang" else 0.0)
            return
        number = self._commit(question, about)
        self._spring("commit")
        delivered: dict[str, Any] = {"verdict": "delivered", "number": number}
        match misdeed:
            case "commit-fail":
                self._answer(line, {"verdict": "failed"}, 0.0)
            case "commit-hang":
                self._answer(line, delivered, _HANG_SECONDS)
            case "commit-reset":
                self._answer(line, None, 0.0)
            case "torn":
                self._answer(line, delivered, 0.0, torn=True)
            case "slow":
                self._answer(line, delivered, _SLOW_SECONDS)
            case _:
                self._answer(line, delivered, 0.0)
                self._spring("answer")

    def _commit(self, question: dict[str, Any], about: dict[str, Any]) -> int:
        place = (question["kind"], question["key"])
        if question["kind"] == "native" and place in self._known:
            self._journal.write("repeat", number=self._known[place], **about)
            return self._known[place]
        self._count += 1
        self._known.setdefault(place, self._count)
        self._journal.write("effect", number=self._count, **about)
        self.effects += 1
        return self._count

    def _spring(self, point: str) -> bool:
        with self._lock:
            trap = self._trap
            if trap is None or trap.point != point:
                return False
            self._trap = None
            trap.spring()
        trap.sprung.set()
        return True

    def _answer(self, line: socket.socket, answer: dict[str, Any] | None, delay: float, *, torn: bool = False) -> None:
        """Send it now or later, or hang up without a word."""
        data = b"" if answer is None else json.dumps(answer).encode() + b"\n"
        if torn:
            data = data[: len(data) // 2]
        if delay:
            timer = threading.Timer(delay, _send, (line, data))
            timer.daemon = True
            timer.start()
        else:
            _send(line, data)


def _send(line: socket.socket, data: bytes) -> None:
    try:
        line.sendall(data)
    except OSError:
        pass  # nobody waits any more
    finally:
        line.close()
