"""Contents on disk: one file for each request that brought a part of it, never changed afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """A content as the files it consists of."""

    paths: tuple[Path, ...]
    length: int
    media_type: str
    file_name: str

    @property
    def sha256(self) -> str:
        hexdigest: str = _hash_of(self.paths).hexdigest()
        return hexdigest

    def joined(self, more: Stored) -> Stored:
        """The content with another one behind it."""
        return Stored((*self.paths, *more.paths), self.length + more.length, self.media_type, self.file_name)

    def pieces(self) -> Iterator[bytes]:
        for path in self.paths:
            with path.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    yield piece


@lru_cache(maxsize=4096)
def _hash_of(paths: tuple[Path, ...]) -> Any:
    """The hash over some files; that of all but the last one is known from before."""
    before = _hash_of(paths[:-1]).copy() if len(paths) > 1 else hashlib.sha256()
    with paths[-1].open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            before.update(piece)
    return before
