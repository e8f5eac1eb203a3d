"""The ZIP of stored entries: determinism, streams, and sizes beyond the old format."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from intermediary.core.joined import JoinedContent
from intermediary.core.values import Content, MemoryContent
from intermediary.mapping.archive import stored_archive

GIBIBYTE = 1 << 30


def test_the_bytes_never_change() -> None:
    """Retries compare hashes (DESIGN §2.3): the archive of given entries is the same in every version of this program."""
    archive = stored_archive([("nachricht.xml", MemoryContent(b"<x/>")), ("b_ä.txt", MemoryContent(b"b" * 1000))])

    assert "20ec4cc419ac05a4ec2be47da51eed4c501df4e642ad442a6372cccf0ad16c8f" == archive.sha256


class _Large:
    """Content of 64 MiB that hands out at most a mebibyte at a time and counts the open streams."""

    length = 64 << 20
    sha256 = ""

    def __init__(self) -> None:
        self.opened = 0

    def open(self) -> BinaryIO:
        self.opened += 1
        return io.BufferedReader(_Zeros(self.length))

    def read(self) -> bytes:
        raise AssertionError("read whole")


class _Zeros(io.RawIOBase):
    def __init__(self, length: int) -> None:
        super().__init__()
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        assert len(view) <= 1 << 20
        count = min(len(view), self._left)
        view[:count] = bytes(count)
        self._left -= count
        return count


def test_large_content_is_streamed() -> None:
    """A large attachment is read piece by piece, for the checksum and for each reading."""
    content = _Large()
    archive = stored_archive([("big", content)])
    length = 0
    with archive.open() as stream:
        while chunk := stream.read(1 << 16):
            length += len(chunk)

    assert archive.length == length
    assert 2 == content.opened


class _Hole:
    """Content that claims a length and has no bytes: stands for what would take too long to read."""

    sha256 = ""

    def __init__(self, length: int) -> None:
        self.length = length

    def open(self) -> BinaryIO:
        return io.BytesIO()

    def read(self) -> bytes:
        return b""


def _on_disk(archive: JoinedContent, path: Path) -> Path:
    with path.open("wb") as file:
        for piece in archive.pieces:
            if isinstance(piece, _Hole):
                file.seek(piece.length, io.SEEK_CUR)
            else:
                file.write(piece if isinstance(piece, bytes) else piece.read())
    return path


def _entries(*lengths: int) -> Sequence[tuple[str, Content]]:
    holes: list[tuple[str, Content]] = [(f"hole{number}", _Hole(length)) for number, length in enumerate(lengths)]
    return [*holes, ("last", MemoryContent(b"at the end"))]


def test_a_file_of_more_than_four_gibibytes(tmp_path: Path) -> None:
    """Another program reads lengths and places beyond 32 bits, and the file that lies behind them."""
    archive = stored_archive(_entries(5 * GIBIBYTE))
    path = _on_disk(archive, tmp_path / "large.zip")
    with zipfile.ZipFile(path) as read:
        assert archive.length == path.stat().st_size
        assert [5 * GIBIBYTE, 10] == [entry.file_size for entry in read.infolist()]
        assert bytes(10) == read.open("hole0").read(10)
        assert b"at the end" == read.read("last")


def test_an_archive_of_more_than_four_gibibytes(tmp_path: Path) -> None:
    """Entries below the limit keep their short headers; only the places beyond it get long ones."""
    archive = stored_archive(_entries(3 * GIBIBYTE, 3 * GIBIBYTE))
    with zipfile.ZipFile(_on_disk(archive, tmp_path / "large.zip")) as read:
        assert [20, 20, 45] == [entry.extract_version for entry in read.infolist()]
        assert b"at the end" == read.read("last")


def test_exactly_the_limit_is_beyond_it(tmp_path: Path) -> None:
    """0xFFFFFFFF in a short field means "look into the long one": such a length has one."""
    for length in (0xFFFFFFFE, 0xFFFFFFFF, 0x100000000):
        archive = stored_archive(_entries(length))
        with zipfile.ZipFile(_on_disk(archive, tmp_path / f"{length}.zip")) as read:
            assert length == read.infolist()[0].file_size
            assert b"at the end" == read.read("last")


def test_more_entries_than_sixteen_bits(tmp_path: Path) -> None:
    """The number of entries has a long field too."""
    empty = MemoryContent(b"")
    archive = stored_archive([(f"{number}", empty) for number in range(0xFFFF)])
    with zipfile.ZipFile(_on_disk(archive, tmp_path / "many.zip")) as read:
        assert 0xFFFF == len(read.infolist())
        assert b"PK\x06\x06" in archive.read()
    assert b"PK\x06\x06" not in stored_archive([(f"{number}", empty) for number in range(0xFFFE)]).read()


def test_length_and_hash_are_those_of_the_bytes() -> None:
    """What connectors promise about a package is true of what they write."""
    archive = stored_archive([("a", MemoryContent(b"1" * 100_000)), ("b", MemoryContent(b""))])

    assert len(archive.read()) == archive.length
    assert hashlib.sha256(archive.read()).hexdigest() == archive.sha256
