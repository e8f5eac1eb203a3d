"""Large messages in little memory, measured from outside in a process of its own."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from intermediary.osci.write import Attachment, Letter, Random, seal_to
from intermediary.testing.pki import Pki, write_pki
from tests.unit.unseal.conftest import NOW

MEBIBYTE = 1024 * 1024
MOST_RESIDENT = 100 * MEBIBYTE

OPENS = """
import hashlib, json, sys
from datetime import datetime
from pathlib import Path
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.unseal.osci.message import open_message
from intermediary.unseal.policy import profile

message, keyring, spool, at = sys.argv[1:]
spool = Spool(Path(spool))
with open(message, "rb") as stream:
    raw = spool.copy(stream, max_bytes=1 << 40)
opened = open_message(
    raw, keyring=Keyring.load(Path(keyring)), policy=profile("osci"), at=datetime.fromisoformat(at), spool=spool
).opened
parts = [*opened.contents, *opened.attachments]
for part in parts:
    with part.content.open() as stream:
        assert hashlib.file_digest(stream, "sha256").hexdigest() == part.content.sha256
print(json.dumps({
    "sha256": [part.content.sha256 for part in parts],
    "valid": [one.valid for one in opened.signatures],
    "resident": int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024,
}))
"""


class Large:
    """Content of so many bytes that is never whole in memory."""

    def __init__(self, mebibytes: int) -> None:
        self._count = mebibytes
        self._piece = hashlib.shake_256(b"synthetisch").digest(MEBIBYTE)

    length = property(lambda self: self._count * MEBIBYTE)

    @property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for _ in range(self._count):
            digest.update(self._piece)
        return digest.hexdigest()

    def open(self) -> BinaryIO:
        return io.BufferedReader(_Repeated(self._piece, self._count))

    def read(self) -> bytes:
        return self._piece * self._count


class _Repeated(io.RawIOBase):
    def __init__(self, piece: bytes, count: int) -> None:
        super().__init__()
        self._piece = piece
        self._left = count * len(piece)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        start = -self._left % len(self._piece)
        chunk = self._piece[start : start + min(len(buffer), self._left)]
        buffer[: len(chunk)] = chunk
        self._left -= len(chunk)
        return len(chunk)


def opened_alone(letter: Letter, pki: Pki, randomness: Random, folder: Path) -> dict[str, list[object]]:
    """What a fresh process says of the sealed letter, and how much memory it needed at most."""
    keyring = write_pki(pki, folder / "keys", random=randomness)
    message = folder / "message.osci"
    with message.open("wb") as file:
        seal_to(file, letter, parties=pki.parties, random=randomness, now=NOW)
    arguments = [str(message), str(keyring), str(folder / "spool"), NOW.isoformat()]
    found = subprocess.run(
        [sys.executable, "-c", OPENS, *arguments], capture_output=True, timeout=120, check=False, text=True
    )
    message.unlink()
    assert "" == found.stderr
    return dict(json.loads(found.stdout))


@pytest.mark.parametrize("base64", [False, True], ids=["binary", "base64"])
def test_a_large_attachment(base64: bool, letter: Letter, pki: Pki, randomness: Random, tmp_path: Path) -> None:
    """An attachment larger than the memory there is, encrypted twice and signed twice, raw or coded on the wire."""
    large = Large(150)
    letter = replace(
        letter,
        attachments=(Attachment("gross.bin", "application/octet-stream", large, base64=base64),),
        contents=(b"",),
    )

    found = opened_alone(letter, pki, randomness, tmp_path)

    assert large.sha256 == found["sha256"][-1]
    assert [True, True] == found["valid"]
    assert found["resident"] < MOST_RESIDENT


def test_large_content_inside_the_document(letter: Letter, pki: Pki, randomness: Random, tmp_path: Path) -> None:
    """A content whose Base64 inside Base64 is longer than a document may be, read without a text node for it."""
    content = Large(48).read()
    letter = replace(letter, attachments=(), contents=(content, b"klein"))

    found = opened_alone(letter, pki, randomness, tmp_path)

    assert [hashlib.sha256(one).hexdigest() for one in letter.contents] == found["sha256"]
    assert [True, True] == found["valid"]
    assert found["resident"] < MOST_RESIDENT
