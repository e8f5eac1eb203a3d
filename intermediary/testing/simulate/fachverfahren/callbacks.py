"""Calls back: tells the verdict of what came with a header `X-Callback`, again and again until it is taken."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import SimpleQueue

import httpx2

HEADER = "x-callback"
_SECONDS = 5.0
_TAKES_LONG = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is owed: to which address, of which key."""

    url: str
    key: str


class Callbacks:
    """A thread that makes the calls in order, showing a token; `told` says by key what became of it."""

    def __init__(self, token: str, *, rest_seconds: float = 1.0) -> None:
        self._token = token
        self.told: dict[str, str] = {}
        self._rest = rest_seconds
        self._owed: SimpleQueue[Call | None] = SimpleQueue()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fachverfahren-callbacks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._owed.put(None)
        self._thread.join(10)

    def owe(self, url: str, key: str) -> None:
        """Call there soon: the key is accepted."""
        self._owed.put(Call(url, key))

    def _run(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        with httpx2.Client(headers=headers, timeout=_SECONDS, trust_env=False) as client:
            while (call := self._owed.get()) is not None and not self._end.is_set():
                if not self._is_made(client, call):
                    self._end.wait(self._rest)
                    self._owed.put(call)

    def _is_made(self, client: httpx2.Client, call: Call) -> bool:
        try:
            answer = client.post(call.url, json={"key": call.key, "state": "angenommen"})
        except httpx2.HTTPError as failure:
            self.told[call.key] = type(failure).__name__
            return False
        except httpx2.InvalidURL:
            self.told[call.key] = "no address"
            return True
        self.told[call.key] = f"HTTP {answer.status_code}"
        return answer.status_code not in _TAKES_LONG
