"""The strict MIME reader: one level of multipart/related, byte-exact parts, unique names (threat T8, OSCI digest §3).

Documented rules: lines end in CRLF; `Content-Length` is ignored; a Content-ID is compared literally, without percent
decoding; text before the first delimiter may have 4 KiB; what follows the last one is ignored; a part is never read as
MIME again.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from intermediary.core.faults import Rejected
from intermediary.unseal.encoding import from_base64


@dataclass(frozen=True, slots=True)
class MimeLimits:
    """How large the frame of a message may be; beyond is `mime.limit`."""

    max_parts: int = 1000
    max_header_bytes: int = 16 * 1024
    max_header_lines: int = 64
    max_boundary: int = 70
    max_preamble: int = 4096
    max_false_delimiters: int = 100_000


LIMITS = MimeLimits()


@dataclass(frozen=True, slots=True)
class MimePart:
    """One part: its name without angle brackets, its type, and its bytes after undoing the transfer encoding."""

    content_id: str = field(repr=False)
    media_type: str
    parameters: Mapping[str, str] = field(repr=False)
    transfer_encoding: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MimeMessage:
    """A multipart/related message; `root` is its first part."""

    root: MimePart
    others: tuple[MimePart, ...]


def read(data: bytes, limits: MimeLimits = LIMITS) -> MimeMessage:
    """Splits a MIME entity that begins with its own headers. Raises `Rejected`: `mime.malformed`, `mime.limit`."""
    headers, start = _headers(data, _skip_empty_lines(data, limits), len(data), limits)
    if headers.get("mime-version", "1.0") != "1.0":
        raise _malformed("version")
    media_type, parameters = _parameters(headers.get("content-type", ""), "content type")
    if media_type != "multipart/related":
        raise _malformed("content type")
    boundary = parameters.get("boundary", "")
    if not 0 < len(boundary) <= limits.max_boundary or not boundary.isascii():
        raise _malformed("boundary")
    parts = tuple(_part(data, begin, end, limits) for begin, end in _sections(data, start, boundary, limits))
    if len({part.content_id for part in parts}) != len(parts):
        raise _malformed("content id")
    if parameters.get("start", f"<{parts[0].content_id}>") != f"<{parts[0].content_id}>":
        raise _malformed("start")
    return MimeMessage(parts[0], parts[1:])


def _sections(data: bytes, start: int, boundary: str, limits: MimeLimits) -> Iterator[tuple[int, int]]:
    """Begin and end of every part: from after a delimiter line to before the CRLF of the next delimiter."""
    delimiter = b"--" + boundary.encode("ascii")
    count = 0
    begin: int | None = None
    for line, after, is_last in _delimiters(data, start, delimiter, limits):
        if begin is None:
            if line - start > limits.max_preamble:
                raise Rejected("mime.limit", where="preamble")
        else:
            count += 1
            if count > limits.max_parts:
                raise Rejected("mime.limit", where="parts")
            yield begin, line - 2
        if is_last:
            if count == 0:
                raise _malformed("parts")
            return
        begin = after
    raise _malformed("truncated")


_AFTER_DELIMITER = re.compile(rb"(--)?[ \t]{0,64}(\r\n|\Z)")


def _delimiters(data: bytes, start: int, delimiter: bytes, limits: MimeLimits) -> Iterator[tuple[int, int, bool]]:
    """Every delimiter line: where it begins, where the next line begins, whether it is the last."""
    false = 0
    position = data.find(delimiter, start)
    if (position if position >= 0 else len(data)) - start > limits.max_preamble:
        raise Rejected("mime.limit", where="preamble")
    while position >= 0:
        end = position + len(delimiter)
        at_line_start = position == start or data[position - 2 : position] == b"\r\n"
        rest = _AFTER_DELIMITER.match(data, end) if at_line_start else None
        if rest is not None and (rest.group(1) or rest.group(2)):
            yield position, rest.end(), rest.group(1) is not None
        else:
            false += 1
            if false > limits.max_false_delimiters:
                raise Rejected("mime.limit", where="delimiters")
        position = data.find(delimiter, end)


def _part(data: bytes, begin: int, end: int, limits: MimeLimits) -> MimePart:
    if end < begin:
        raise _malformed("part")
    headers, start = _headers(data, begin, end, limits)
    media_type, parameters = _parameters(headers.get("content-type", "application/octet-stream"), "content type")
    if "content-disposition" in headers:
        _parameters(headers["content-disposition"], "content disposition")
    content_id = headers.get("content-id", "")
    if len(content_id) < 3 or content_id[0] != "<" or content_id[-1] != ">":
        raise _malformed("content id")
    encoding = headers.get("content-transfer-encoding", "8bit").lower()
    return MimePart(content_id[1:-1], media_type, parameters, encoding, _decoded(data[start:end], encoding))


def _decoded(octets: bytes, encoding: str) -> bytes:
    if encoding in ("7bit", "8bit", "8-bit", "binary"):
        return octets
    if encoding == "base64":
        return from_base64(octets, code="mime.malformed", where="transfer encoding")
    if encoding == "quoted-printable":
        return binascii.a2b_qp(octets)
    raise _malformed("transfer encoding")


def _skip_empty_lines(data: bytes, limits: MimeLimits) -> int:
    position = 0
    while data.startswith(b"\r\n", position) and position < limits.max_header_lines:
        position += 2
    return position


def _headers(data: bytes, begin: int, end: int, limits: MimeLimits) -> tuple[dict[str, str], int]:
    """The headers from `begin` on, names in lower case and folded lines joined, and where the body begins."""
    if data.startswith(b"\r\n", begin):
        return {}, begin + 2
    stop = data.find(b"\r\n\r\n", begin, min(end, begin + limits.max_header_bytes + 4))
    if stop < 0:
        if end - begin > limits.max_header_bytes:
            raise Rejected("mime.limit", where="header")
        raise _malformed("header")
    try:
        lines = data[begin:stop].decode("utf-8").split("\r\n")
    except UnicodeDecodeError:
        raise _malformed("header") from None
    if len(lines) > limits.max_header_lines:
        raise Rejected("mime.limit", where="header lines")
    return _unfolded(lines), stop + 4


_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def _unfolded(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    last = ""
    for line in lines:
        if _CONTROL.search(line):
            raise _malformed("header")
        if line[:1] in (" ", "\t"):
            if not last:
                raise _malformed("header")
            headers[last] += " " + line.strip(" \t")
            continue
        name, colon, value = line.partition(":")
        last = name.strip(" \t").lower()
        if not colon or not _NAME.fullmatch(last) or last in headers:
            raise _malformed("header")
        headers[last] = value.strip(" \t")
    return headers


_PARAMETER = re.compile(r"""[ \t]*;[ \t]*([^\s;="]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))[ \t]*""")


def _parameters(value: str, where: str) -> tuple[str, dict[str, str]]:
    """A structured header: its value in lower case and its parameters, each at most once."""
    head = value.partition(";")[0]
    parameters: dict[str, str] = {}
    position = len(head)
    while position < len(value):
        match = _PARAMETER.match(value, position)
        if match is None:
            if value[position:].strip(" \t;") == "":
                break
            raise _malformed(where)
        name = match.group(1).lower()
        if name in parameters:
            raise _malformed(where)
        quoted = match.group(2)
        parameters[name] = match.group(3) if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        position = match.end()
    return head.strip(" \t").lower(), parameters


def _malformed(where: str) -> Rejected:
    return Rejected("mime.malformed", where=where)
