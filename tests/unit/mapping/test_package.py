"""The xdomea ZIP: names, determinism, and that it is never whole in memory."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import BinaryIO

import pytest

from intermediary.core.values import Dokument, MemoryContent
from intermediary.mapping.package import StoredArchive, package

KEY = "550e8400-e29b-41d4-a716-446655440000"


def test_names_follow_xdomea() -> None:
    """The ZIP and its message are named by ProzessID and Nachricht; the message comes first."""
    made = package(KEY, "Abgabe.Abgabe.0401", b"<x/>", [Dokument("a_ä.txt", "text/plain", MemoryContent(b"abc"))])
    archive = zipfile.ZipFile(io.BytesIO(made.content.read()))

    assert f"{KEY}_Abgabe.Abgabe.0401.zip" == made.file_name
    assert [f"{KEY}_Abgabe.Abgabe.0401.xml", "a_ä.txt"] == archive.namelist()
    assert archive.testzip() is None
    assert b"abc" == archive.read("a_ä.txt")
    assert {(1980, 1, 1, 0, 0, 0)} == {entry.date_time for entry in archive.infolist()}
    assert {0o100644} == {entry.external_attr >> 16 for entry in archive.infolist()}


def test_the_same_content_gives_the_same_bytes() -> None:
    """Length and hash are those of the bytes, and a second archive is equal."""
    entries = [("a", MemoryContent(b"1" * 100_000)), ("b", MemoryContent(b""))]
    first, second = StoredArchive(entries), StoredArchive(entries)

    assert first.read() == second.read()
    assert len(first.read()) == first.length
    assert hashlib.sha256(first.read()).hexdigest() == first.sha256


@pytest.mark.parametrize("names", [("a", "A"), ("a/b",), ("a\\b",)])
def test_file_names_are_flat_and_different(names: tuple[str, ...]) -> None:
    """Names that leave the folder or collide on some file system are refused."""
    with pytest.raises(ValueError, match="flat and different"):
        StoredArchive([(name, MemoryContent(b"")) for name in names])


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
    archive = StoredArchive([("big", content)])
    length = 0
    with archive.open() as stream:
        while chunk := stream.read(1 << 16):
            length += len(chunk)

    assert archive.length == length
    assert 2 == content.opened


def test_more_than_four_gibibytes_are_refused() -> None:
    """The format without extensions ends at 4 GiB; the message limit lies far below."""

    class Huge(_Large):
        length = 5 << 30

        def open(self) -> BinaryIO:
            return io.BytesIO(b"")

    with pytest.raises(ValueError, match="4 GiB"):
        StoredArchive([("huge", Huge())])
