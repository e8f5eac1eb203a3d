"""What all doors share: their port, the rules of a channel, and the one place where an Eingang is built.

Everything a sender states is untrusted: any type, any length, any character. `build_eingang` gives an Eingang whose
fields are safe to store, or raises `Rejected` with a code of `core/codes/intake.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from intermediary.core.faults import Rejected
from intermediary.core.values import Content, Eingang
from intermediary.store.records import Taken

OSCI_MIME = "application/vnd.osci12+mime"
ACCEPTED = frozenset({OSCI_MIME})

MAX_MESSAGE_ID = 256
MAX_CORRELATION_ID = 256
MAX_VORGANG = 256
MAX_BODY_BYTES = 128 * 1024 * 1024
MAX_CLAIM_BYTES = 4 * 1024 * 1024 * 1024

Take = Callable[[Sequence[Eingang]], list[Taken]]
"""Makes all of these durable in one commit, or raises and has made none durable; answers in the same order."""


class DoorState(StrEnum):
    """What a door is doing at present."""

    CLOSED = "closed"
    OPENING = "opening"
    TAKING = "taking"
    HOLDING = "holding"


@dataclass(frozen=True, slots=True)
class DoorStatus:
    """How a door is doing: `holding` means that it reaches its transport but cannot make durable what comes.

    `code` is the fault code, or the name of the library's exception, of the last trouble; empty while all is well.
    `aside` counts what waits at the transport because only it could not be taken.
    """

    state: DoorState
    code: str = ""
    aside: int = 0


class Door(Protocol):
    """Takes what arrives on one channel.

    The daemon calls `run` once, in a thread of its own; it returns after `stop`, within a second unless a `take` is
    under way, and then right after that. It heals by itself from everything that time heals (broker, disk, database
    away). `stop` may be called from any thread and more than once; what was not taken stays with, or returns to, the
    transport.
    """

    @property
    def channel(self) -> str: ...

    @property
    def status(self) -> DoorStatus: ...

    def run(self) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DoorRules:
    """What one channel lets in.

    `mandanten` are the names it may serve; with exactly one, the sender need not name it. `reply_to` lists the ways
    back that a sender may ask for. `max_bytes` bounds what the transport itself carries, `max_claim_bytes` what it
    refers to.
    """

    channel: str
    mandanten: tuple[str, ...]
    max_bytes: int = MAX_BODY_BYTES
    max_claim_bytes: int = MAX_CLAIM_BYTES
    reply_to: frozenset[str] = frozenset()
    content_types: frozenset[str] = ACCEPTED

    def __post_init__(self) -> None:
        if not self.mandanten:
            raise ValueError("a channel serves at least one Mandant")


@dataclass(frozen=True, slots=True)
class Angaben:
    """What the sender stated beside the content, as it arrived and unchecked. None means: not stated."""

    content_type: object = None
    message_id: object = field(default=None, repr=False)
    mandant: object = field(default=None, repr=False)
    reply_to: object = field(default=None, repr=False)
    correlation_id: object = field(default=None, repr=False)
    vorgang: object = field(default=None, repr=False)


def build_eingang(
    rules: DoorRules, angaben: Angaben, *, body: Content, received_at: datetime, is_claim: bool = False
) -> Eingang:
    """The Eingang of what a sender handed over, or `Rejected` with the first code that applies.

    Called once per submission, before anything is stored. `is_claim` says that `body` came by reference and has that
    limit.
    """
    if received_at.tzinfo is None:
        raise ValueError("times carry a time zone")
    content_type = _accepted_type(rules, angaben.content_type)
    message_id = _message_id(angaben.message_id)
    mandant = _listed_mandant(rules, angaben.mandant)
    reply_to = _listed_reply(rules, angaben.reply_to)
    correlation_id = _text(angaben.correlation_id, longest=MAX_CORRELATION_ID)
    vorgang = _text(angaben.vorgang, longest=MAX_VORGANG)
    check_size(body.length, rules.max_claim_bytes if is_claim else rules.max_bytes)
    return Eingang(
        mandant=mandant,
        channel=rules.channel,
        message_id=message_id,
        content_type=content_type,
        received_at=received_at,
        body=body,
        reply_to=reply_to,
        correlation_id=correlation_id,
        vorgang=vorgang,
    )


def check_size(length: int, max_bytes: int) -> None:
    """Refuse what is empty or larger than the limit."""
    if length == 0:
        raise Rejected("intake.body.empty")
    if length > max_bytes:
        raise Rejected("intake.size.exceeded")


def is_clean(text: str) -> bool:
    """Whether every character can be stored and shown: no control characters, no lone surrogates."""
    return text.isprintable()


def _accepted_type(rules: DoorRules, stated: object) -> str:
    """Media types are compared without parameters and in lower case (RFC 2045, 5.1)."""
    media_type = stated.partition(";")[0].strip().lower() if isinstance(stated, str) else ""
    if media_type not in rules.content_types:
        raise Rejected("intake.type.unknown")
    return media_type


def _message_id(stated: object) -> str:
    if not isinstance(stated, str) or not 1 <= len(stated) <= MAX_MESSAGE_ID or not is_clean(stated):
        raise Rejected("intake.id.missing")
    return stated


def _listed_mandant(rules: DoorRules, stated: object) -> str:
    if stated is None and len(rules.mandanten) == 1:
        return rules.mandanten[0]
    if not isinstance(stated, str) or stated not in rules.mandanten:
        raise Rejected("intake.mandant.unknown")
    return stated


def _listed_reply(rules: DoorRules, stated: object) -> str:
    if stated is None or stated == "":
        return ""
    if not isinstance(stated, str) or stated not in rules.reply_to:
        raise Rejected("intake.reply.unlisted")
    return stated


def _text(stated: object, *, longest: int) -> str:
    if stated is None:
        return ""
    if not isinstance(stated, str) or len(stated) > longest or not is_clean(stated):
        raise Rejected("intake.header.invalid")
    return stated
