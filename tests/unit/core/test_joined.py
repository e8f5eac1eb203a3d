"""Content made of pieces: the same bytes as one, read in any steps, and never copied together."""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO

from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.joined import JoinedContent
from intermediary.core.values import Content, MemoryContent

PIECES = st.lists(st.tuples(st.binary(max_size=50), st.booleans()), max_size=6)


@given(pieces=PIECES, step=st.integers(min_value=1, max_value=40))
def test_it_reads_like_one(pieces: list[tuple[bytes, bool]], step: int) -> None:
    """Length, hash and bytes are those of the pieces in a row, whatever their kind and the steps of reading."""
    whole = b"".join(data for data, _ in pieces)
    joined = JoinedContent([data if is_bare else MemoryContent(data) for data, is_bare in pieces])
    with joined.open() as stream:
        in_steps = b"".join(iter(lambda: stream.read(step), b""))

    assert whole == in_steps == joined.read()
    assert (len(whole), hashlib.sha256(whole).hexdigest()) == (joined.length, joined.sha256)


class _Watched:
    """Four mebibytes of content that count their streams, the open ones too, and never come in one piece."""

    length = 4 << 20
    sha256 = ""

    def __init__(self) -> None:
        self.streams: list[BinaryIO] = []

    def open(self) -> BinaryIO:
        self.streams.append(io.BytesIO(bytes(self.length)))
        return self.streams[-1]

    def read(self) -> bytes:
        raise AssertionError("read whole")


def test_a_piece_is_open_only_while_it_is_read() -> None:
    """Nothing is opened before its turn, nothing stays open after it or after the stream was closed."""
    first, second = _Watched(), _Watched()
    with JoinedContent([first, second]).open() as stream:
        stream.read(1)

        assert ([False], []) == ([one.closed for one in first.streams], second.streams)

        stream.read(first.length)

        assert ([True], [False]) == ([one.closed for one in first.streams], [one.closed for one in second.streams])
    assert second.streams[0].closed


def test_the_hash_takes_one_pass() -> None:
    """Each piece is opened once for the hash, however often it is asked for."""
    piece = _Watched()
    joined = JoinedContent([b"head", piece])

    assert hashlib.sha256(b"head" + bytes(piece.length)).hexdigest() == joined.sha256 == joined.sha256
    assert 1 == len(piece.streams)


def test_it_is_content_and_shows_none() -> None:
    """It fulfils the protocol, and its repr holds lengths only."""
    joined = JoinedContent([b"geheim", MemoryContent(b"geheim")])

    assert isinstance(joined, Content)
    assert "geheim" not in repr(joined)
