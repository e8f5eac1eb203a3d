"""The conformance suite itself: it finds connectors that break the contract in the ways that happen."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import pytest

from intermediary.core.ports import Awaiting, Delivered, Idempotency, Manifest, NotDelivered, Refused
from intermediary.core.steps import Steps
from intermediary.core.values import Zustellauftrag
from intermediary.testing import connectors as kit


@dataclass
class Toy:
    """A connector of a few lines: notes the key in `known`, then renames into `drop`; right but for crashes."""

    root: Path
    manifest: ClassVar[Manifest] = Manifest("toy", Idempotency.LOOKUP, "a toy")

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        if not self.is_known(auftrag.key):
            self.prepare(auftrag)
            self.note(auftrag.key)
            self.send(auftrag)
        return self.verdict(auftrag.key)

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered:
        return self.verdict(key) if self.is_known(key) else NotDelivered()

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        return None

    def probe(self) -> None:
        self.root.stat()

    def is_known(self, key: str) -> bool:
        return (self.root / "known" / key).exists()

    def prepare(self, auftrag: Zustellauftrag) -> None:
        self.draft(auftrag).write_bytes(auftrag.package.content.read())

    def draft(self, auftrag: Zustellauftrag) -> Path:
        return self.root / "known" / f"{auftrag.key}.{os.getpid()}.draft"

    def note(self, key: str) -> None:
        (self.root / "known" / key).touch()

    def send(self, auftrag: Zustellauftrag) -> None:
        self.draft(auftrag).rename(self.root / "drop" / auftrag.package.file_name)

    def verdict(self, key: str) -> Delivered:
        return Delivered({"key": key})


class RemembersLate(Toy):
    """Sends first and notes it afterwards: killed in between it sends again."""

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        if not self.is_known(auftrag.key):
            self.prepare(auftrag)
            self.send(auftrag)
            self.note(auftrag.key)
        return self.verdict(auftrag.key)


class ForgetsKeys(Toy):
    """Believes only what still lies in the drop."""

    def is_known(self, key: str) -> bool:
        return (self.root / "drop" / f"{key}.zip").exists()


class NeverRemembers(Toy):
    """Sends at every call."""

    def is_known(self, key: str) -> bool:
        return False


class CutsShort(Toy):
    """Sends the beginning of a large package."""

    def prepare(self, auftrag: Zustellauftrag) -> None:
        self.draft(auftrag).write_bytes(auftrag.package.content.read()[:65536])


class MixesKeysUp(Toy):
    """Tells keys apart by their bytes' length only."""

    def is_known(self, key: str) -> bool:
        return any((self.root / "known").iterdir())


class WritesWhenProbed(Toy):
    """Tries its rights out by writing."""

    def probe(self) -> None:
        (self.root / "drop" / "probe.tmp").write_bytes(b"")


class AnswersDifferently(Toy):
    """Gives another proof at every call."""

    def verdict(self, key: str) -> Delivered:
        calls = self.root / f"call-{len(os.listdir(self.root))}"
        calls.touch()
        return Delivered({"call": calls.name})


@dataclass
class Bench:
    """A drop folder for a toy, and a consumer that moves everything out of it."""

    root: Path
    kind: type[Toy]

    def __post_init__(self) -> None:
        for name in ("drop", "known", "taken"):
            (self.root / name).mkdir(parents=True)

    def connect(self) -> Toy:
        return self.kind(self.root)

    def consume(self) -> None:
        for file in list((self.root / "drop").iterdir()):
            file.rename(self.root / "taken" / f"{len(os.listdir(self.root / 'taken'))}_{file.name}")

    def arrived(self) -> list[kit.Arrival]:
        files = [(path.name, path) for path in (self.root / "drop").iterdir()]
        files += [(path.name.partition("_")[2], path) for path in (self.root / "taken").iterdir()]
        return [kit.Arrival(name, hashlib.sha256(path.read_bytes()).hexdigest()) for name, path in files]

    def expects(self, auftrag: Zustellauftrag) -> list[kit.Arrival]:
        return [kit.Arrival(auftrag.package.file_name, auftrag.package.content.sha256)]

    def snapshot(self) -> object:
        return sorted(self.root.rglob("*"))


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (RemembersLate, kit.survives_kills_with_a_fast_target),
        (RemembersLate, kit.tolerates_a_stopped_rival),
        (Toy, kit.survives_kills_with_a_fast_target),
        (Toy, kit.survives_kills_with_a_slow_target),
        (ForgetsKeys, kit.looks_up_honestly),
        (ForgetsKeys, kit.repeats_without_effect),
        (NeverRemembers, kit.repeats_without_effect),
        (CutsShort, kit.delivers_large_packages),
        (MixesKeysUp, kit.keeps_keys_apart),
        (WritesWhenProbed, kit.probes_without_effect),
        (AnswersDifferently, kit.repeats_without_effect),
    ],
)
def test_suite_finds_the_flaw(kind: type[Toy], check: kit.Check, tmp_path: Path) -> None:
    """A connector with a known flaw does not pass the check that is there for it."""
    with pytest.raises(kit.Nonconforming):
        check(lambda name: Bench(tmp_path / name, kind))


@pytest.mark.parametrize(
    "check",
    [kit.delivers_once, kit.delivers_large_packages, kit.keeps_keys_apart, kit.repeats_without_effect,
     kit.looks_up_honestly, kit.probes_without_effect],
    ids=lambda check: check.__name__,
)  # fmt: skip
def test_suite_lets_the_plain_case_pass(check: kit.Check, tmp_path: Path) -> None:
    """A connector that is right as long as nothing crashes passes every check without a crash."""
    assert check(lambda name: Bench(tmp_path / name, Toy)) is None
