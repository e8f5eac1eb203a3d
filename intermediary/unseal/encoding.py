"""Strict Base64: white space is skipped, anything else that does not belong is an error."""

from __future__ import annotations

import binascii
from collections.abc import Iterable

import pybase64

from intermediary.core.faults import Rejected
from intermediary.core.values import Content
from intermediary.keys.spool import Spool

_WHITE_SPACE = b" \t\n\r\x0b\x0c"
_LONG = 4096


def from_base64(text: str | bytes, *, code: str = "osci.structure", where: str = "base64") -> bytes:
    """The decoded octets; `Rejected(code)` for foreign characters, wrong padding or data after it."""
    try:
        octets = text if isinstance(text, bytes) else text.encode("ascii")
        return pybase64.b64decode(_compact(octets), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Rejected(code, where=where) from None


def decode_base64(
    pieces: Iterable[bytes | memoryview], spool: Spool, *, code: str = "osci.structure", where: str = "base64"
) -> Content:
    """The same for a text that comes in pieces; the octets go to the spool."""
    with spool.receive() as arriving:
        rest = b""
        for piece in pieces:
            text = rest + _compact(bytes(piece))
            # Padding may stand only at the end: what is kept back holds the last group.
            whole = max(0, (len(text) - 1) // 4 * 4)
            rest = text[whole:]
            octets = from_base64(text[:whole], code=code, where=where)
            if len(octets) != whole // 4 * 3:
                raise Rejected(code, where=where)
            arriving.write(octets)
        arriving.write(from_base64(rest, code=code, where=where))
        return arriving.finish()


def _compact(text: bytes) -> bytes:
    """Without white space. In long texts there are only line feeds as a rule, and to cut these out is faster."""
    if len(text) > _LONG:
        text = text.replace(b"\n", b"")
        if not any(space in text for space in _WHITE_SPACE):
            return text
    return text.translate(None, _WHITE_SPACE)
