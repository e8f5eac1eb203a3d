"""A new folder that is written once, file by file, with the SHA-256 of each: for what is handed to somebody."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

_CHUNK_BYTES = 1 << 20


class Folder:
    """Makes the folder (0700; FileExistsError) and its files (0600); names are relative, with / between them."""

    def __init__(self, place: Path) -> None:
        place.mkdir(mode=0o700)
        self._place = place
        self._sums: dict[str, str] = {}

    def text(self, name: str, text: str) -> None:
        """A file of text, UTF-8."""
        with self._new(name) as file:
            data = text.encode()
            file.write(data)
            self._sums[name] = sha256(data).hexdigest()

    def stream(self, name: str, source: BinaryIO) -> None:
        """A file of whatever `source` gives; removed again when that breaks off."""
        digest = sha256()
        try:
            with self._new(name) as file:
                while piece := source.read(_CHUNK_BYTES):
                    digest.update(piece)
                    file.write(piece)
        except BaseException:
            (self._place / name).unlink(missing_ok=True)
            raise
        self._sums[name] = digest.hexdigest()

    @contextmanager
    def lines(self, name: str) -> Iterator[Callable[[str], None]]:
        """A file of lines, written one after the other."""
        digest = sha256()
        with self._new(name) as file:

            def write(line: str) -> None:
                data = line.encode() + b"\n"
                digest.update(data)
                file.write(data)

            yield write
        self._sums[name] = digest.hexdigest()

    def sums(self, name: str) -> None:
        """The list of all files so far, as `sha256sum -c` reads it."""
        self.text(name, "".join(f"{digest}  {file}\n" for file, digest in sorted(self._sums.items())))

    def _new(self, name: str) -> BinaryIO:
        path = self._place / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")
