"""The MIME entity an OSCI message travels in, byte for byte as the reference library writes it (§3)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from intermediary.osci.write.octets import Octets, Random, base64_length, base64_pieces, length, pieces

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\r\n\r\n'


@dataclass(frozen=True, slots=True)
class WirePart:
    """A MIME part after the first: `data` before the transfer encoding, which is `8-bit` (raw) or `base64`."""

    name: str = field(repr=False)
    media_type: str
    data: Octets = field(repr=False)
    base64: bool = False


def boundary(random: Random) -> str:
    """A boundary of 24 random bytes; unquoted on the wire although it may contain `/` and `+`."""
    return "MIME_boundary_" + b64encode(random(24)).decode("ascii")


def entity(envelope: str, parts: Sequence[WirePart], *, boundary: str) -> Iterator[bytes]:
    """The complete message with its own MIME headers, in pieces."""
    delimiter = b"\r\n--" + boundary.encode("ascii")
    yield _head(boundary) + delimiter + b"\r\n" + _first() + b"\r\n" + _DECLARATION + envelope.encode()
    for part in parts:
        count = base64_length(length(part.data)) if part.base64 else length(part.data)
        coding = b"base64" if part.base64 else b"8-bit"
        yield delimiter + b"\r\n" + _headers(part.media_type.encode(), coding, part.name, count) + b"\r\n"
        yield from base64_pieces(pieces(part.data)) if part.base64 else pieces(part.data)
    yield delimiter + b"--\r\n"


def encrypted_entity(
    envelope: str, encrypted: Iterable[bytes], *, boundary: str, base64: bool, forgotten: int
) -> Iterator[bytes]:
    """The transport envelope; its first part announces a length too small by `forgotten`, as the library does."""
    delimiter = b"\r\n--" + boundary.encode("ascii")
    document = _DECLARATION + envelope.encode()
    media_type, coding = (b"text/base64", b"7bit") if base64 else (b"application/octet-stream", b"binary")
    yield _head(boundary) + delimiter + b"\r\n" + _first(len(document) - forgotten) + b"\r\n" + document + b"\r\n"
    yield delimiter + b"\r\n" + _headers(media_type, coding, "osci_enc") + b"\r\n"
    yield from base64_pieces(encrypted) if base64 else encrypted
    yield delimiter + b"--\r\n"


def fault_entity(envelope: str) -> bytes:
    """A SOAP fault: the bare boundary, and one line end before everything (§3)."""
    part = b"--MIME_boundary\r\n" + _first() + b"\r\n" + _DECLARATION + envelope.encode()
    return b"\r\n" + _head("MIME_boundary") + b"\r\n" + part + b"\r\n--MIME_boundary--\r\n"


def _head(boundary: str) -> bytes:
    return b"MIME-Version: 1.0\r\nContent-Type: Multipart/Related; boundary=%b; type=text/xml\r\n" % (
        boundary.encode("ascii")
    )


def _first(count: int | None = None) -> bytes:
    return _headers(b"text/xml; charset=UTF-8", b"8bit", "osci@message", count)


def _headers(media_type: bytes, coding: bytes, content_id: str, count: int | None = None) -> bytes:
    headers = b"Content-Type: %b\r\nContent-Transfer-Encoding: %b\r\nContent-ID: <%b>\r\n" % (
        media_type,
        coding,
        content_id.encode(),
    )
    return headers if count is None else headers + b"Content-Length: %d\r\n" % count
