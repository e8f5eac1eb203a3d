"""Feeds the hostile corpus to a running daemon, case by case and then all at once among good traffic.

    python -m tests.soak.hostile_daemon --shared ../shared --report report.jsonl

Every case whose entry is XML, MIME, XML signature, XML encryption or an OSCI attachment goes through the folder door: as
payload of a properly sealed message, as the SOAP part, or as the whole message. For each, one at a time: the Nachricht is
rejected (or ends as its control should), within the ceilings of time and memory, with one verdict in the audit trail, no
connection to the canary, and the daemon's handles as before. Then all of them in random order, one good message beside
each: the good ones are delivered. Exit code 1 when anything is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from intermediary.core.states import NachrichtState
from intermediary.operations.prove import verify_installation
from intermediary.osci.write import Attachment, seal
from intermediary.store.store import Store
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.samples import sample_letter
from intermediary.wiring import open_installation, utc_now
from tests.acceptance.daemon import Daemon, wait_until
from tests.evil.canary import Canary
from tests.evil.corpus import Attack, attacks, canary_defaults

FAMILIES = ("XC", "XB", "XD", "XE", "EN", "IC", "NS", "XI", "MC", "MM", "MB", "SC", "XS", "XT", "SA", "SK", "EC", "ED")
DOORS = ("payload.xml", "osci.soap", "osci.mime", "osci.xmldsig", "osci.xmlenc", "osci.attachment")
LARGEST = 128 * 1024 * 1024
FINAL = {NachrichtState.COMPLETED, NachrichtState.REJECTED, NachrichtState.PARKED}
WAITS = {"XE-018"}
"""A root element that no route and no schema knows waits for the operator (`route.missing`): nothing is delivered, and the
sender is told at the deadline. The corpus would have it refused at once."""
_SOAP_PART = (
    b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=B; type=text/xml\r\n\r\n--B\r\n"
    b"Content-Type: text/xml; charset=UTF-8\r\nContent-ID: <osci@message>\r\n\r\n"
)


@dataclass(frozen=True)
class Shot:
    """One case at one door."""

    attack: Attack
    door: str

    @property
    def name(self) -> str:
        return f"{self.attack.id}-{self.door.replace('.', '-')}"


class Range:
    """A site with a running daemon that is shot at."""

    def __init__(self, folder: Path) -> None:
        self.site: Site = make_site(folder / "site", now=utc_now(), settings=golden_settings())
        (folder / "tmp").mkdir()
        self.log = folder / "daemon.log"
        self.daemon = Daemon(self.site.config, log=self.log, temporary=folder / "tmp")
        self.daemon.wait_for("worker.started")
        self.installation = open_installation(self.site.config)
        self.goods = 0

    @property
    def store(self) -> Store:
        return self.installation.store

    def write(self, shot: Shot) -> Path:
        """The message of a shot, beside the inbox; written by rename later."""
        data = shot.attack.data
        if shot.door == "payload.xml":
            data = self._sealed(contents=(data,))
        elif shot.door == "osci.attachment":
            data = self._sealed(attachments=(Attachment("anlage", "application/xml", data),))
        elif shot.door != "osci.mime":
            data = _SOAP_PART + data + b"\r\n--B--\r\n"
        return self._beside(shot.name, data)

    def good(self) -> tuple[str, Path]:
        self.goods += 1
        name = f"good-{self.goods}"
        return name, self._beside(name, self._sealed())

    def drop(self, draft: Path) -> None:
        draft.rename(self.site.inbox / draft.name.removeprefix("."))

    def verdict(self, name: str) -> Any:
        """The Nachricht of a file once somebody is told about it: final, parked, or waiting for a route."""
        found = self.store.find_by_message_id("musterstadt", f"{name}.osci")
        return found[0] if found and (found[0].state in FINAL or found[0].wait_reason) else None

    def children(self) -> dict[int, Path]:
        return {pid: Path("/proc") / str(pid) for pid in self.daemon.children()}

    def forget_peaks(self) -> dict[int, int]:
        """Reset each child's high-water mark; what each holds now, in KiB."""
        for place in self.children().values():
            (place / "clear_refs").write_text("5")
        return {pid: _kib(place, "VmRSS") for pid, place in self.children().items()}

    def growth(self, before: dict[int, int]) -> float:
        """The largest growth of one child's high-water mark, in MiB."""
        return max(_kib(place, "VmHWM") - before.get(pid, 0) for pid, place in self.children().items()) / 1024

    def handles(self) -> int:
        return sum(len(list((place / "fd").iterdir())) for place in self.children().values())

    def _sealed(self, **changes: Any) -> bytes:
        letter = replace(sample_letter(secrets.randbelow(10**6), now=utc_now()), **changes)
        return seal(letter, parties=self.site.pki.parties, random=os.urandom, now=utc_now())

    def _beside(self, name: str, data: bytes) -> Path:
        draft = self.site.inbox / f".{name}.osci"
        draft.write_bytes(data)
        return draft


def shots(wanted: str = "") -> Iterator[Shot]:
    for attack in attacks(*FAMILIES):
        for door in attack.entry["entry"]:
            if door in DOORS and attack.size <= LARGEST and attack.id.startswith(wanted):
                yield Shot(attack, door)


def expected(shot: Shot) -> set[NachrichtState]:
    """A message that is no application of ours never completes; what is no application at all waits for nobody."""
    if shot.attack.id in WAITS and shot.door == "payload.xml":
        return {NachrichtState.RECEIVED}
    ends = {NachrichtState.REJECTED}
    if shot.attack.expect != "reject" and shot.door in ("payload.xml", "osci.attachment"):
        ends |= {NachrichtState.COMPLETED, NachrichtState.PARKED, NachrichtState.RECEIVED}
    return ends


def one_by_one(place: Range, canary: Canary, wanted: str, say: Callable[..., None]) -> int:
    wrong = 0
    for shot in shots(wanted):
        draft = place.write(shot)
        handles, before, knocks = place.handles(), place.forget_peaks(), canary.knocks
        began = time.monotonic()
        place.drop(draft)
        wait_until(lambda name=shot.name: place.verdict(name) is not None, shot.name)
        seconds, growth = time.monotonic() - began, place.growth(before)
        nachricht = place.verdict(shot.name)
        faults = [
            *(["end"] if nachricht.state not in expected(shot) else []),
            *(["seconds"] if seconds > shot.attack.seconds else []),
            *(["memory"] if growth > shot.attack.entry["ceiling"]["rss_growth_mb"] else []),
            *(["canary"] if canary.knocks != knocks else []),
            *(["handles"] if place.handles() > handles + 4 else []),
            *(["delivered"] if place.store.zustellungen(nachricht.id) and shot.attack.expect == "reject" else []),
        ]
        wrong += bool(faults)
        code = nachricht.verdict_code or nachricht.code or nachricht.wait_reason
        say(
            id=shot.attack.id,
            door=shot.door,
            expect=shot.attack.expect,
            outcome=nachricht.state.value,
            code=code,
            seconds=round(seconds, 2),
            rss_growth=round(growth, 1),
            faults=faults,
        )
    return wrong


def all_at_once(place: Range, seed: int, say: Callable[..., None]) -> int:
    usual = sorted(_latency(place) for _ in range(10))
    order = list(shots())
    random.Random(seed).shuffle(order)
    began: dict[str, float] = {}
    took: dict[str, float] = {}
    for number, shot in enumerate(order):
        hostile = place.write(Shot(shot.attack, shot.door))
        place.drop(hostile.rename(hostile.with_name(f".again-{number}-{hostile.name[1:]}")))
        name, draft = place.good()
        place.drop(draft)
        began[name] = time.monotonic()
        _note(place, began, took)
    wait_until(lambda: _note(place, began, took) == len(began), "the good messages")
    slow = sorted(took.values())
    completed = sum(place.verdict(name).state is NachrichtState.COMPLETED for name in began)
    say(good=len(began), completed=completed, usual_ms=round(1000 * median(usual)), mixed_ms=round(1000 * median(slow)))
    return len(began) - completed


def _note(place: Range, began: dict[str, float], took: dict[str, float]) -> int:
    for name, moment in began.items():
        if name not in took and place.verdict(name) is not None:
            took[name] = time.monotonic() - moment
    return len(took)


def _latency(place: Range) -> float:
    name, draft = place.good()
    began = time.monotonic()
    place.drop(draft)
    wait_until(lambda: place.verdict(name) is not None, name)
    return time.monotonic() - began


def _kib(place: Path, field: str) -> int:
    for line in (place / "status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    return 0


def main() -> int:
    """Run both parts and print one line of JSON per case."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--single", action="store_true", help="only the cases one by one")
    parser.add_argument("--cases", default="", help="only cases whose id begins so")
    options = parser.parse_args()
    report = options.report.open("w") if options.report else sys.stdout

    def say(**line: Any) -> None:
        print(json.dumps(line), file=report, flush=True)

    with tempfile.TemporaryDirectory(prefix="hostile.") as folder, Canary(canary_defaults()) as canary:
        place = Range(Path(folder))
        try:
            wrong = one_by_one(place, canary, options.cases, say)
            if not options.single:
                wrong += all_at_once(place, options.seed, say)
            code = place.daemon.stop()
            verified = verify_installation(place.installation)
        finally:
            place.daemon.kill()
            place.store.close()
        leaked = sum(canary.word.encode() in path.read_bytes() for path in Path(folder).rglob("*") if path.is_file())
        found = {
            "wrong": wrong,
            "knocks": canary.knocks,
            "leaked": leaked,
            "exit": code,
            "audit": len(verified.problems),
        }
        print(json.dumps(found))
        return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
