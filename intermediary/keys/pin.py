"""The PIN of a token, from its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from intermediary.core.faults import Misconfigured
from intermediary.keys.private import read_file


@dataclass(frozen=True, slots=True)
class PinFile:
    """A PIN as the only line of a file; read whenever a token is opened, and not kept. `name` names it in faults."""

    path: Path
    name: str

    def read(self) -> tuple[str, bytes]:
        """The PIN, and a mark of this writing of the file: written anew it counts as new, even with the same PIN.

        `Misconfigured("key.unavailable")` when there is none.
        """
        data = read_file(self.path, self.name).rstrip(b"\r\n")
        try:
            mark = str(self.path.stat().st_mtime_ns).encode()
            text = data.decode()
        except (OSError, UnicodeDecodeError):
            text, mark = "", b""
        if not text:
            raise Misconfigured("key.unavailable", where=self.name)
        return text, mark
