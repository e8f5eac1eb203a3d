"""One audit event, its canonical form, and the hash chain of one Nachricht (docs/reference/audit-format.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from intermediary.audit.events import EVENTS
from intermediary.core.values import EMPTY

START = "0" * 64
"""`prev` of the first event of a chain."""

LEAF = b"\x00"

_KEYS = frozenset({"chain", "seq", "at", "name", "mandant", "actor", "fields", "prev"})


class Malformed(ValueError):
    """An exported line is not an event of this format."""


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. `chain` is the Nachricht's id, or the installation's for what concerns no Nachricht.

    `seq` counts from 1 within the chain, `prev` is the digest of the event before it (`START` for the first). `actor`
    is empty when the machine acted by itself. `fields` holds strings, whole numbers, booleans, and lists or objects of
    them; never content.
    """

    chain: str
    seq: int
    at: datetime
    name: str
    mandant: str
    actor: str = ""
    fields: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    prev: str = START

    def canonical(self) -> bytes:
        """The bytes that are hashed: JSON with sorted keys, no white space, UTF-8, numbers whole (see RFC 8785)."""
        return canonical(
            {
                "chain": self.chain,
                "seq": self.seq,
                "at": moment(self.at),
                "name": self.name,
                "mandant": self.mandant,
                "actor": self.actor,
                "fields": dict(self.fields),
                "prev": self.prev,
            }
        )

    def digest(self) -> str:
        """SHA-256 over a zero byte and the canonical bytes: the link of the chain and the leaf of the log at once."""
        return digest(self.canonical())

    @classmethod
    def parse(cls, value: object) -> Self:
        """The event in a decoded JSON object; `Malformed` when a key is missing, unknown or of the wrong type."""
        if not isinstance(value, dict) or set(value) != _KEYS:
            raise Malformed("an event has exactly the keys of the format")
        texts = ("chain", "at", "name", "mandant", "actor", "prev")
        if not all(isinstance(value[key], str) for key in texts) or not isinstance(value["fields"], dict):
            raise Malformed("a value of an event has the wrong type")
        if type(value["seq"]) is not int:
            raise Malformed("seq is a whole number")
        try:
            at = datetime.strptime(value["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        except ValueError as wrong:
            raise Malformed("at is a moment in UTC with six decimals") from wrong
        rest = {key: value[key] for key in _KEYS - {"at"}}
        return cls(at=at, **rest)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as stored or exported: with its digest, and its number in the log once it is sealed (from 1)."""

    event: Event
    digest: str
    number: int | None = None

    def line(self) -> str:
        """One line of the export."""
        body = json.loads(self.event.canonical())
        return canonical({"number": self.number, "digest": self.digest, "event": body}).decode()

    @classmethod
    def parse(cls, line: str | bytes) -> Self:
        """The entry in one line of an export; `Malformed` when it is none."""
        try:
            value = json.loads(line)
        except ValueError as wrong:
            raise Malformed("the line is not JSON") from wrong
        if not isinstance(value, dict) or set(value) != {"number", "digest", "event"}:
            raise Malformed("an entry has number, digest and event")
        number = value["number"]
        if not (number is None or type(number) is int) or not isinstance(value["digest"], str):
            raise Malformed("a value of an entry has the wrong type")
        return cls(Event.parse(value["event"]), value["digest"], number)


def follow(
    *,
    chain: str,
    seq: int,
    prev: str,
    at: datetime,
    name: str,
    mandant: str,
    actor: str = "",
    fields: Mapping[str, Any] = EMPTY,
) -> Entry:
    """The next event of a chain; `name` must be in the list of events and `fields` what that entry names."""
    kind = EVENTS.get(name)
    if kind is None:
        raise LookupError(f"event not in the list: {name}")
    if not set(kind.fields) <= set(fields) <= {*kind.fields, *kind.optional}:
        raise ValueError(f"event {name} has the fields {sorted(kind.fields)}, not {sorted(fields)}")
    event = Event(chain=chain, seq=seq, at=at, name=name, mandant=mandant, actor=actor, fields=fields, prev=prev)
    return Entry(event, event.digest())


def canonical(value: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a JSON object without fractions."""
    _demand_plain(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(data: bytes) -> str:
    """SHA-256 of a leaf (RFC 6962 chapter 2.1), in lower-case hex."""
    return hashlib.sha256(LEAF + data).hexdigest()


def moment(at: datetime) -> str:
    """A moment in UTC with exactly six decimals."""
    if at.tzinfo is None:
        raise ValueError("times carry a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _demand_plain(value: object) -> None:
    match value:
        case None | bool() | int() | str():
            return
        case Mapping():
            for key, inner in value.items():
                if not isinstance(key, str):
                    raise TypeError("keys of an audit event are strings")
                _demand_plain(inner)
        case list() | tuple():
            for inner in value:
                _demand_plain(inner)
        case _:
            raise TypeError(f"an audit event holds no {type(value).__name__}")
