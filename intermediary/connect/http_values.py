"""What is said over HTTP: address, settings, request and answer, and what a status means to a connector."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2

from intermediary.connect.http_body import Body
from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.core.values import EMPTY

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BUSY = frozenset({429, 503})
_REFUSED = frozenset({400, 409, 422})
_LONGEST_RETRY = timedelta(days=366)


class HttpUrl(str):
    """An address of a target: `https://HOST[:PORT]/PATH`, without user, password and fragment.

    Plain `http://` is refused but for this machine itself (a loopback address): put a TLS proxy before a target that has
    none.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> HttpUrl:
        try:
            url = httpx2.URL(text)
        except httpx2.InvalidURL as error:
            raise ValueError("expected an address https://host/path") from error
        if url.scheme not in ("https", "http") or not url.host or url.userinfo or url.fragment:
            raise ValueError("expected an address https://host/path without user, password and fragment")
        if url.scheme == "http" and not _is_this_machine(url.host):
            raise ValueError("expected https: plain http only to this machine (127.0.0.1)")
        return super().__new__(cls, text)


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How a target is talked to; a table `http` in the settings of a connector."""

    ca_file: Path | None = field(
        default=None, metadata={"help": "certificate authorities of the target (PEM); without it those of the system"}
    )
    client_cert: Path | None = field(
        default=None, metadata={"help": "our certificate with its chain (PEM), where the target demands one (mTLS)"}
    )
    client_key: Path | None = field(
        default=None, metadata={"help": "its private key (PEM, without passphrase, mode 0600)", "secret": True}
    )
    connect_seconds: int = field(default=10, metadata={"help": "seconds until the connection stands"})
    idle_seconds: int = field(default=60, metadata={"help": "seconds without a byte until an exchange is given up"})
    total_seconds: int = field(default=900, metadata={"help": "seconds for one exchange from first to last byte"})
    max_answer_bytes: int = field(default=1024 * 1024, metadata={"help": "largest answer that is read", "minimum": 1})

    def __post_init__(self) -> None:
        if (self.client_cert is None) is not (self.client_key is None):
            raise ValueError("`client_cert` and `client_key` go together")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. `url` is absolute, or a reference that is resolved against the address of the client.

    `headers` must not name Content-Length. Its repr has neither headers nor body.
    """

    method: str
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)
    body: Body = field(default_factory=Body, repr=False)

    @property
    def is_safe(self) -> bool:
        """Whether it only asks: losing its answer changes nothing."""
        return self.method in _SAFE


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What the target said. Header names are in lower case; `retry_after` is read from its header, where there is one.

    `body` may be empty although there was one when the status says no success. `host` is whose answer it is, with the port.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)
    body: bytes = field(default=b"", repr=False)
    retry_after: timedelta | None = None
    host: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def fault(self, *, where: str) -> Fault:
        """What a status means that the caller did not expect, for a request with an effect.

        429 and 503 say that nothing was taken (`Transient`, with the time they ask for); 400, 409 and 422 refuse the
        content (`Rejected`); other 3xx and 4xx are for the operator (`Misconfigured`); anything else is `Unclear`.
        """
        place = self.place(f"{where}: HTTP {self.status}")
        if self.status in _BUSY:
            return Transient("target.unreachable", where=place, retry_after=self.retry_after)
        if self.status in (401, 403):
            return Misconfigured("target.credentials", where=place)
        if self.status in _REFUSED:
            return Rejected("target.refused", where=place)
        if 300 <= self.status < 500 and self.status != 408:
            return Misconfigured("target.http", where=place)
        return Unclear("target.no-answer", where=place)

    def place(self, what: str) -> str:
        """For a fault: what was seen, and at which server."""
        return f"{what} from {self.host}" if self.host else what

    def ask_fault(self, *, where: str) -> Fault:
        """The same for a request that only asks: what is not the operator's heals by time."""
        fault = self.fault(where=where)
        if isinstance(fault, Rejected):
            return Misconfigured("target.http", where=fault.where)
        if isinstance(fault, Unclear):
            return Transient("target.unreachable", where=fault.where)
        return fault


def retry_after(value: str, now: datetime) -> timedelta | None:
    """The waiting time of a Retry-After header, in seconds or as a date (RFC 9110 10.2.3); None if it says nothing."""
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(timedelta(seconds=int(text)), _LONGEST_RETRY)
    try:
        waits = parsedate_to_datetime(text) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(waits, timedelta(0)), _LONGEST_RETRY)
