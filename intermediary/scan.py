"""The virus scan: every part of an opened submission goes to clamd before anything is judged.

An effect, and therefore no part of the pipeline: the worker scans what the pipeline has opened and only then lets it judge
(docs/decisions/0012). Own client of clamd's session protocol, because the libraries there are have been abandoned.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from intermediary.core.faults import Misconfigured, Rejected, Transient
from intermediary.core.section import pieces
from intermediary.core.values import Befund, Content, Opened
from intermediary.unseal.described import describe
from intermediary.unseal.refusal import Refusal

_LONGEST_ANSWER = 4096
_UNSAFE = re.compile(r"[^A-Za-z0-9 ./:_+-]")
_LONGEST_NAME = 100
_LIMITS = "Heuristics.Limits.Exceeded"
_CHUNK = 128 * 1024


@dataclass(frozen=True, slots=True)
class Scanned:
    """A clean scan: `engine` is what clamd says of itself and its signatures, `parts` how many were looked at."""

    engine: str
    parts: int

    def facts(self) -> dict[str, object]:
        """For the plan of the Nachricht, which the audit trail vouches for."""
        return {"engine": self.engine, "parts": self.parts}


@dataclass(frozen=True, slots=True)
class Scanner:
    """A clamd: `address` as in the settings, how long it may take, and the largest file it looks at."""

    address: str
    connect_seconds: float
    answer_seconds: float
    max_bytes: int

    def scan(self, opened: Opened) -> Scanned:
        """Send every content and attachment, decoded as the pipeline reads them; the worker calls it once per judgement.

        Raises `Refusal("scan.virus.found")` with a finding for each infected part, naming place and signature;
        `Transient("scan.unavailable")` when clamd does not answer to the end; `Misconfigured("scan.limit")` for a part that
        it would not look at in full. There is no way through without a clean answer for every part.
        """
        parts = (*opened.contents, *opened.attachments)
        for part in parts:
            if part.content.length > self.max_bytes:
                raise Misconfigured("scan.limit", where=f"{part.content.length} bytes, scan.max_bytes {self.max_bytes}")
        findings: list[Befund] = []
        with self._session() as session:
            engine = session.version()
            for part in parts:
                found = session.scan(part.content)
                if found:
                    hint = f"Gefunden wurde {found}."
                    findings.append(Befund("scan.virus.found", path=part.place, rule="virus", hint=hint))
        if findings:
            refusal = Rejected("scan.virus.found", where="part", findings=tuple(findings))
            raise Refusal(refusal, {"facts": describe(opened), "scan": Scanned(engine, len(parts)).facts()})
        return Scanned(engine, len(parts))

    def version(self) -> str:
        """What clamd says of itself and its signatures; raises `Transient("scan.unavailable")`. For `doctor`."""
        with self._session() as session:
            return session.version()

    @contextmanager
    def _session(self) -> Iterator[_Session]:
        try:
            with self._connected() as connection:
                yield _Session(connection)
        except OSError as failure:
            raise Transient("scan.unavailable", where=f"{self.address}: {type(failure).__name__}") from failure

    def _connected(self) -> socket.socket:
        kind, _colon, rest = self.address.partition(":")
        if kind == "unix":
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(self.connect_seconds)
                connection.connect(rest)
            except OSError:
                connection.close()
                raise
        else:
            host, _colon, port = rest.removeprefix("//").rpartition(":")
            connection = socket.create_connection((host.strip("[]"), int(port)), timeout=self.connect_seconds)
        connection.settimeout(self.answer_seconds)
        return connection


class _Broken(OSError):
    """The answer is none of clamd's."""


class _Session:
    """One connection with any number of questions (IDSESSION): answers are numbered and end with a zero byte."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._asked = 0
        self._read = b""
        connection.sendall(b"zIDSESSION\0")

    def version(self) -> str:
        answer = self._ask(b"zVERSION\0")
        if not answer.startswith("ClamAV"):
            raise _Broken
        return _safe(answer)

    def scan(self, content: Content) -> str:
        """The name of the signature that matched, or nothing."""
        try:
            self._connection.sendall(b"zINSTREAM\0")
            for piece in pieces(content):
                for start in range(0, len(piece), _CHUNK):
                    chunk = bytes(piece[start : start + _CHUNK])
                    self._connection.sendall(len(chunk).to_bytes(4, "big") + chunk)
            self._connection.sendall(bytes(4))
        except OSError:
            # clamd may have said why before it closed: too long.
            with suppress(OSError):
                return self._verdict(self._answer())
            raise
        return self._verdict(self._answer())

    def _verdict(self, answer: str) -> str:
        if answer == "stream: OK":
            return ""
        if answer.startswith("stream: ") and answer.endswith(" FOUND"):
            name = answer[len("stream: ") : -len(" FOUND")]
            if name.startswith(_LIMITS):
                raise Misconfigured("scan.limit", where=_safe(name))
            return _safe(name) or "?"
        if "size limit exceeded" in answer:
            raise Misconfigured("scan.limit", where="clamd: StreamMaxLength")
        raise _Broken

    def _ask(self, question: bytes) -> str:
        self._connection.sendall(question)
        return self._answer()

    def _answer(self) -> str:
        """The answer to the last question, without its number."""
        self._asked += 1
        while b"\0" not in self._read:
            if len(self._read) > _LONGEST_ANSWER:
                raise _Broken
            received = self._connection.recv(_LONGEST_ANSWER)
            if not received:
                raise _Broken
            self._read += received
        answer, _zero, self._read = self._read.partition(b"\0")
        number, colon, text = answer.decode("ascii", "replace").partition(": ")
        if text and colon and number == str(self._asked):
            return text
        return answer.decode("ascii", "replace")


def _safe(name: str) -> str:
    """A name that clamd gave, fit for a finding and a log."""
    return _UNSAFE.sub("?", name)[:_LONGEST_NAME]
