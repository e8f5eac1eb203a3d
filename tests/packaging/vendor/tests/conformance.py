"""Holds the connector against the contract of its port: `python tests/conformance.py`, with this package installed."""

from __future__ import annotations

import json
import tempfile
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from musterverfahren.journal.connector import CONNECTOR, JournalSettings

from intermediary.connect.api import Connector, NotDelivered, Zustellauftrag
from intermediary.core.steps import Checkpoints
from intermediary.testing.connectors import CHECKS, NOW, Arrival, make_auftrag


@dataclass(frozen=True)
class Target:
    """A folder with a journal in it; the Fachverfahren only reads, so there is nothing to consume."""

    folder: Path

    def connect(self) -> Connector:
        self.folder.mkdir(exist_ok=True)
        return CONNECTOR.build(JournalSettings(self.folder / "journal.jsonl"), self.folder)

    def consume(self) -> None:
        """The journal keeps everything."""

    def arrived(self) -> list[Arrival]:
        lines = [json.loads(line) for line in self._bytes().splitlines(keepends=True) if line.endswith(b"\n")]
        return [Arrival(line["file_name"], sha256(b64decode(line["content"])).hexdigest()) for line in lines]

    def expects(self, auftrag: Zustellauftrag) -> list[Arrival]:
        return [Arrival(auftrag.package.file_name, auftrag.package.content.sha256)]

    def snapshot(self) -> object:
        return self._bytes()

    def _bytes(self) -> bytes:
        journal = self.folder / "journal.jsonl"
        return journal.read_bytes() if journal.exists() else b""


def ignores_an_unfinished_line(make: Callable[[str], Target]) -> None:
    """What a crash left without an end is no delivery, and spoils none."""
    target, auftrag = make("torn"), make_auftrag()
    connector = target.connect()
    (target.folder / "journal.jsonl").write_text(f'{{"key": "{auftrag.key}", "mand')

    assert isinstance(connector.lookup(auftrag.key, Checkpoints(), NOW), NotDelivered)
    connector.deliver(auftrag, Checkpoints(), NOW)
    assert target.arrived() == target.expects(auftrag)


def main() -> None:
    """Every check, each with fresh targets; an `AssertionError` says what does not hold."""
    for check in (*CHECKS, ignores_an_unfinished_line):
        with tempfile.TemporaryDirectory() as folder:
            check(partial(_target, folder))
        print(f"{check.__name__}: holds")


def _target(folder: str, name: str) -> Target:
    return Target(Path(folder, name))


if __name__ == "__main__":
    main()
