"""The settings of one HTTP target: which requests, what they carry, and what each answer means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from connectors.rest.template import OF_A_FILE, OF_A_ZUSTELLUNG, OF_THE_PACKAGE, Template
from intermediary.connect.api import EMPTY, HttpAuth, HttpSettings, HttpUrl

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_RESERVED = frozenset({"authorization", "content-length", "content-type", "host", "transfer-encoding", "cookie"})


class StepName(str):
    """The name of a request: a short word in lower case."""

    __slots__ = ()

    def __new__(cls, text: str) -> StepName:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,30}", text):
            raise ValueError("expected a short word in lower case")
        return super().__new__(cls, text)


class HeaderName(str):
    """The name of a header that is ours to set, or empty."""

    __slots__ = ()

    def __new__(cls, text: str) -> HeaderName:
        if text and (not _HEADER.fullmatch(text) or text.lower() in _RESERVED):
            raise ValueError("expected the name of a header that no other setting sets")
        return super().__new__(cls, text)


@dataclass(frozen=True, slots=True)
class OAuth:
    """Login by OAuth 2 client credentials (RFC 6749, 4.4)."""

    token_url: HttpUrl = field(metadata={"help": "address of the token endpoint"})
    client_id: str = field(metadata={"help": "our id there"})
    client_secret_file: Path = field(metadata={"help": "file with our secret there", "secret": True})
    scope: str = field(default="", metadata={"help": "scope that is asked for"})


@dataclass(frozen=True, slots=True)
class Signature:
    """An HMAC-SHA256 over `TIMESTAMP.BODY`, in hex after `sha256=`."""

    secret_file: Path = field(metadata={"help": "file with the common secret", "secret": True})
    header: HeaderName = field(default=HeaderName("X-Signature"), metadata={"help": "header of the signature"})
    timestamp_header: HeaderName = field(
        default=HeaderName("X-Timestamp"), metadata={"help": "header of the timestamp (seconds since 1970)"}
    )


@dataclass(frozen=True, slots=True)
class Multipart:
    """The names of the parts of a multipart body; an empty one is left out."""

    metadata: str = field(default="metadata", metadata={"help": "part with the JSON"})
    package: str = field(default="package", metadata={"help": "part with the package"})
    document: str = field(default="document", metadata={"help": "part with each document"})

    def __post_init__(self) -> None:
        if any('"' in name or not name.isprintable() for name in (self.metadata, self.package, self.document)):
            raise ValueError("names of parts have no quotes")


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the protocol; they are made in order, and none that is done is made again."""

    name: StepName = field(default=StepName("deliver"), metadata={"help": "its name, in steps and faults"})
    method: Literal["POST", "PUT", "PATCH"] = field(default="POST", metadata={"help": "HTTP method"})
    path: Template = field(
        default=Template(""),
        metadata={"help": "path after `url`, with {key}, {nachricht}, {mandant}, {n} and taken facts"},
    )
    per: Literal["once", "document", "file"] = field(
        default="once", metadata={"help": "one request; one for each document; one for each document and the package"}
    )
    body: Literal["json", "multipart", "raw", "none"] = field(
        default="json", metadata={"help": "JSON; parts with JSON and files; the bare file (XML, ZIP); nothing"}
    )
    contents: Literal["all", "package", "none"] = field(
        default="all",
        metadata={"help": "what JSON or parts carry: package and documents, the package, or only their names"},
    )
    json: Mapping[str, object] = field(
        default_factory=lambda: EMPTY,
        metadata={"help": "the JSON, texts with placeholders; empty: the one of the README"},
    )
    headers: Mapping[str, str] = field(
        default_factory=lambda: EMPTY, metadata={"help": "further headers, texts with placeholders"}
    )
    expect: tuple[int, ...] = field(default=(200, 201, 202, 204), metadata={"help": "statuses that say it is done"})
    conflict: Literal["unclear", "done", "refused"] = field(default="unclear", metadata={"help": "what 409 says of it"})
    take: Mapping[str, str] = field(
        default_factory=lambda: EMPTY,
        metadata={"help": "facts of the answer, as name = path (vorgang.id, dateien.0.id, header:Location)"},
    )

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            HeaderName(name)
            Template(value)
        _demand_takes(self.take)
        if self.body == "raw" and self.contents == "none":
            raise ValueError("a raw body is a file: `contents` cannot be none")

    def templates(self) -> Iterator[Template]:
        """Every text with placeholders in it."""
        yield self.path
        yield from (Template(value) for value in self.headers.values())
        yield from texts_of(self.json)


@dataclass(frozen=True, slots=True)
class Lookup:
    """How the target is asked whether something has arrived (`idempotency = "lookup"`)."""

    path: Template = field(metadata={"help": "path of the GET, with {key} and facts of requests that are done"})
    found: tuple[int, ...] = field(default=(200,), metadata={"help": "statuses that say it is there"})
    absent: tuple[int, ...] = field(default=(404,), metadata={"help": "statuses that say it certainly is not"})
    state: str = field(default="", metadata={"help": "path of a state in the answer; empty: what is there is complete"})
    complete: tuple[str, ...] = field(default=(), metadata={"help": "states in which all has arrived"})
    completes: str = field(default="", metadata={"help": "name of the request that is done when anything is there"})
    take: Mapping[str, str] = field(
        default_factory=lambda: EMPTY, metadata={"help": "facts of the answer, as in requests"}
    )

    def __post_init__(self) -> None:
        _demand_takes(self.take)
        if bool(self.state) is not bool(self.complete):
            raise ValueError("`state` and `complete` go together")
        if set(self.found) & set(self.absent):
            raise ValueError("a status is in `found` and in `absent`")


@dataclass(frozen=True, slots=True)
class CallbackLogin:
    """By what we know that the target calls back: it signs as we would, or shows a token."""

    signature: Signature | None = field(default=None, metadata={"help": "callbacks are signed (HMAC)"})
    token_file: Path | None = field(
        default=None, metadata={"help": "file with the token that callbacks show (Bearer)", "secret": True}
    )
    key: str = field(default="", metadata={"help": "path of the key in its JSON; empty: the address ends with the key"})

    def __post_init__(self) -> None:
        if (self.signature is None) is (self.token_file is None):
            raise ValueError("either `signature` or `token_file`")
        if self.signature is not None and not (self.signature.header and self.signature.timestamp_header):
            raise ValueError("a signature has both headers")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict that comes later: it is asked for, or told by a callback, or both."""

    state: str = field(metadata={"help": "path of the state in the answer, and in the JSON of a callback"})
    accepted: tuple[str, ...] = field(metadata={"help": "states that accept"})
    refused: tuple[str, ...] = field(default=(), metadata={"help": "states that refuse"})
    reason: str = field(default="", metadata={"help": "path of the code of a refusal"})
    path: Template = field(
        default=Template(""), metadata={"help": "path of the GET, with {key} and taken facts; empty: it calls back"}
    )
    callback: CallbackLogin | None = field(default=None, metadata={"help": "it calls back (needs `[callbacks]`)"})
    statuses: tuple[int, ...] = field(
        default=(202,), metadata={"help": "statuses of the last request after which a verdict is waited for"}
    )
    deadline_hours: int = field(default=72, metadata={"help": "hours until a missing verdict is looked into"})

    def __post_init__(self) -> None:
        if not self.path and self.callback is None:
            raise ValueError("a verdict needs a `path` to be asked for, or a `callback`")
        if set(self.accepted) & set(self.refused):
            raise ValueError("a state is in `accepted` and in `refused`")


@dataclass(frozen=True, slots=True)
class RestSettings:
    """The settings of one HTTP target."""

    url: HttpUrl = field(metadata={"help": "address of the interface; paths are appended to it"})
    idempotency: Literal["native", "lookup", "none"] = field(
        metadata={
            "help": "what the target offers: it removes doubles by key; it can be asked; neither (a person decides)"
        }
    )
    request: tuple[Request, ...] = field(
        default=(), metadata={"help": "the requests of one Zustellung, in order; none: one POST with JSON to `url`"}
    )
    key_header: HeaderName = field(default=HeaderName("Idempotency-Key"), metadata={"help": "header with the key"})
    multipart: Multipart = field(default_factory=Multipart, metadata={"help": "names of the parts"})
    document_json: Mapping[str, object] = field(
        default_factory=lambda: EMPTY,
        metadata={"help": "JSON of one file in {documents}; empty: the one of the README"},
    )
    answer: Literal["json", "any"] = field(
        default="json",
        metadata={"help": "answers with a body are JSON, anything else is no success; or are not looked at"},
    )
    refused: tuple[int, ...] = field(default=(400, 422), metadata={"help": "statuses that refuse the content"})
    reason: str = field(default="", metadata={"help": "path of the code in the answer that refuses"})
    lookup: Lookup | None = field(default=None, metadata={"help": "how the target is asked"})
    verdict: Verdict | None = field(default=None, metadata={"help": "a verdict that comes later"})
    probe: str = field(default="", metadata={"help": "path of a GET that `doctor` makes; empty: OPTIONS to `url`"})
    auth: HttpAuth = field(default_factory=HttpAuth, metadata={"help": "how we log in"})
    oauth: OAuth | None = field(default=None, metadata={"help": "login with a token of OAuth 2 instead"})
    signature: Signature | None = field(default=None, metadata={"help": "requests are signed (HMAC)"})
    http: HttpSettings = field(default_factory=HttpSettings, metadata={"help": "connection"})

    def __post_init__(self) -> None:
        names = [one.name for one in self.requests]
        if len(set(names)) != len(names):
            raise ValueError("each request has a name of its own")
        if self.idempotency == "lookup" and self.lookup is None:
            raise ValueError('`idempotency = "lookup"` needs the table `lookup`')
        if self.idempotency == "native" and not self.key_header and not self._paths_have_key():
            raise ValueError("the target cannot remove doubles without the key: `key_header`, or {key} in every path")
        if self.oauth is not None and (self.auth.user or self.auth.token_file is not None):
            raise ValueError("either `auth` or `oauth`")
        if self.lookup is not None and self.lookup.completes and self.lookup.completes not in names:
            raise ValueError("`lookup.completes` names no request")
        self._demand_placeholders()

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests of one Zustellung, at least one."""
        return self.request or (Request(),)

    def _paths_have_key(self) -> bool:
        return all("key" in one.path.names for one in self.requests)

    def _demand_placeholders(self) -> None:
        facts: set[str] = set()
        for one in self.requests:
            known = OF_A_ZUSTELLUNG | OF_THE_PACKAGE | OF_A_FILE | {"package", "documents"} | facts
            for text in one.templates():
                _demand(text, known)
            facts |= set(one.take)
        for text in texts_of(self.document_json):
            _demand(text, OF_A_FILE | OF_A_ZUSTELLUNG)
        for later in (self.lookup, self.verdict):
            if later is not None:
                _demand(later.path, {"key"} | facts)


def texts_of(value: object) -> Iterator[Template]:
    """The texts in a JSON template, each checked."""
    match value:
        case str():
            yield Template(value)
        case Mapping():
            for item in value.values():
                yield from texts_of(item)
        case list() | tuple():
            for item in value:
                yield from texts_of(item)


def _demand(text: Template, known: frozenset[str] | set[str]) -> None:
    unknown = {name for name in text.names - known if not name.startswith("business.")}
    if unknown:
        raise ValueError(f"no value for {{{min(unknown)}}} here")


_POST_BOX = "post_box"  # in a correlation: in whose box it lies (connector `xta_postfach`); no target decides that


def _demand_takes(take: Mapping[str, str]) -> None:
    for name, path in take.items():
        if (
            not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name)
            or not path
            or name in OF_A_ZUSTELLUNG | OF_A_FILE - {"sha256"} | {_POST_BOX}
        ):
            raise ValueError("a fact is a short word of its own, with a path")
    if len(take) > 8:
        raise ValueError("at most 8 facts")
