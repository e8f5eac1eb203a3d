"""The strict MIME reader: one level of multipart/related, byte-exact parts, unique names (threat T8, OSCI digest §3).

Documented rules: lines end in CRLF; `Content-Length` is ignored; a Content-ID is compared literally, without percent
decoding; text before the first delimiter may have 4 KiB; what follows the last one is ignored; a part is never read as
MIME again; a quoted-printable line may have 64 KiB. A part stays where it lies: content of any length is read in pieces.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from intermediary.core.faults import Rejected
from intermediary.core.section import Section, View
from intermediary.core.values import Content, MemoryContent
from intermediary.keys.spool import Spool
from intermediary.unseal.encoding import decode_base64


@dataclass(frozen=True, slots=True)
class MimeLimits:
    """How large the frame of a message may be; beyond is `mime.limit`."""

    max_parts: int = 1000
    max_header_bytes: int = 16 * 1024
    max_header_lines: int = 64
    max_boundary: int = 70
    max_preamble: int = 4096
    max_false_delimiters: int = 100_000
    max_quoted_line: int = 64 * 1024


LIMITS = MimeLimits()


@dataclass(frozen=True, slots=True)
class MimePart:
    """One part: its name without angle brackets, its type, and its content after undoing the transfer encoding."""

    content_id: str = field(repr=False)
    media_type: str
    parameters: Mapping[str, str] = field(repr=False)
    transfer_encoding: str
    content: Content

    @property
    def data(self) -> bytes:
        """All of it in memory: for parts that are known to be small."""
        return self.content.read()


@dataclass(frozen=True, slots=True)
class MimeMessage:
    """A multipart/related message; `root` is its first part, `epilogue` how many bytes follow its end."""

    root: MimePart
    others: tuple[MimePart, ...]
    epilogue: int = 0


def read(content: bytes | Content, limits: MimeLimits = LIMITS, *, spool: Spool | None = None) -> MimeMessage:
    """Splits a MIME entity that begins with its own headers; parts are windows on it, decoded ones go to the spool.

    Without a spool they go to memory. The content must never change. Raises `Rejected`: `mime.malformed`, `mime.limit`;
    OSError when the disk has no room.
    """
    entity = MemoryContent(content) if isinstance(content, bytes) else content
    return _Reader(entity, spool or Spool(None), limits).read()


class _Reader:
    """One reading of one entity."""

    def __init__(self, content: Content, spool: Spool, limits: MimeLimits) -> None:
        self._content = content
        self._view = View(content)
        self._spool = spool
        self._limits = limits
        self._epilogue = 0

    def read(self) -> MimeMessage:
        headers, start = self._headers(self._skip_empty_lines(), self._view.length)
        if headers.get("mime-version", "1.0") != "1.0":
            raise _malformed("version")
        media_type, parameters = structured(headers.get("content-type", ""), "content type")
        if media_type != "multipart/related":
            raise _malformed("content type")
        boundary = parameters.get("boundary", "")
        if not 0 < len(boundary) <= self._limits.max_boundary or not boundary.isascii():
            raise _malformed("boundary")
        parts = tuple(self._part(begin, end) for begin, end in self._sections(start, boundary))
        if len({part.content_id for part in parts}) != len(parts):
            raise _malformed("content id")
        if parameters.get("start", f"<{parts[0].content_id}>") != f"<{parts[0].content_id}>":
            raise _malformed("start")
        return MimeMessage(parts[0], parts[1:], self._epilogue)

    def _sections(self, start: int, boundary: str) -> Iterator[tuple[int, int]]:
        """Begin and end of every part: from after a delimiter line to before the CRLF of the next delimiter."""
        count = 0
        begin: int | None = None
        for line, after, is_last in self._delimiters(start, b"--" + boundary.encode("ascii")):
            if begin is None:
                if line - start > self._limits.max_preamble:
                    raise Rejected("mime.limit", where="preamble")
            else:
                count += 1
                if count > self._limits.max_parts:
                    raise Rejected("mime.limit", where="parts")
                yield begin, line - 2
            if is_last:
                if count == 0:
                    raise _malformed("parts")
                self._epilogue = self._view.length - after
                return
            begin = after
        raise _malformed("truncated")

    def _delimiters(self, start: int, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
        """Every delimiter line: where it begins, where the next line begins, whether it is the last."""
        view = self._view
        false = 0
        position = view.find(delimiter, start)
        if (position if position >= 0 else view.length) - start > self._limits.max_preamble:
            raise Rejected("mime.limit", where="preamble")
        while position >= 0:
            end = position + len(delimiter)
            line = view.slice(max(0, position - 2), end + _AFTER_BYTES)
            skip = min(2, position) + len(delimiter)
            at_line_start = position == start or line.startswith(b"\r\n")
            rest = _AFTER_DELIMITER.match(line, skip) if at_line_start else None
            if rest is not None and (rest.group(1) or rest.group(2)):
                yield position, end + rest.end() - skip, rest.group(1) is not None
            else:
                false += 1
                if false > self._limits.max_false_delimiters:
                    raise Rejected("mime.limit", where="delimiters")
            position = view.find(delimiter, end)

    def _part(self, begin: int, end: int) -> MimePart:
        if end < begin:
            raise _malformed("part")
        headers, start = self._headers(begin, end)
        media_type, parameters = structured(headers.get("content-type", "application/octet-stream"), "content type")
        if "content-disposition" in headers:
            structured(headers["content-disposition"], "content disposition")
        content_id = headers.get("content-id", "")
        if len(content_id) < 3 or content_id[0] != "<" or content_id[-1] != ">":
            raise _malformed("content id")
        encoding = headers.get("content-transfer-encoding", "8bit").lower()
        content = self._decoded(Section(self._content, start, end), encoding)
        return MimePart(content_id[1:-1], media_type, parameters, encoding, content)

    def _decoded(self, octets: Section, encoding: str) -> Content:
        if encoding in ("7bit", "8bit", "8-bit", "binary"):
            return octets
        if encoding == "base64":
            return decode_base64(octets.stretch(), self._spool, code="mime.malformed", where="transfer encoding")
        if encoding == "quoted-printable":
            return self._unquoted(octets)
        raise _malformed("transfer encoding")

    def _unquoted(self, octets: Section) -> Content:
        """Line by line, as no escape goes beyond one."""
        with self._spool.receive() as arriving:
            rest = b""
            for piece in octets.stretch():
                text = rest + bytes(piece)
                whole = text.rfind(b"\n") + 1
                rest = text[whole:]
                if len(rest) > self._limits.max_quoted_line:
                    raise Rejected("mime.limit", where="quoted-printable")
                arriving.write(binascii.a2b_qp(text[:whole]))
            arriving.write(binascii.a2b_qp(rest))
            return arriving.finish()

    def _skip_empty_lines(self) -> int:
        position = 0
        while position < self._limits.max_header_lines and self._view.slice(position, position + 2) == b"\r\n":
            position += 2
        return position

    def _headers(self, begin: int, end: int) -> tuple[dict[str, str], int]:
        """The headers from `begin` on, names in lower case and folded lines joined, and where the body begins."""
        limits = self._limits
        head = self._view.slice(begin, min(end, begin + _USUAL_HEADER))
        if head.startswith(b"\r\n"):
            return {}, begin + 2
        stop = head.find(b"\r\n\r\n")
        if stop < 0:
            head = self._view.slice(begin, min(end, begin + limits.max_header_bytes + 4))
            stop = head.find(b"\r\n\r\n")
        if stop < 0:
            if end - begin > limits.max_header_bytes:
                raise Rejected("mime.limit", where="header")
            raise _malformed("header")
        try:
            lines = head[:stop].decode("utf-8").split("\r\n")
        except UnicodeDecodeError:
            raise _malformed("header") from None
        if len(lines) > limits.max_header_lines:
            raise Rejected("mime.limit", where="header lines")
        return _unfolded(lines), begin + stop + 4


_USUAL_HEADER = 512
_AFTER_DELIMITER = re.compile(rb"(--)?[ \t]{0,64}(\r\n|\Z)")
_AFTER_BYTES = 2 + 64 + 2 + 1
"""One more than the longest match, so that the end of what is looked at is not taken for the end of the entity."""


_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def _unfolded(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    last = ""
    if any(map(_CONTROL.search, lines)):
        raise _malformed("header")
    for line in lines:
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


def structured(value: str, where: str) -> tuple[str, dict[str, str]]:
    """A structured header: its value in lower case and its parameters, each at most once; else `mime.malformed`."""
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
