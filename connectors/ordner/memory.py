"""What the state folder remembers of each key: what was sealed for it, and what the target said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.ordner.notes import note_down, noted
from intermediary.connect.api import Delivered, Dokument, Refused


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
    return noted(state, f"{key}.sealed", _sealed)


def write_sealed(state: int, key: str, sealed: Sealed) -> None:
    """Seal: durable once the state folder is synced."""
    note_down(state, f"{key}.sealed", sealed)


def read_verdict(state: int, key: str) -> Verdict | None:
    """The verdict taken down under this key; raises `Unclear` when the note is damaged."""
    return noted(state, f"{key}.verdict", Verdict)


def write_verdict(state: int, key: str, verdict: Verdict) -> None:
    """Take the verdict down: durable once the state folder is synced."""
    note_down(state, f"{key}.verdict", verdict)


def _sealed(**fields: Any) -> Sealed:
    return Sealed(**{**fields, "sealed_at": datetime.fromisoformat(fields["sealed_at"])})
