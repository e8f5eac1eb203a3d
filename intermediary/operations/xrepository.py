"""Fetching schema packages and code lists from an XRepository by its URLs: on an operator's order only, never by itself.

One host, named by the operator, is asked; redirects stay on it, its address is resolved once and must not be a private
one unless the operator says so (threat T14). What comes is a file like any other: doubted, reviewed and pinned by `install`.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urljoin, urlsplit

from intermediary.core.faults import Misconfigured

What = Literal["schema", "list", "used-lists"]
_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,31}:[A-Za-z0-9()+,.:=@;$_!*'%/-]{1,250}")
_PATHS: dict[What, str] = {
    "schema": "/api/xrepository/{urn}:xmlschema",
    "list": "/api/version_codeliste/{urn}/genericode",
    "used-lists": "/api/version_standard/{urn}/genutzteAktuelleCodelisten",
}
_SUFFIXES: dict[What, str] = {"schema": ".zip", "list": ".xml", "used-lists": ".zip"}
_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Publisher:
    """Where to ask: `base` is `https://host[:port][/path]`.

    `is_internal` allows a host with a private address (a mirror inside the data centre) and http to it. `seconds` is the
    time for one file in all, `max_bytes` its size, `redirects` how often it may send elsewhere on the same host.
    """

    base: str
    is_internal: bool = False
    seconds: float = 300
    silence_seconds: float = 30
    max_bytes: int = 256 << 20
    redirects: int = 3


def url_of(publisher: Publisher, urn: str, what: What) -> str:
    """The address of a version's files (xoev-digest §4); `Misconfigured("schemas.fetch.refused")` for what is no URN."""
    if not _URN.fullmatch(urn):
        raise _refused(urn[:100], "no URN of a version, such as urn:xoev-de:xdomea:standard:xdomea_3.1.0")
    return publisher.base.rstrip("/") + _PATHS[what].format(urn=quote(urn, safe=":.;()+,=@!*$_-"))


def kind_of(urn: str) -> What:
    """Whether a URN names a standard or a code list, as XÖV forms them."""
    return "schema" if ":standard:" in urn else "list"


def fetch(
    publisher: Publisher,
    urn: str,
    what: What,
    folder: Path,
    *,
    resolve: Callable[[str, int], list[str]] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Path:
    """The file that the publisher gives for a URN, in `folder`; the caller installs and removes it.

    Raises `Misconfigured`: `schemas.fetch.refused` for an address or answer that is not taken (another host, a private
    address, no https, too large, no ZIP), `schemas.fetch.failed` when nobody answers in time or there is no such file.
    Proxies and cookies are not used.
    """
    url = url_of(publisher, urn, what)
    deadline = clock() + publisher.seconds
    for _ in range(publisher.redirects + 1):
        place = _place(publisher, url)
        try:
            answer = _ask(publisher, place, resolve or _addresses, deadline - clock())
        except (OSError, http.client.HTTPException) as failure:
            raise _failed(url, type(failure).__name__) from failure
        with answer:
            if answer.response.status in _REDIRECTS:
                url = urljoin(url, answer.response.getheader("Location") or "")
                continue
            if answer.response.status != 200:
                raise _failed(url, f"HTTP {answer.response.status}")
            try:
                return _save(publisher, answer.response, folder / f"fetched{_SUFFIXES[what]}", url, deadline, clock)
            except (OSError, http.client.HTTPException) as failure:
                raise _failed(url, type(failure).__name__) from failure
    raise _refused(url, "too many redirects")


@dataclass(frozen=True, slots=True)
class _Place:
    scheme: str
    host: str
    port: int
    target: str
    url: str


@dataclass(frozen=True, slots=True)
class _Answer:
    connection: http.client.HTTPConnection
    response: http.client.HTTPResponse

    def __enter__(self) -> _Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()
        self.connection.close()


def _place(publisher: Publisher, url: str) -> _Place:
    """The parts of an address on the one host that was named."""
    try:
        asked, here = urlsplit(publisher.base), urlsplit(url)
        ports = [one.port or {"https": 443, "http": 80}.get(one.scheme, 0) for one in (asked, here)]
    except ValueError as error:
        raise _refused(url, "no address") from error
    if here.username or here.password or not here.hostname:
        raise _refused(url, "no address")
    if here.scheme != "https" and not (here.scheme == "http" and publisher.is_internal):
        raise _refused(url, "https only")
    if (asked.scheme, asked.hostname, ports[0]) != (here.scheme, here.hostname, ports[1]):
        raise _refused(url, "another host than the one that was named")
    target = here.path + (f"?{here.query}" if here.query else "")
    return _Place(here.scheme, here.hostname, ports[1], target, url)


def _ask(publisher: Publisher, place: _Place, resolve: Callable[[str, int], list[str]], seconds: float) -> _Answer:
    """One request to one address: what was looked at is what is connected to, whatever the name says a moment later."""
    if seconds <= 0:
        raise TimeoutError
    address = next(iter(resolve(place.host, place.port)), "")
    if not address:
        raise OSError("no address")
    if not ipaddress.ip_address(address.partition("%")[0]).is_global and not publisher.is_internal:
        raise _refused(place.url, "a private address; --internal allows a mirror inside")
    timeout = min(seconds, publisher.silence_seconds)
    connected = socket.create_connection((address, place.port), timeout=timeout)
    try:
        if place.scheme == "https":
            connected = ssl.create_default_context().wrap_socket(connected, server_hostname=place.host)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        connection = kind(place.host, place.port, timeout=timeout)
        connection.sock = connected
        connection.request("GET", place.target, headers={"Accept-Encoding": "identity", "Connection": "close"})
        return _Answer(connection, connection.getresponse())
    except BaseException:
        connected.close()
        raise


def _save(
    publisher: Publisher,
    response: http.client.HTTPResponse,
    target: Path,
    url: str,
    deadline: float,
    clock: Callable[[], float],
) -> Path:
    if (response.getheader("Content-Encoding") or "identity").lower() != "identity":
        raise _refused(url, "packed twice")
    length = 0
    with target.open("xb") as stream:
        while piece := response.read1(_CHUNK):
            length += len(piece)
            if length > publisher.max_bytes:
                raise _refused(url, f"larger than {publisher.max_bytes} bytes")
            if clock() > deadline:
                raise TimeoutError
            stream.write(piece)
    if response.length:
        raise http.client.IncompleteRead(b"")
    with target.open("rb") as stream:
        head = stream.read(4)
    if target.suffix == ".zip" and head != b"PK\x03\x04":
        raise _refused(url, "no ZIP file")
    return target


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def _refused(url: str, reason: str) -> Misconfigured:
    return Misconfigured("schemas.fetch.refused", where=f"{url}: {reason}")


def _failed(url: str, reason: str) -> Misconfigured:
    return Misconfigured("schemas.fetch.failed", where=f"{url}: {reason}")
