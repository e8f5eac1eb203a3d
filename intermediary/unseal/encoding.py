"""Strict Base64: white space is skipped, anything else that does not belong is an error."""

from __future__ import annotations

import binascii

from intermediary.core.faults import Rejected


def from_base64(text: str | bytes, *, code: str = "osci.structure", where: str = "base64") -> bytes:
    """The decoded octets; `Rejected(code)` for foreign characters, wrong padding or data after it."""
    try:
        octets = text if isinstance(text, bytes) else text.encode("ascii")
        return binascii.a2b_base64(b"".join(octets.split()), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Rejected(code, where=where) from None
