"""Heads to syslog (RFC 5424) as an additional second place, and back out of what a syslog server wrote down.

UDP (RFC 5426) and the local socket tell nobody that a line was lost; TCP uses octet counting (RFC 6587, chapter 3.4.1).
A head that was lost is no gap: every later one covers it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from intermediary.audit.chain import Malformed, moment
from intermediary.audit.sealer import Head
from intermediary.core.faults import Transient

_PRIORITY = 13 * 8 + 5  # facility "log audit", severity "notice"
_TIMEOUT_SECONDS = 3.0
_MARK = b'{"head"'


class Syslog:
    """One way to a syslog server, opened for a few lines; use it as a context manager.

    `address` is the setting `audit.heads_syslog`. Opening and sending raise `Transient("audit.syslog")`, within seconds.
    """

    def __init__(self, address: str, *, host: str) -> None:
        self._address = address
        self._host = host
        self._kind = address.partition(":")[0]
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        try:
            self._socket = self._connected()
        except OSError as error:
            raise self._unavailable() from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, heads: Sequence[Head]) -> None:
        """One message per head, in order."""
        if self._socket is None:
            raise RuntimeError("a way is opened before something is sent")
        try:
            for head in heads:
                message = self._message(head)
                self._socket.sendall(b"%d %s" % (len(message), message) if self._kind == "tcp" else message)
        except OSError as error:
            raise self._unavailable() from error

    def _message(self, head: Head) -> bytes:
        return f"<{_PRIORITY}>1 {moment(head.at)} {self._host} intermediary - audit-head - {head.line()}".encode()

    def _connected(self) -> socket.socket:
        rest = self._address.partition(":")[2]
        if self._kind == "unix":
            return _local(rest)
        host, _colon, port = rest.removeprefix("//").rpartition(":")
        place = (host.strip("[]"), int(port))
        if self._kind == "tcp":
            return socket.create_connection(place, timeout=_TIMEOUT_SECONDS)
        family, kind, protocol, _name, target = socket.getaddrinfo(*place, type=socket.SOCK_DGRAM)[0]
        made = socket.socket(family, kind, protocol)
        made.settimeout(_TIMEOUT_SECONDS)
        made.connect(target)
        return made

    def _unavailable(self) -> Transient:
        return Transient("audit.syslog", where=f"audit.heads_syslog: {self._address}")


def heads_in(lines: Iterable[bytes], installation: str) -> tuple[Head, ...]:
    """The heads of one installation in a file that a syslog server wrote, or in a file of heads, once each.

    What stands before a head in its line (the server's own header) is passed over, and so are other lines.
    """
    found: dict[str, Head] = {}
    for line in lines:
        begin = line.find(_MARK)
        if begin < 0:
            continue
        try:
            head = Head.parse(line[begin:].strip())
        except Malformed:
            continue  # cut short
        if head.installation == installation:
            found.setdefault(head.digest(), head)
    return tuple(found.values())


def read_syslog(file: Path, installation: str) -> tuple[Head, ...]:
    """`heads_in` of a file; OSError when it cannot be read."""
    with file.open("rb") as lines:
        return heads_in(lines, installation)


def _local(path: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.settimeout(_TIMEOUT_SECONDS)
    try:
        made.connect(path)
    except OSError:
        made.close()
        raise
    return made
