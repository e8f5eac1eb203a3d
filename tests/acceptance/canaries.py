"""Looks for planted words in everything that rests: raw, in the usual encodings, compressed, and across SQLite pages.

A canary is a word of lower-case letters that occurs nowhere else. Because it is plain ASCII, one search for its bytes
also finds it in UTF-8, in JSON and percent encoding, in quoted-printable and in HTML; the other forms are listed. All
canaries begin alike, so that one search finds the trace of any.
"""

from __future__ import annotations

import base64
import re
import sqlite3
import struct
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

_LETTERS = "bcdfghjklmnpqrstvwxz"
STEM = "qzxkanarivogel"
"""How every canary begins."""
_DEPTH = 3
_INFLATED = 4 * 1024 * 1024
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
_ZIP = re.compile(rb"PK\x03\x04.{4}\x08\x00.{16}(..)(..)", re.DOTALL)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-](?:[A-Za-z0-9+/_-]|\r?\n[ \t]*|\\n){22,}={0,2}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}\s?){16,}")
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_WAL_MAGIC = (0x377F0682, 0x377F0683)


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a canary was found: its name, the form it was in, and the place."""

    canary: str
    form: str
    place: str


def word(name: str) -> str:
    """The canary of this name: the same letters each time, and no word of any language."""
    return STEM + "".join(Random(f"canary {name}").choices(_LETTERS, k=10))


@cache
def forms(text: str) -> Mapping[str, bytes]:
    """Every spelling of a canary that is looked for in bytes as they lie there."""
    raw = text.encode("ascii")
    found = {
        "raw": raw,
        "upper case": raw.upper(),
        "UTF-16 LE": text.encode("utf-16-le"),
        "UTF-16 BE": text.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "percent": "".join(f"%{byte:02X}" for byte in raw).encode(),
        "percent, lower case": "".join(f"%{byte:02x}" for byte in raw).encode(),
        "JSON escapes": "".join(f"\\u{byte:04x}" for byte in raw).encode(),
        "XML references": "".join(f"&#{byte};" for byte in raw).encode(),
        "XML references, hex": "".join(f"&#x{byte:x};" for byte in raw).encode(),
    }
    for offset in range(3):
        found[f"base64 at {offset}"] = _middle_of_base64(raw, offset)
    return found


def search(data: bytes, canaries: Mapping[str, str], place: str, *, depth: int = _DEPTH) -> Iterator[Hit]:
    """Every canary in these bytes, and in what they hold in base64, hex or compressed, up to three layers deep.

    Half a canary counts too: its beginning is reported under the name of the stem.
    """
    layer = {data: place}
    for _ in range(depth + 1):
        if any(_plain(b"\0".join(layer), canaries, "")):  # one look at all of them; pieces are many and small
            for piece, where in layer.items():
                yield from _plain(piece, canaries, where)
        layer = {inner: f"{where} > {how}" for piece, where in layer.items() for how, inner in _unpacked(piece)}


def search_tree(roots: Iterable[Path], canaries: Mapping[str, str], *, leave_out: Iterable[Path] = ()) -> list[Hit]:
    """Every canary in names and contents of all files below these folders; SQLite files are read page by page too."""
    excepted = tuple(leave_out)
    hits: list[Hit] = []
    for root in roots:
        for path in sorted(root.rglob("*")):
            if any(path.is_relative_to(one) for one in excepted):
                continue
            place = str(path.relative_to(root))
            hits += search(place.encode(), canaries, f"name of {place}", depth=1)
            if not path.is_file() or path.is_symlink():
                continue
            data = path.read_bytes()
            hits += search(data, canaries, place)
            hits += search_pages(data, canaries, place)
            if data.startswith(b"SQLite format 3\0"):
                hits += search_values(path, canaries, place)
    return hits


def search_pages(data: bytes, canaries: Mapping[str, str], place: str) -> Iterator[Hit]:
    """Every canary cut by the end of a page, in a database or its WAL, also in pages that are free by now.

    A value that does not fit goes on in an overflow page, whose number stands right before the cut; the overflow page
    begins with the number of the next one.
    """
    pages = list(_pages(data))
    rests = _rests(tuple(sorted(canaries.items())))
    longest = max(map(len, rests), default=0)
    for number, page in pages:
        for length in range(1, longest + 1):
            for name, form, head in rests.get(page[4 : 4 + length], ()):
                if _ends_before(pages, head, number):
                    yield Hit(name, f"{form}, cut", f"{place}, page {number}")


def search_values(path: Path, canaries: Mapping[str, str], place: str) -> Iterator[Hit]:
    """Every canary in any value of any table of a database, as SQLite itself reads it."""
    database = sqlite3.connect(path)  # without "mode=ro": reading a WAL needs its index
    try:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                for value in row:
                    if isinstance(value, str | bytes):
                        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
                        yield from search(data, canaries, f"{place}, table {table}")
    finally:
        database.close()


def _plain(data: bytes, canaries: Mapping[str, str], place: str) -> Iterator[Hit]:
    has_stem = {name: text for name, text in canaries.items() if text.startswith(STEM)}
    others = {name: text for name, text in canaries.items() if name not in has_stem}
    yield from _found(data, others, place)
    traces = list(_found(data, {STEM: STEM}, place)) if has_stem else []
    if traces:
        yield from list(_found(data, has_stem, place)) or traces


def _found(data: bytes, canaries: Mapping[str, str], place: str) -> Iterator[Hit]:
    for name, text in canaries.items():
        for form, needle in forms(text).items():
            if needle in data:
                yield Hit(name, form, place)


@cache
def _rests(canaries: tuple[tuple[str, str], ...]) -> Mapping[bytes, list[tuple[str, str, bytes]]]:
    """For every end of a canary the canaries that end so, with what has to stand before it.

    Where the stem is whole, `search` has found it; and ends of less than six bytes are everywhere.
    """
    rests: dict[bytes, list[tuple[str, str, bytes]]] = {}
    for name, text in canaries:
        for form, needle in forms(text).items():
            last = len(forms(STEM)[form]) if text.startswith(STEM) else len(needle) - 5
            for cut in range(1, last):
                rests.setdefault(needle[cut:], []).append((name, form, needle[:cut]))
    return rests


def _middle_of_base64(raw: bytes, offset: int) -> bytes:
    """The characters that every base64 text has in common in which `raw` begins at this offset modulo 3."""
    encoded = base64.b64encode(b"\0" * offset + raw + b"\0" * ((-offset - len(raw)) % 3))
    return encoded[(8 * offset + 5) // 6 : (8 * (offset + len(raw))) // 6]


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    for match in _BASE64.finditer(data):
        joined = re.sub(rb"\s|\\n", b"", match[0]).rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):  # what stands before it may belong to the alphabet
            piece = joined[start:]
            yield "base64", base64.b64decode(piece[: len(piece) // 4 * 4])
    for match in _HEX.finditer(data):
        yield "hex", bytes.fromhex(re.sub(rb"\s", b"", match[0]).decode())
    if _PERCENT.search(data):
        yield "percent", urllib.parse.unquote_to_bytes(data)
    for match in _ZLIB.finditer(data):
        yield from _inflated(data[match.start() :], zlib.MAX_WBITS | 32, "zlib")
    for match in _ZIP.finditer(data):
        skipped = int.from_bytes(match[1], "little") + int.from_bytes(match[2], "little")
        yield from _inflated(data[match.end() + skipped :], -zlib.MAX_WBITS, "zip")
    yield from _inflated(data, -zlib.MAX_WBITS, "deflate")


def _inflated(data: bytes, wbits: int, how: str) -> Iterator[tuple[str, bytes]]:
    """What comes out, as far as it goes: a stream cut short has betrayed its beginning."""
    inflating = zlib.decompressobj(wbits)
    out = bytearray()
    try:
        for start in range(0, len(data), 512):
            out += inflating.decompress(data[start : start + 512], _INFLATED)
            if inflating.eof or len(out) > _INFLATED:
                break
    except zlib.error:
        pass
    if len(out) >= 8:
        yield how, bytes(out)


def _pages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, bytes) of every page of a database file, or of every frame of a WAL."""
    if data.startswith(b"SQLite format 3\0"):
        (size,) = struct.unpack_from(">H", data, 16)
        size = 65536 if size == 1 else size
        for number, start in enumerate(range(0, len(data), size), start=1):
            yield number, data[start : start + size]
    elif len(data) > 32 and struct.unpack_from(">I", data)[0] in _WAL_MAGIC:
        (size,) = struct.unpack_from(">I", data, 8)
        for start in range(32, len(data), size + 24):
            (number,) = struct.unpack_from(">I", data, start)
            yield number, data[start + 24 : start + 24 + size]


def _ends_before(pages: list[tuple[int, bytes]], head: bytes, number: int) -> bool:
    """Whether `head` ends where overflow page `number` goes on: before its number, or at the end of a page that names it."""
    pointer = struct.pack(">I", number)
    return any((head + pointer) in page or (page.startswith(pointer) and page.endswith(head)) for _, page in pages)
