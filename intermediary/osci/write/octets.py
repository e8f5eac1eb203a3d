"""The bytes of a MIME part: in memory, or read from a Content as often as needed, a piece at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeAlias, runtime_checkable

import pybase64

from intermediary.core.values import Content

Random = Callable[[int], bytes]
"""Gives that many random bytes; `secrets.token_bytes` outside of tests."""

_PIECE = 1024 * 1024
_LINE = 57


@runtime_checkable
class Stream(Protocol):
    """Bytes that are made while they are read, the same every time; `length` in bytes."""

    @property
    def length(self) -> int: ...

    def pieces(self) -> Iterator[bytes]: ...


Octets: TypeAlias = bytes | Content | Stream


def length(octets: Octets) -> int:
    """How many bytes there are."""
    return len(octets) if isinstance(octets, bytes) else octets.length


def pieces(octets: Octets) -> Iterator[bytes]:
    """All bytes in order, in pieces of at most about a megabyte where they are not in memory anyway."""
    if isinstance(octets, bytes):
        yield octets
    elif isinstance(octets, Stream):
        yield from octets.pieces()
    else:
        with octets.open() as stream:
            while piece := stream.read(_PIECE):
                yield piece


def base64_length(count: int) -> int:
    """The length of `count` bytes in the Base64 form of §3."""
    full, rest = divmod(count, _LINE)
    line_feeds = full + (rest > _LINE - 3)
    return (count + 2) // 3 * 4 + line_feeds


def base64_pieces(source: Iterable[bytes]) -> Iterator[bytes]:
    """The Base64 form of §3: 76 columns and LF, a final LF only after a full last line."""
    rest = b""
    for piece in source:
        data = rest + piece if rest else piece
        whole = len(data) // _LINE * _LINE
        if whole:
            yield pybase64.encodebytes(data[:whole])
        rest = data[whole:]
    if rest:
        last = pybase64.encodebytes(rest)
        yield last if len(last) == 77 else last[:-1]
