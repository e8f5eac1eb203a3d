"""The MIME entity an OSCI message travels in, byte for byte as the reference library writes it (§3)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field

from intermediary.osci.write.letter import Random
from intermediary.osci.write.markup import base64_lines

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\r\n\r\n'


@dataclass(frozen=True, slots=True)
class WirePart:
    """A MIME part after the first: `data` before the transfer encoding, which is `8-bit` (raw) or `base64`."""

    name: str = field(repr=False)
    media_type: str
    data: bytes = field(repr=False)
    base64: bool = False


def boundary(random: Random) -> str:
    """A boundary of 24 random bytes; unquoted on the wire although it may contain `/` and `+`."""
    return "MIME_boundary_" + b64encode(random(24)).decode("ascii")


def entity(envelope: str, parts: Sequence[WirePart], *, boundary: str) -> bytes:
    """The complete message with its own MIME headers."""
    written = [_part(b"text/xml; charset=UTF-8", b"8bit", "osci@message", _DECLARATION + envelope.encode())]
    for part in parts:
        wire = base64_lines(part.data).encode("ascii") if part.base64 else part.data
        coding = b"base64" if part.base64 else b"8-bit"
        written.append(_part(part.media_type.encode(), coding, part.name, wire, length=len(wire)))
    return _multipart(written, boundary)


def encrypted_entity(envelope: str, encrypted: bytes, *, boundary: str, base64: bool, forgotten: int) -> bytes:
    """The transport envelope; its first part announces a length too small by `forgotten`, as the library does."""
    document = _DECLARATION + envelope.encode()
    first = _part(
        b"text/xml; charset=UTF-8", b"8bit", "osci@message", document + b"\r\n", length=len(document) - forgotten
    )
    if base64:
        second = _part(b"text/base64", b"7bit", "osci_enc", base64_lines(encrypted).encode("ascii"))
    else:
        second = _part(b"application/octet-stream", b"binary", "osci_enc", encrypted)
    return _multipart([first, second], boundary)


def _part(media_type: bytes, coding: bytes, content_id: str, body: bytes, *, length: int | None = None) -> bytes:
    headers = b"Content-Type: %b\r\nContent-Transfer-Encoding: %b\r\nContent-ID: <%b>\r\n" % (
        media_type,
        coding,
        content_id.encode(),
    )
    if length is not None:
        headers += b"Content-Length: %d\r\n" % length
    return headers + b"\r\n" + body


def _multipart(parts: Sequence[bytes], boundary: str) -> bytes:
    delimiter = b"\r\n--" + boundary.encode("ascii")
    head = b"MIME-Version: 1.0\r\nContent-Type: Multipart/Related; boundary=%b; type=text/xml\r\n" % (
        boundary.encode("ascii")
    )
    return head + b"".join(delimiter + b"\r\n" + part for part in parts) + delimiter + b"--\r\n"
