"""The settings of one SOAP target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectors.soap.sources import demand_sources, flat
from intermediary.connect.api import EMPTY, HttpSettings, HttpUrl


@dataclass(frozen=True, slots=True)
class Security:
    """WS-Security: who we are inside the envelope."""

    username: str = field(default="", metadata={"help": "user of a UsernameToken; needs `password_file`"})
    password_file: Path | None = field(default=None, metadata={"help": "file with its password", "secret": True})
    digest: bool = field(
        default=False, metadata={"help": "send the password as PasswordDigest instead of PasswordText"}
    )
    certificate: Path | None = field(
        default=None, metadata={"help": "our certificate (PEM): body and timestamp are signed (X.509 token)"}
    )
    key: Path | None = field(
        default=None, metadata={"help": "its private key (PEM, without passphrase, mode 0600)", "secret": True}
    )
    valid_seconds: int = field(default=300, metadata={"help": "seconds that a signed message is valid (wsu:Expires)"})

    def __post_init__(self) -> None:
        if bool(self.username) is not (self.password_file is not None):
            raise ValueError("`username` and `password_file` go together")
        if (self.certificate is None) is not (self.key is None):
            raise ValueError("`certificate` and `key` go together")


@dataclass(frozen=True, slots=True)
class Faults:
    """What a SOAP Fault means. Names are those of its code, subcode, or of an element in its detail, without namespace."""

    refused: tuple[str, ...] = field(default=(), metadata={"help": "the content is refused, and nothing was done"})
    transient: tuple[str, ...] = field(default=(), metadata={"help": "nothing was done; a later try may succeed"})
    operator: tuple[str, ...] = field(default=(), metadata={"help": "nothing was done; settings or rights are wrong"})
    code: str = field(default="", metadata={"help": "name of the element in the detail whose text is a further name"})


@dataclass(frozen=True, slots=True)
class Reply:
    """How an answer is read. Names are those of elements, without namespace; the first one in the Body counts."""

    reference: str = field(
        default="", metadata={"help": "element with the target's id of the case; goes into the proof"}
    )
    state: str = field(
        default="", metadata={"help": "element that says what became of it; without it no fault is success"}
    )
    delivered: tuple[str, ...] = field(default=(), metadata={"help": "values of `state`: durably accepted"})
    refused: tuple[str, ...] = field(default=(), metadata={"help": "values of `state`: the content is refused"})
    pending: tuple[str, ...] = field(
        default=(), metadata={"help": "values of `state`: accepted, the verdict comes later"}
    )
    unknown: tuple[str, ...] = field(
        default=(), metadata={"help": "values of `state`: there is nothing under this key"}
    )
    reason: str = field(default="", metadata={"help": "element with the code of a refusal"})

    def __post_init__(self) -> None:
        if self.state and not self.delivered:
            raise ValueError("`state` needs values that mean `delivered`")


@dataclass(frozen=True, slots=True)
class Lookup:
    """The operation that tells what became of a key."""

    operation: str = field(metadata={"help": "operation of the WSDL that only asks"})
    arguments: Mapping[str, object] = field(metadata={"help": "its arguments: `key`, and fixed texts"})
    reply: Reply = field(metadata={"help": "how its answer is read"})
    unknown_faults: tuple[str, ...] = field(
        default=(), metadata={"help": "faults that say that there is nothing under this key"}
    )

    def __post_init__(self) -> None:
        demand_sources(self.arguments, only_key=True)
        if not (self.reply.state and (self.reply.unknown or self.unknown_faults)):
            raise ValueError("`reply.state`, and `reply.unknown` or `unknown_faults`: both answers must be known")


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation that has a document for a key, sooner or later."""

    operation: str = field(metadata={"help": "operation of the WSDL that only asks"})
    arguments: Mapping[str, object] = field(metadata={"help": "its arguments: `key`, and fixed texts"})
    element: str = field(
        metadata={"help": "element with the document: base64, MTOM or XML; missing or empty: there is none yet"}
    )
    unknown_faults: tuple[str, ...] = field(default=(), metadata={"help": "faults that say that there is none yet"})

    def __post_init__(self) -> None:
        demand_sources(self.arguments, only_key=True)


@dataclass(frozen=True, slots=True)
class SoapSettings:
    """The settings of one SOAP target."""

    url: HttpUrl = field(metadata={"help": "address of the service; that of the WSDL is not used"})
    wsdl: Path = field(metadata={"help": "WSDL file; what it imports lies in its folder, nothing is downloaded"})
    operation: str = field(metadata={"help": "operation that takes a delivery"})
    arguments: Mapping[str, object] = field(metadata={"help": "argument of the operation = piece of the delivery"})
    port: str = field(default="", metadata={"help": "port of the WSDL, where it has several (SOAP 1.1 or 1.2)"})
    locations: Mapping[str, str] = field(
        default_factory=lambda: EMPTY, metadata={"help": "address that the WSDL imports = file in its folder"}
    )
    http_headers: Mapping[str, str] = field(
        default_factory=lambda: EMPTY, metadata={"help": "HTTP header = piece of the delivery (texts only)"}
    )
    target_deduplicates: bool = field(
        default=False, metadata={"help": "the target takes a key only once; ambiguous attempts are then repeated"}
    )
    lookup: Lookup | None = field(default=None, metadata={"help": "how the target is asked what became of a key"})
    reply: Reply = field(default_factory=Reply, metadata={"help": "how the answer to a delivery is read"})
    deadline_hours: int = field(default=72, metadata={"help": "hours until a verdict that is `pending` is looked into"})
    faults: Faults = field(default_factory=Faults, metadata={"help": "what the target's faults mean"})
    security: Security = field(default_factory=Security, metadata={"help": "WS-Security"})
    http: HttpSettings = field(default_factory=HttpSettings, metadata={"help": "TLS, times and limits"})

    def __post_init__(self) -> None:
        demand_sources(self.arguments)
        demand_sources(self.http_headers, only_texts=True)
        if self.reply.pending and self.lookup is None:
            raise ValueError("`reply.pending` needs `lookup`: somebody has to ask for the verdict")
        if "key" not in {*flat(self.arguments).values(), *self.http_headers.values()}:
            raise ValueError("no argument and no header carries the `key`")
