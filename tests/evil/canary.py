"""What an attack must not reach: a port that counts who knocks, and a file with a word nobody may repeat."""

from __future__ import annotations

import secrets
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any


class Canary:
    """Listens on the corpus's port and owns the corpus's file, both as its manifest names them.

    Where several processes run tests, they share both: one of them hears a knock, and the word is that of the first.
    """

    def __init__(self, defaults: dict[str, Any]) -> None:
        self.word = f"canary-{secrets.token_hex(16)}"
        self.knocks = 0
        self._file = Path(defaults["CANARY_FILE"])
        self._listener = socket.create_server(("127.0.0.1", int(defaults["CANARY_PORT"])), reuse_port=True)
        self._thread = threading.Thread(target=self._count, daemon=True)

    def __enter__(self) -> Canary:
        try:
            with self._file.open("x") as file:
                file.write(self.word)
        except FileExistsError:
            self.word = self._file.read_text() or self.word
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listener.close()
        self._file.unlink(missing_ok=True)

    def _count(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self.knocks += 1
            connection.close()
