"""What the kit hands over: synthetic content that can be recognised wherever it turns up, small or too large to hold."""

from __future__ import annotations

import hashlib
import io
import uuid
from dataclasses import dataclass
from typing import BinaryIO

from intermediary.core.values import Dokument, MemoryContent, Zustellauftrag

CANARY = b"KANARIENVOGEL-Erika-Mustermann"
_BLOCK = hashlib.sha256(b"block").digest() * 2048  # 64 KiB


@dataclass(frozen=True, slots=True)
class Generated:
    """Content of `length` bytes that is nowhere: made while it is read."""

    length: int
    sha256: str

    @classmethod
    def of(cls, length: int) -> Generated:
        """Reads itself once for its hash."""
        digest = hashlib.sha256()
        with _Stream(length) as stream:
            while piece := stream.read(1 << 20):
                digest.update(piece)
        return cls(length, digest.hexdigest())

    def open(self) -> BinaryIO:
        return io.BufferedReader(_Stream(self.length), 1 << 20)

    def read(self) -> bytes:
        with self.open() as stream:
            return stream.read()


class _Stream(io.RawIOBase):
    def __init__(self, length: int) -> None:
        self._left, self._at = length, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), self._left, len(_BLOCK) - self._at)
        buffer[:count] = _BLOCK[self._at : self._at + count]
        self._left -= count
        self._at = (self._at + count) % len(_BLOCK)
        return count


def order(number: int) -> Zustellauftrag:
    """A Zustellauftrag with a package, two documents and the bare message, of its own key; the same again for a number."""
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:kit:zustellung:{number}"))
    message = MemoryContent(b"<?xml version='1.0'?><antrag><name>" + CANARY + b"</name></antrag>")
    return Zustellauftrag(
        nachricht_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:kit:nachricht:{number}")),
        target="kit",
        key=key,
        attempt=1,
        mandant="musterstadt",
        package=Dokument(f"{key}_Abgabe.Abgabe.0401.zip", "application/zip", MemoryContent(b"PK" + CANARY * 50)),
        dokumente=tuple(
            Dokument(f"{key}_{one}.pdf", "application/pdf", MemoryContent(b"%%PDF %d " % one + CANARY))
            for one in (1, 2)
        ),
        nachricht=message,
        standard="xdomea 3.1.0",
        message="Abgabe.Abgabe.0401",
        is_test=True,
    )


def large_order(number: int, content: Generated) -> Zustellauftrag:
    """One whose package is large and comes alone."""
    small = order(number)
    package = Dokument(small.package.file_name, small.package.media_type, content)
    return Zustellauftrag(
        nachricht_id=small.nachricht_id,
        target=small.target,
        key=small.key,
        attempt=1,
        mandant=small.mandant,
        package=package,
        is_test=True,
    )


def hashes(auftrag: Zustellauftrag) -> frozenset[str]:
    """Of everything in it that a target may be given."""
    bare = [auftrag.nachricht] if auftrag.nachricht is not None else []
    return frozenset(one.sha256 for one in (*(d.content for d in (auftrag.package, *auftrag.dokumente)), *bare))
