"""Changes bytes as a fuzzer does: small damage, pieces of other inputs, and words that mean something to the reader."""

from __future__ import annotations

import random
from collections.abc import Sequence

WORDS = (
    b"\r\n",
    b"--",
    b"\x00",
    b"<!DOCTYPE a>",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"&#0;",
    b"&amp;",
    b'="',
    b"xmlns=''",
    b' Id="body"',
    b"<?xml version='1.0'?>",
    b"cid:",
    b"#",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    b"http://www.w3.org/2001/04/xmlenc#rsa-1_5",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-ID: <osci@message>\r\n",
    b"A" * 5000,
    b"=" * 77,
    b"-1",
    b"99999999999999999999",
)


class Mutator:
    """Draws from `pool` and from a seeded generator; the same seed gives the same inputs."""

    def __init__(self, seed: int, pool: Sequence[bytes]) -> None:
        self.random = random.Random(seed)
        self._pool = pool

    def draw(self) -> bytes:
        """One input of the pool with one to four changes."""
        return self.change(self.random.choice(self._pool))

    def change(self, data: bytes) -> bytes:
        """The input with one to four changes."""
        for _ in range(self.random.randint(1, 4)):
            data = self.random.choice((self._flip, self._cut, self._repeat, self._put_word, self._splice, self._end))(
                data
            )
        return data

    def _flip(self, data: bytes) -> bytes:
        if not data:
            return data
        place = self.random.randrange(len(data))
        return data[:place] + bytes([data[place] ^ (1 << self.random.randrange(8))]) + data[place + 1 :]

    def _cut(self, data: bytes) -> bytes:
        start, end = self._span(data)
        return data[:start] + data[end:]

    def _repeat(self, data: bytes) -> bytes:
        start, end = self._span(data)
        return data[:end] + data[start:end] * self.random.randint(1, 3) + data[end:]

    def _put_word(self, data: bytes) -> bytes:
        start, end = self._span(data)
        kept = end if self.random.random() < 0.5 else start
        return data[:start] + self.random.choice(WORDS) + data[kept:]

    def _splice(self, data: bytes) -> bytes:
        other = self.random.choice(self._pool)
        begin, end = self._span(other)
        place, after = self._span(data)
        return data[:place] + other[begin:end] + data[after:]

    def _end(self, data: bytes) -> bytes:
        return data[: self.random.randint(0, len(data))]

    def _span(self, data: bytes) -> tuple[int, int]:
        start = self.random.randint(0, len(data))
        return start, min(len(data), start + self.random.choice((1, 2, 8, 64, 700)))
