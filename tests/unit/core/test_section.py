"""Windows on content: what is read through them is what stands there, wherever the pieces end."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.section import Section, View, digest_of, pieces
from intermediary.core.values import Content, MemoryContent
from intermediary.keys.spool import Spool


class Crumbs:
    """Content that comes in pieces of so many bytes."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = data
        self._size = size

    length = property(lambda self: len(self._data))
    sha256 = property(lambda self: hashlib.sha256(self._data).hexdigest())

    def open(self) -> BinaryIO:
        return io.BytesIO(self._data)

    def read(self) -> bytes:
        return self._data

    def stretch(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        data = self._data[start:stop]
        return (data[at : at + self._size] for at in range(0, len(data), self._size))


class Plain(Crumbs):
    """Content that only has a stream."""

    stretch = None  # type: ignore[assignment]


WHERE = st.integers(0, 40)
SOURCES = st.builds(
    lambda data, kind, size: (data, MemoryContent(data) if kind == "memory" else Crumbs(data, size)),
    st.binary(max_size=40),
    st.sampled_from(["memory", "crumbs"]),
    st.integers(1, 9),
)


@given(source=SOURCES, begin=WHERE, end=WHERE, start=WHERE, stop=st.none() | WHERE)
def test_a_section_is_a_slice(
    source: tuple[bytes, Content], begin: int, end: int, start: int, stop: int | None
) -> None:
    """Bytes, length, hash, stream and windows on windows are those of the slice."""
    data, content = source
    begin, end = sorted((min(begin, len(data)), min(end, len(data))))
    expected = data[begin:end]
    section = Section(content, begin, end)

    assert (expected, len(expected)) == (section.read(), section.length)
    assert hashlib.sha256(expected).hexdigest() == section.sha256 == section.sha256
    assert hashlib.sha512(expected).digest() == digest_of(section, "sha512")
    assert expected[start:stop] == b"".join(section.stretch(start, stop))
    inner = Section(section, min(start, len(expected)), len(expected))
    assert expected[start:] == inner.read()
    with section.open() as stream:
        assert expected == stream.read()
        assert stream.seek(len(expected) // 2) == stream.tell() == len(expected) // 2
        assert expected[len(expected) // 2 :] == b"".join(iter(lambda: stream.read(3), b""))


@given(source=SOURCES, needle=st.binary(min_size=1, max_size=4), start=WHERE, begin=WHERE, is_section=st.booleans())
def test_a_view_finds_what_is_there(
    source: tuple[bytes, Content], needle: bytes, start: int, begin: int, is_section: bool
) -> None:
    """The first place at or after the start, across the borders of pieces, and only within a section."""
    data, content = source
    if is_section:
        begin = min(begin, len(data))
        content, data = Section(content, begin, len(data)), data[begin:]
    view = View(content)

    assert data.find(needle, start) == view.find(needle, start)
    assert data[start : start + 5] == view.slice(start, start + 5)
    assert data[:3] == view.slice(0, 3)
    assert data.find(needle) == view.find(needle, 0)


@given(data=st.lists(st.sampled_from([b"\r\n--", b"-", b"a"]), max_size=30).map(b"".join), size=st.integers(1, 5))
def test_a_view_finds_all_delimiters(data: bytes, size: int) -> None:
    """Going on behind each find, one comes upon every delimiter once."""
    expected = [at for at in range(len(data)) if data.startswith(b"\r\n--", at)]
    view, found, position = View(Crumbs(data, size)), [], -1
    while (position := view.find(b"\r\n--", position + 1)) >= 0:
        found.append(position)

    assert expected == found


def test_content_with_a_stream_only() -> None:
    """What cannot be read from anywhere is read from its beginning."""
    assert b"cde" == b"".join(pieces(Plain(b"abcdefg", 1), 2, 5))
    assert b"fg" == b"".join(pieces(Plain(b"abcdefg", 1), 5))


@pytest.mark.parametrize(("begin", "end"), [(0, 700_000), (262_143, 262_145), (5, 600_000), (524_288, 699_999)])
def test_a_section_of_a_spool_file(tmp_path: Path, begin: int, end: int) -> None:
    """Windows need not begin or end with a frame."""
    data = bytes(at * at % 251 for at in range(700_000))
    section = Section(Spool(tmp_path, memory_bytes=10).keep(data), begin, end)

    assert data[begin:end] == section.read()
    with section.open() as stream:
        stream.seek(-1, io.SEEK_END)
        assert data[end - 1 : end] == stream.read()
    expected = data[begin:end].find(b"\x00\x01\x04")
    assert expected == View(section).find(b"\x00\x01\x04", 0)
