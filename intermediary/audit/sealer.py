"""Signed heads of the log: what is signed, and how a new head follows from the last one."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from intermediary.audit.chain import START, Malformed, canonical, moment
from intermediary.audit.merkle import Frontier

_KEYS = frozenset({"installation", "size", "root", "at", "previous"})


@dataclass(frozen=True, slots=True)
class Head:
    """A statement about the first `size` events of the log, signed with the installation's Ed25519 key.

    `root` is the Merkle root over them, `previous` the SHA-256 of the signed bytes of the head before (`START` for the
    first).
    """

    installation: str
    size: int
    root: str
    at: datetime
    previous: str
    signature: bytes = b""

    def signed(self) -> bytes:
        """The bytes the signature covers."""
        return canonical(
            {
                "installation": self.installation,
                "size": self.size,
                "root": self.root,
                "at": moment(self.at),
                "previous": self.previous,
            }
        )

    def digest(self) -> str:
        """What the next head names as `previous`."""
        return hashlib.sha256(self.signed()).hexdigest()

    def line(self) -> str:
        """One line of the export and of the second place."""
        signature = base64.b64encode(self.signature).decode()
        return canonical({"head": json.loads(self.signed()), "signature": signature}).decode()

    @classmethod
    def parse(cls, line: str | bytes) -> Self:
        """The head in one line; `Malformed` when it is none."""
        try:
            value = json.loads(line)
            head = value["head"]
            signature = base64.b64decode(value["signature"], validate=True)
            if set(value) != {"head", "signature"} or set(head) != _KEYS or type(head["size"]) is not int:
                raise Malformed("a head has exactly the keys of the format")
            at = datetime.strptime(head["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
            installation, root, previous = head["installation"], head["root"], head["previous"]
        except (ValueError, KeyError, TypeError) as wrong:
            raise Malformed("the line is not a head") from wrong
        if not all(isinstance(text, str) for text in (installation, root, previous)):
            raise Malformed("a value of a head has the wrong type")
        return cls(installation, head["size"], root, at, previous, signature)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A new head and the frontier from which the next one is reached."""

    head: Head
    frontier: Frontier


def seal(
    *,
    installation: str,
    last: Head | None,
    frontier: Frontier,
    digests: Sequence[str],
    at: datetime,
    sign: Callable[[bytes], bytes],
) -> Sealed:
    """Fold the digests of new events into the log and sign its head; `frontier` belongs to `last`."""
    for entry in digests:
        frontier = frontier.append(bytes.fromhex(entry))
    bare = Head(
        installation=installation,
        size=frontier.size,
        root=frontier.root().hex(),
        at=at,
        previous=last.digest() if last else START,
    )
    signature = sign(bare.signed())
    return Sealed(Head(bare.installation, bare.size, bare.root, bare.at, bare.previous, signature), frontier)
