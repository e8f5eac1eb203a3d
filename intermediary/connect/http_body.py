"""Bodies of requests: made of bytes and of contents that are streamed, never held; their length is known beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pybase64

from intermediary.core.values import Content

_PIECE_BYTES = 255 * 1024  # a multiple of three, so that pieces can be encoded one by one


@dataclass(frozen=True, slots=True)
class Base64:
    """A content as it stands in a text: base64 in one line."""

    content: Content

    @property
    def length(self) -> int:
        return (self.content.length + 2) // 3 * 4


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries, in this order. It can be sent more than once; nothing of it is in its repr.

    Contents are opened one after the other while it is sent. What they raise (a Fault such as `payload.corrupt`) passes.
    """

    parts: tuple[bytes | Content | Base64, ...] = field(default=(), repr=False)

    @property
    def length(self) -> int:
        """Bytes on the line."""
        return sum(len(part) if isinstance(part, bytes) else part.length for part in self.parts)

    def pieces(self) -> Iterator[bytes]:
        """The body piece by piece, none of them empty.

        Each piece is given away only when the next one has been read: a source that fails at its very end leaves a body
        without its last piece, which no target can take for a whole one.
        """
        held = b""
        for part in self.parts:
            for piece in _pieces(part):
                if held:
                    yield held
                held = piece
        if held:
            yield held


def _pieces(part: bytes | Content | Base64) -> Iterator[bytes]:
    match part:
        case bytes():
            if part:
                yield part
        case Base64(content):
            yield from (pybase64.b64encode(piece) for piece in _read(content))
        case _:
            yield from _read(part)


def _read(content: Content) -> Iterator[bytes]:
    """Full pieces and one rest: streams may give less than was asked for."""
    with closing(content.open()) as stream:
        while piece := stream.read(_PIECE_BYTES):
            while len(piece) < _PIECE_BYTES and (more := stream.read(_PIECE_BYTES - len(piece))):
                piece += more
            yield piece
