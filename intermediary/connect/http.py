"""HTTP to a target: one bounded exchange after the other, and what each failure says about the request (promise G4).

Nothing is followed, decompressed, proxied or believed that the operator did not configure; no request, and so none of our
credentials, goes to another host than the configured one.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx2

from intermediary.connect.http_body import Body
from intermediary.connect.http_values import HttpAnswer, HttpRequest, HttpSettings, HttpUrl, retry_after
from intermediary.connect.sent import Overdue, Sent
from intermediary.connect.watchdog import Watchdog
from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear

_OF_OUR_CERTIFICATE = (
    "ALERT_CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_UNKNOWN_CA",
    "ALERT_ACCESS_DENIED",
)


class HttpClient:
    """Exchanges with the one host of `url`; each has a connection of its own. For one thread at a time.

    `where` names the target in faults; what its server does is told with host and port. Renewed files of certificates are
    read again by themselves. Raises `Misconfigured` with `target.tls` when they cannot be used, which `probe` of a connector
    should find.
    """

    def __init__(
        self,
        url: str,
        settings: HttpSettings,
        *,
        where: str,
        ticks: Callable[[], float] = time.monotonic,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._url = httpx2.URL(HttpUrl(url))
        self._settings = settings
        self._where = where
        self._place = f"{where}: {_host_of(self._url)}"
        self._ticks = ticks
        self._transport = transport
        self._client: httpx2.Client | None = None
        self._stamp: tuple[object, ...] = ()

    def send(self, request: HttpRequest, *, now: datetime) -> HttpAnswer:
        """Send one request and read its answer, whatever its status (redirects are not followed).

        Raises `Transient("target.unreachable")` when nothing was sent, or nothing but a question; `Misconfigured` when TLS
        fails (`target.tls`) or the address is another host's (`target.http`); `Unclear` when the request may have been
        read: `target.no-answer`, `target.answer.too-large`. A Fault of the body's source passes as it is while nothing is
        sent, and `payload.corrupt` always: the request then lacks its last piece. `now` is for a Retry-After with a date.
        """
        url = self._resolve(request.url)
        sent = Sent()
        try:
            pieces = _Pieces(request.body, self._ticks, self._ticks() + self._settings.total_seconds)
            return self._exchange(request, url, pieces, sent, now)
        except Fault as fault:
            if not sent.any or fault.code == "payload.corrupt" or isinstance(fault, Unclear):
                raise
            raise self._lost(request, "target.no-answer") from fault
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError) as error:
            raise Misconfigured("target.http", where=self._where) from error
        except (httpx2.TransportError, Overdue) as error:
            if _is_tls(error, sent):
                raise Misconfigured("target.tls", where=self._place) from error
            if not sent.any:
                raise Transient("target.unreachable", where=self._place) from error
            raise self._lost(request, "target.no-answer") from error

    def examine(self) -> None:
        """Read the files of certificates and keys, without the network; raises `Misconfigured("target.tls")`."""
        self._context()

    def resolve(self, reference: str) -> str:
        """The absolute address of what a target named (a Location); `Misconfigured("target.http")` if it is elsewhere."""
        return str(self._resolve(reference))

    def close(self) -> None:
        """End all connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _exchange(
        self, request: HttpRequest, url: httpx2.URL, pieces: _Pieces, sent: Sent, now: datetime
    ) -> HttpAnswer:
        headers = {**request.headers}
        if request.body.parts or request.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(request.body.length)
        client = self._opened()
        with Watchdog(self._settings.total_seconds) as dog:

            def trace(event: str, info: dict[str, Any]) -> None:
                sent.trace(event)
                dog.trace(event, info)

            with client.stream(
                request.method, url, headers=headers, content=pieces, extensions={"trace": trace}
            ) as response:
                return self._answer(request, response, pieces.deadline, now)

    def _answer(self, request: HttpRequest, response: httpx2.Response, deadline: float, now: datetime) -> HttpAnswer:
        headers = MappingProxyType({name.lower(): value for name, value in response.headers.items()})
        waits = retry_after(headers.get("retry-after", ""), now)
        is_success = response.is_success
        body = bytearray()
        try:
            for piece in response.iter_raw():
                if len(body) + len(piece) > self._settings.max_answer_bytes:
                    if is_success:
                        raise self._lost(request, "target.answer.too-large")
                    return HttpAnswer(response.status_code, headers, b"", waits, _host_of(self._url))
                if self._ticks() > deadline:
                    raise Overdue
                body += piece
        except (httpx2.TransportError, Overdue) as error:
            if is_success:
                raise self._lost(request, "target.no-answer") from error
            body.clear()
        return HttpAnswer(response.status_code, headers, bytes(body), waits, _host_of(self._url))

    def _lost(self, request: HttpRequest, code: str) -> Fault:
        if request.is_safe:
            return Transient("target.unreachable", where=self._place)
        return Unclear(code, where=self._place)

    def _resolve(self, reference: str) -> httpx2.URL:
        try:
            url = self._url.join(reference) if reference else self._url
        except httpx2.InvalidURL as error:
            raise Misconfigured("target.http", where=f"{self._where}: address") from error
        if _origin(url) != _origin(self._url) or url.userinfo:
            raise Misconfigured("target.http", where=f"{self._where}: another host")
        return url.copy_with(fragment=None)

    def _opened(self) -> httpx2.Client:
        files = (self._settings.ca_file, self._settings.client_cert, self._settings.client_key)
        stamp = tuple(_stamp(path) for path in files)
        if self._client is None or stamp != self._stamp:
            self.close()
            self._client = httpx2.Client(
                verify=self._context(),
                timeout=httpx2.Timeout(self._settings.idle_seconds, connect=self._settings.connect_seconds),
                follow_redirects=False,
                trust_env=False,
                # Each request has a connection of its own: its watchdog knows which one to end, and no idle connection
                # that the target just closed makes an unclear outcome.
                limits=httpx2.Limits(max_connections=8, max_keepalive_connections=0),
                headers={"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "intermediary"},
                transport=self._transport,
            )
            self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
            self._stamp = stamp
        return self._client

    def _context(self) -> ssl.SSLContext:
        ca_file, cert, key = self._settings.ca_file, self._settings.client_cert, self._settings.client_key
        if self._url.scheme == "http":  # to this machine: no authorities are read for it, and none is trusted
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        setting = "ca_file"
        try:
            context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
            if cert is not None:
                setting = "client_cert, client_key"
                context.load_cert_chain(cert, key, password=_no_password)
        except (OSError, ValueError) as error:  # SSLError is an OSError
            raise Misconfigured("target.tls", where=f"{self._where}: {setting}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


class _Pieces:
    """The pieces of a body under a deadline. Its first one is read at once, before anything is sent."""

    def __init__(self, body: Body, ticks: Callable[[], float], deadline: float) -> None:
        self.deadline = deadline
        self._ticks = ticks
        self._rest = body.pieces()
        self._first = next(self._rest, b"")

    def __iter__(self) -> Iterator[bytes]:
        if self._first:
            yield self._first
        for piece in self._rest:
            if self._ticks() > self.deadline:
                raise Overdue
            yield piece


def _is_tls(error: BaseException | None, sent: Sent) -> bool:
    """Whether TLS failed for good, before any of the request could be read (RFC 8446 4.4.2.4 for our certificate)."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            if sent.any:
                return str(error.reason).endswith(_OF_OUR_CERTIFICATE)
            return not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        error = error.__cause__ or error.__context__
    return False


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return (url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme))


def _host_of(url: httpx2.URL) -> str:
    """Which server is meant, for whoever reads a fault: host and port, nothing of the path."""
    _, host, port = _origin(url)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _stamp(path: Path | None) -> object:
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return found and (found.st_mtime_ns, found.st_size, found.st_ino)


def _no_password() -> str:
    """Without this, OpenSSL asks the terminal for the passphrase of an encrypted key."""
    raise ValueError("the key of a client certificate has no passphrase")
