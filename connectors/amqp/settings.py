"""The settings of one queue target."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Tls:
    """How an `amqps://` broker is verified, and who we are to it."""

    ca_file: Path | None = field(
        default=None, metadata={"help": "certificate authorities of the broker (PEM); without it those of the system"}
    )
    client_cert: Path | None = field(
        default=None, metadata={"help": "our certificate with its chain (PEM), where the broker demands one"}
    )
    client_key: Path | None = field(
        default=None, metadata={"help": "its private key (PEM, without passphrase, mode 0600)", "secret": True}
    )

    def __post_init__(self) -> None:
        if (self.client_cert is None) is not (self.client_key is None):
            raise ValueError("`client_cert` and `client_key` go together")


@dataclass(frozen=True, slots=True)
class ClaimStore:
    """Where what is too large for a message lies; the message then refers to it by the header `x-claim`."""

    name: str = field(metadata={"help": "name of the store, as both sides call it"})
    folder: Path = field(metadata={"help": "shared folder; the target removes what it has taken"})


@dataclass(frozen=True, slots=True)
class Answers:
    """The queue in which the target says what became of a message."""

    queue: str = field(metadata={"help": "queue that the target answers to; read by this target alone"})
    archive: Path = field(metadata={"help": "private folder of the verdicts; the same one for all hosts"})
    unmatched: Path = field(metadata={"help": "folder for answers that nobody could read; should be empty"})
    deadline_hours: int = field(default=72, metadata={"help": "hours until a missing answer is looked into"})


@dataclass(frozen=True, slots=True)
class AmqpSettings:
    """The settings of one queue target; exchange, queue and folders must exist."""

    url_file: Path = field(
        metadata={"help": "file with the broker's URL, amqps://USER:PASSWORD@HOST/VHOST", "secret": True}
    )
    routing_key: str = field(metadata={"help": "routing key; with the default exchange the name of the queue"})
    exchange: str = field(default="", metadata={"help": "exchange; empty is the default exchange"})
    content: Literal["package", "message"] = field(
        default="package", metadata={"help": "what is published: the package, or the bare message of the standard"}
    )
    target_deduplicates: bool = field(
        default=False,
        metadata={"help": "the target takes a `message-id` only once; ambiguous attempts are then repeated"},
    )
    nack_is_full: bool = field(
        default=False,
        metadata={"help": "the queue is limited with overflow = reject-publish: a nack says that it is full"},
    )
    max_body_bytes: int = field(
        default=16 * 1024 * 1024,
        metadata={"help": "largest body of a message; what is larger goes through `claims`", "minimum": 1},
    )
    claims: ClaimStore | None = field(default=None, metadata={"help": "store for what is too large for a message"})
    answers: Answers | None = field(
        default=None, metadata={"help": "wait for the target's answer instead of taking the confirm as delivered"}
    )
    tls: Tls = field(default_factory=Tls, metadata={"help": "certificates, for an amqps:// URL"})
    connect_seconds: int = field(default=10, metadata={"help": "seconds until the connection stands"})
    confirm_seconds: int = field(
        default=300, metadata={"help": "seconds for one message, from the connection to the broker's confirm"}
    )
    heartbeat_seconds: int = field(default=30, metadata={"help": "seconds between signs of life on the connection"})
