"""A vendor's connector that does what it is told, also what it must not; copied into a folder of its own by the tests.

It imports nothing of the tests: it is loaded in a lane. What it is to do is the `target` of the Zustellauftrag.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import resource
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from intermediary.connect.api import (
    Awaiting,
    Delivered,
    Idempotency,
    Manifest,
    Misconfigured,
    NotDelivered,
    Rejected,
    Steps,
    Transient,
    Zustellauftrag,
    read_secret,
)

MANIFEST = Manifest("boeswillig", Idempotency.LOOKUP, "does as it is told", steps=("case", "document"), concurrency=2)
CANARY = "CANARY-Erika-Musterfrau"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where it may write, and its secret."""

    folder: Path = field(metadata={"help": "a folder"})
    password_file: Path = field(metadata={"help": "a file", "secret": True})
    trouble: str = field(default="", metadata={"help": "what happens when it is built"})


def fork() -> None:
    while True:
        if os.fork() == 0:
            signal.pause()


def memory() -> None:
    kept = []
    while True:
        kept.append(bytearray(64 * 1024 * 1024))


def hang() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 60))
    threading.Event().wait()


def shout() -> None:
    for _ in range(2000):
        print(CANARY * 50)
        os.write(2, CANARY.encode() * 50)


def end() -> None:
    os._exit(0)


def leave() -> None:
    raise SystemExit(CANARY)


def interrupt() -> None:
    raise KeyboardInterrupt(CANARY)


def stumble() -> None:
    raise KeyError(CANARY)


def disguise() -> None:
    """An exception whose class is named after a person."""
    raise type(CANARY, (Exception,), {})


def close() -> None:
    os.closerange(0, 256)
    hang()


def crash() -> None:
    ctypes.string_at(0)


def garble() -> None:
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\xff" * 64)
        except OSError:
            continue
    hang()


def forge() -> None:
    """Answers in the name of our own end of the line."""
    said = b'{"result": {"kind": "fault"}}'
    os.write(int(sys.argv[2]), len(said).to_bytes(4, "big") + said)


def strike() -> None:
    os.kill(os.getppid(), signal.SIGKILL)


def loosen() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))


MISDEEDS = {
    one.__name__: one
    for one in (
        fork,
        memory,
        hang,
        shout,
        end,
        leave,
        interrupt,
        stumble,
        disguise,
        close,
        crash,
        forge,
        garble,
        strike,
        loosen,
    )
}


class Connector:
    """One target."""

    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Any:
        deed = getattr(self, f"deliver_{auftrag.target}", None)
        if deed is not None:
            return deed(auftrag, steps, now)
        MISDEEDS[auftrag.target]()
        return Delivered({"deed": auftrag.target})

    def deliver_well(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered:
        if steps.get("case") is None:
            steps.done("case", {"number": "4711"})
        hashes = {}
        for number, dokument in enumerate(auftrag.dokumente, 1):
            with dokument.content.open() as stream:
                hashes[str(number)] = hashlib.file_digest(stream, "sha256").hexdigest()
            steps.done(f"document/{number}", {"sha256": hashes[str(number)]})
        (self._settings.folder / auftrag.key).write_text(auftrag.package.file_name)
        secret = hashlib.sha256(read_secret(self._settings.password_file).encode()).hexdigest()
        return Delivered({**hashes, "at": now.isoformat(), "secret": secret, "steps": " ".join(steps)})

    def deliver_halfread(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered:
        self.kept = auftrag.dokumente[0].content.open()
        return Delivered({"first": str(self.kept.read(1)[0])})

    def deliver_short(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered:
        try:
            auftrag.dokumente[0].content.read()
        except OSError:
            raise Transient("target.full", where="short") from None
        return Delivered()

    def deliver_unknown_step(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered:
        steps.done("casse")
        return Delivered()

    def deliver_step(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered:
        steps.done("case")
        (self._settings.folder / "went-on").touch()
        return Delivered()

    def deliver_nothing(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Any:
        return {"delivered": True}

    def deliver_refused(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered:
        raise Rejected("target.refused", where="x")

    def deliver_peek(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered:
        """What it can read of the paths the tests name in `business_keys`, and what it was given of ours."""
        readable = []
        for name, path in auftrag.business_keys.items():
            try:
                if Path(path).is_dir():
                    os.listdir(path)
                else:
                    Path(path).read_bytes()
            except OSError:
                continue
            readable.append(name)
        open_ones = [one for one in range(3, 256) if _is_open(one)]
        names = ",".join(sorted(os.environ.keys() - {"LC_CTYPE"}))
        return Delivered({"readable": " ".join(readable), "env": names, "open": str(len(open_ones))})

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered:
        if key in MISDEEDS:
            MISDEEDS[key]()
        return Delivered(steps.get("case") or {}) if (self._settings.folder / key).exists() else NotDelivered()

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered:
        return Delivered(correlation)

    def probe(self) -> None:
        os.listdir(self._settings.folder)

    def examine(self) -> None:
        if (self._settings.folder / "unfit").exists():
            raise Misconfigured("target.misconfigured", where="folder: unfit")


class Factory:
    """Builds one connector per target."""

    manifest = MANIFEST
    settings_type = Settings

    def build(self, settings: Settings, base: Path) -> Connector:
        if settings.trouble:
            MISDEEDS[settings.trouble]()
        return Connector(settings)


CONNECTOR = Factory()


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


if "boeswillig_exits" in sys.modules:
    os._exit(3)
