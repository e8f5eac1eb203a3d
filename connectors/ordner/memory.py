"""What the state folder remembers of each key: what was sealed for it, and what the target said."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from connectors.ordner.folder import read_note, write_whole
from intermediary.connect.api import Delivered, Dokument, Refused, Unclear

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Sealed:
    """The content of `KEY.sealed`: what goes into the drop under this key. From here on it is never rewritten."""

    name: str
    sha256: str
    length: int
    checksum: bool
    sealed_at: datetime

    def is_for(self, package: Dokument) -> bool:
        """Whether it describes exactly this package."""
        return (self.name, self.sha256, self.length) == (
            package.file_name,
            package.content.sha256,
            package.content.length,
        )

    def parts(self, key: str) -> tuple[tuple[str, str], ...]:
        """The files to rename in this order, each as its name in the state folder and its name in the drop."""
        package = (f"{key}.ready", self.name)
        return ((f"{key}.sum.ready", checksum_name(self.name)), package) if self.checksum else (package,)

    def proof(self) -> dict[str, str]:
        """What shows the delivery: name, hash and length."""
        return {"file_name": self.name, "sha256": self.sha256, "length": str(self.length)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The content of `KEY.verdict`: what the target said, and which file said it (to remove that and no later one)."""

    refused: bool
    reason: str
    file: str
    inode: int
    modified_ns: int

    def outcome(self, proof: dict[str, str]) -> Delivered | Refused:
        """The verdict as the port knows it."""
        proof = {**proof, "acknowledgement": self.file}
        return Refused(self.reason, proof) if self.refused else Delivered(proof)


def checksum_name(name: str) -> str:
    """The name of the checksum file that precedes a package into the drop."""
    return f"{name}.sha256"


def read_sealed(state: int, key: str) -> Sealed | None:
    """What was sealed under this key; raises `Unclear` when the note is damaged."""
    note = read_note(state, f"{key}.sealed", where="state")
    if note is None:
        return None
    try:
        fields = json.loads(note)
        del fields["version"]
        return Sealed(**{**fields, "sealed_at": datetime.fromisoformat(fields["sealed_at"])})
    except (ValueError, TypeError, KeyError) as damage:
        raise Unclear("delivery.unclear", where="state") from damage


def write_sealed(state: int, key: str, sealed: Sealed) -> None:
    """Seal: durable once the state folder is synced."""
    fields = {**asdict(sealed), "sealed_at": sealed.sealed_at.isoformat(), "version": _VERSION}
    write_whole(state, f"{key}.sealed", json.dumps(fields, sort_keys=True).encode(), where="state")


def read_verdict(state: int, key: str) -> Verdict | None:
    """The verdict taken down under this key; raises `Unclear` when the note is damaged."""
    note = read_note(state, f"{key}.verdict", where="state")
    if note is None:
        return None
    try:
        fields = json.loads(note)
        del fields["version"]
        return Verdict(**fields)
    except (ValueError, TypeError, KeyError) as damage:
        raise Unclear("delivery.unclear", where="state") from damage


def write_verdict(state: int, key: str, verdict: Verdict) -> None:
    """Take the verdict down: durable once the state folder is synced."""
    note = json.dumps({**asdict(verdict), "version": _VERSION}, sort_keys=True).encode()
    write_whole(state, f"{key}.verdict", note, where="state")
