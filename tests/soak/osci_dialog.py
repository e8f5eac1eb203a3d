"""The dialog soak: a daemon fetches from a simulated intermediary while both are killed again and again.

    python -m tests.soak.osci_dialog --messages 1000 --kills 50 --seed 1

A post box is filled; `intermediary run` with a channel of type `osci_fetch` empties it; daemon and simulator are killed
(SIGKILL) so many times each, at random moments and at the worst ones: while an answer is on its way, before and after the
simulator's commit, right after a delivery was served or acknowledged. At the end every delivery must be in the store
exactly once, its package delivered exactly once, the box empty and the audit trail intact. Prints the figures as JSON; the
exit code is 1 when any promise was broken.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2

from intermediary.osci.write import Attachment, Letter
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site as Demo
from intermediary.testing.demo_site import make_site as make_demo
from intermediary.testing.samples import sample_letter, sample_png
from intermediary.testing.simulate.osci.facts import DialogOpened, Entry, Fact, Received, Served, Troubled
from intermediary.testing.simulate.osci.filling import Filler
from intermediary.testing.simulate.osci.journal import JOURNAL
from intermediary.testing.simulate.osci.site import KENNUNG, Site, make_site
from intermediary.wiring import utc_now
from tests.soak.daemon_kills import Consumer, Daemon

_CHANNEL = """
[[channel]]
name = "postfach"
type = "osci_fetch"
mandanten = ["musterstadt"]
partner = "{kennung}"
[channel.osci_fetch]
poll_seconds = 1
poll_most_seconds = 2
"""
_SIGN = '\n[[sign]]\np12 = "recipient-signature.p12"\npassword_file = "recipient-signature.pass"\n'

_WAYS_TO_KILL_THE_SIMULATOR = (
    "at once",
    "after a delivery was served",
    "die-before@InitDialog",
    "die-after@InitDialog",
    "die-before@{fetch}",
    "die-after@{fetch}",
    "die-after@{fetch}",
    "die-before@ExitDialog",
    "die-after@ExitDialog",
)
_WAYS_TO_KILL_THE_DAEMON = ("at once", "after a delivery was served", "after a delivery was acknowledged")
_LARGE_EVERY = 20
_LARGE_BYTES = 3_500_000
_TROUBLE = ("drop-before", "drop-after", "truncate", "wrong-response", "wrong-sequence", "undecryptable", "fault:9000")

_PROBABILITY = 0.004
_PATIENCE_SECONDS = 15.0
_DELAYS = (0.0, 0.002, 0.01, 0.02, 0.03, 0.05)


@dataclass(frozen=True, slots=True)
class Report:
    """What the run found; `violations` is empty when every promise held."""

    messages: int
    daemon_kills: dict[str, int]
    simulator_kills: dict[str, int]
    trouble: dict[str, int]
    dialogs: int
    served: int
    served_again: int
    seconds: float
    states: dict[str, int]
    packages: int
    violations: tuple[str, ...]


@dataclass
class Evidence:
    """The simulator's journal as it grows, seen from outside."""

    folder: Path
    facts: list[Fact] = field(default_factory=list)
    _read: int = 0
    _received: set[str] = field(default_factory=set)

    def count(self, kind: type[Fact]) -> int:
        """How many facts of this kind there are by now."""
        self.look()
        return sum(isinstance(fact, kind) for fact in self.facts)

    def look(self) -> None:
        """Read the lines that were finished since the last look."""
        with (self.folder / JOURNAL).open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            for fact in Entry.from_json(json.loads(line)).facts:
                self.facts.append(fact)
                if isinstance(fact, Received):
                    self._received.add(fact.message_id)

    @property
    def received(self) -> int:
        """How many deliveries were acknowledged."""
        self.look()
        return len(self._received)


class Partner:
    """`intermediary simulate osci` as a process on a port that stays the same."""

    def __init__(self, site: Site, port: int, log: Path, fetch: str, seeds: Iterator[int]) -> None:
        self._command = [sys.executable, "-m", "intermediary", "simulate", "osci", "--dir", str(site.folder)]
        self._command += ["--listen", f"127.0.0.1:{port}"]
        self._command += [word for name in _TROUBLE for word in ("--knob", f"{name}@{fetch}={_PROBABILITY}")]
        self._seeds = seeds
        self._base = f"http://127.0.0.1:{port}/simulator"
        self.url = f"http://127.0.0.1:{port}/osci"
        self._log = log
        self.fetch = fetch
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start and return when it has said that it is there."""
        command = [*self._command, "--seed", str(next(self._seeds))]
        with self._log.open("a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("Steuern"):
                return
        raise RuntimeError("the simulator did not start")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self._reap()

    def die_by(self, knob: str, patience: float) -> bool:
        """Let it kill itself at a point of its own; False if that point did not come in time, then it is killed."""
        with contextlib.suppress(httpx2.TransportError):
            httpx2.post(f"{self._base}/knob", json={"knob": f"{knob}=next1"})
        assert self.process is not None
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self._reap()
        return True

    def calm(self) -> None:
        httpx2.post(f"{self._base}/calm")

    def state(self) -> Any:
        return httpx2.get(f"{self._base}/state").json()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self._reap()

    def _reap(self) -> int:
        assert self.process is not None
        code = self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


def run(
    folder: Path,
    *,
    messages: int,
    kills: int,
    seed: int,
    is_chunked: bool = False,
    workers: int = 2,
    patience: float = 3600.0,
) -> Report:
    """One run in an empty folder."""
    dice = random.Random(seed)
    port = _free_port()
    demo = make_demo(folder / "site", now=utc_now(), settings=golden_settings())
    site = make_site(folder / "partner", now=utc_now(), pki=demo.pki)
    _use(demo, site, is_chunked=is_chunked)
    fetch = "PartialFetchDelivery" if is_chunked else "FetchDelivery"
    partner = Partner(site, port, folder / "partner.log", fetch, itertools.count(seed))
    daemon = Daemon(demo.config, folder / "daemon.log", workers)
    evidence = Evidence(site.folder)
    service = OnlineService(site, partner.url, is_chunked=is_chunked)
    drive = _Drive(daemon, partner, service, evidence, dice, time.monotonic() + patience)
    started = time.monotonic()
    with Consumer(demo.drop) as consumer:
        partner.start()
        daemon.start()
        drive.kill_all(kills, messages=messages)
        done = drive.finish(demo)
    seconds = time.monotonic() - started
    return _judge(demo, service.stored, consumer, drive, done=done, seconds=seconds)


class OnlineService:
    """Stores applications with the simulator over HTTP; `stored` are their ids, each confirmed.

    Every twentieth delivery of a chunked run is large enough for several chunks.
    """

    def __init__(self, site: Site, url: str, *, is_chunked: bool) -> None:
        ask = lambda body: httpx2.post(url, content=body, timeout=60).content  # noqa: E731
        self._filler = Filler(site.pki, ask, random=secrets.token_bytes, clock=utc_now)
        self._is_chunked = is_chunked
        self.stored: list[str] = []

    def store(self, count: int) -> None:
        for number in range(len(self.stored), len(self.stored) + count):
            letter = sample_letter(number, now=utc_now())
            is_large = self._is_chunked and number % _LARGE_EVERY == 0
            answer = self._filler.store(_enlarged(letter) if is_large else letter)
            self.stored.append(answer.order.cards[0].message_id)


def _enlarged(letter: Letter) -> Letter:
    annex = Attachment("Anlage.png", "image/png", sample_png(shade=7) + secrets.token_bytes(_LARGE_BYTES))
    return replace(letter, attachments=(*letter.attachments, annex))


def _use(demo: Demo, site: Site, *, is_chunked: bool) -> None:
    """Add the channel, the partner directory and the signature key to the demo's configuration."""
    text = demo.config.read_text(encoding="utf-8")
    partners = os.path.relpath(site.partners, demo.folder)
    text = text.replace("[installation]\n", f'[installation]\npartners = "{partners}"\n', 1)
    chunks = "chunk_megabytes = 1\n" if is_chunked else ""
    demo.config.write_text(text + _CHANNEL.format(kennung=KENNUNG) + chunks, encoding="utf-8")
    ring = demo.folder / "keys" / "keyring.toml"
    if "[[sign]]" not in ring.read_text(encoding="utf-8"):
        with ring.open("a", encoding="utf-8") as file:
            file.write(_SIGN)


class _Drive:
    """Puts some deliveries into the box, kills one side while they flow, starts it again; and so on."""

    def __init__(
        self,
        daemon: Daemon,
        partner: Partner,
        service: OnlineService,
        evidence: Evidence,
        dice: random.Random,
        end: float,
    ) -> None:
        self._daemon = daemon
        self._partner = partner
        self.evidence = evidence
        self._dice = dice
        self._service = service
        self._end = end
        self._pause = threading.Event()
        self.daemon_kills: Counter[str] = Counter()
        self.simulator_kills: Counter[str] = Counter()

    def kill_all(self, kills: int, *, messages: int) -> None:
        """So many kills of each side, in any order, each with its share of the deliveries on their way."""
        sides = ["daemon", "simulator"] * kills
        self._dice.shuffle(sides)
        shares = [messages // len(sides)] * len(sides)
        shares[0] += messages - sum(shares)
        for side, share in zip(sides, shares, strict=True):
            place = len(self._service.stored) + self._dice.uniform(-share, share)
            self._service.store(share)
            self._wait(lambda place=place: self.evidence.received >= place, _PATIENCE_SECONDS)
            if side == "daemon":
                self._kill_daemon()
            else:
                self._kill_simulator()

    def finish(self, demo: Demo) -> bool:
        """Let both come to an end; True if the box was emptied, everything completed, and the daemon stopped cleanly."""
        self._partner.calm()
        emptied = self._wait(lambda: self._partner.state()["waiting"] == 0)
        completed = emptied and self._wait(lambda: _all_completed(demo, len(self._service.stored)))
        code = self._daemon.stop()
        self._partner.stop()
        return completed and code == 0

    def _kill_daemon(self) -> None:
        way = self._dice.choice(_WAYS_TO_KILL_THE_DAEMON)
        if way == "after a delivery was served":
            self._wait_for_next(Served)
        elif way == "after a delivery was acknowledged":
            self._wait_for_next(Received)
        self._pause.wait(self._dice.choice(_DELAYS))
        self._daemon.kill()
        self.daemon_kills[way] += 1
        self._daemon.start()

    def _kill_simulator(self) -> None:
        way = self._dice.choice(_WAYS_TO_KILL_THE_SIMULATOR).format(fetch=self._partner.fetch)
        if way.startswith("die-"):
            way = way if self._partner.die_by(way, _PATIENCE_SECONDS) else "at once"
        else:
            if way == "after a delivery was served":
                self._wait_for_next(Served)
            self._pause.wait(self._dice.choice(_DELAYS))
            self._partner.kill()
        self.simulator_kills[way] += 1
        self._partner.start()

    def _wait_for_next(self, kind: type[Fact]) -> None:
        before = self.evidence.count(kind)
        self._wait(lambda: self.evidence.count(kind) > before, _PATIENCE_SECONDS)

    def _wait(self, holds: Any, seconds: float = 1e9) -> bool:
        end = min(self._end, time.monotonic() + seconds)
        while not holds():
            if time.monotonic() > end:
                return False
            self._pause.wait(0.003)
        return True


def _all_completed(demo: Demo, count: int) -> bool:
    threading.Event().wait(1.0)
    states = [json.loads(line)["state"] for line in _ask(demo, "state", "--all", "--json").stdout.splitlines()]
    return len(states) >= count and all(state == "completed" for state in states)


def _judge(demo: Demo, ids: list[str], consumer: Consumer, drive: _Drive, *, done: bool, seconds: float) -> Report:
    drive.evidence.look()
    facts = drive.evidence.facts
    lines = [json.loads(line) for line in _ask(demo, "state", "--all", "--json").stdout.splitlines()]
    violations = [] if done else ["the run did not end in time, or the daemon did not stop cleanly"]
    by_id = Counter(line["messageId"] for line in lines)
    violations += [f"not exactly once in the store: {one} {by_id[one]}" for one in ids if by_id[one] != 1]
    violations += [f"in the store, but never sent: {one}" for one in by_id if one not in set(ids)]
    violations += [f"not completed: {line['id']} {line['state']} {line['code']}" for line in lines
                   if line["state"] != "completed"]  # fmt: skip
    violations += [f"Zustellung not delivered: {line['id']}" for line in lines
                   if [z["state"] for z in line["zustellungen"]] != ["delivered"]]  # fmt: skip
    packages = {name: count for name, count in consumer.seen.items() if name.endswith(".zip")}
    violations += [f"appeared {count} times: {name}" for name, count in consumer.seen.items() if count != 1]
    violations += [f"missing: {line['id']}" for line in lines
                   if not any(name.startswith(line["id"]) for name in packages)]  # fmt: skip
    received = {fact.message_id for fact in facts if isinstance(fact, Received)}
    violations += [f"never acknowledged: {one}" for one in ids if one not in received]
    verify = _ask(demo, "audit", "verify")
    if verify.returncode != 0:
        violations.append(f"audit verify: {verify.stdout[-500:]}{verify.stderr[-500:]}")
    served = Counter(fact.message_id for fact in facts if isinstance(fact, Served))
    return Report(
        messages=len(ids),
        daemon_kills=dict(drive.daemon_kills),
        simulator_kills=dict(drive.simulator_kills),
        trouble=dict(Counter(fact.knob for fact in facts if isinstance(fact, Troubled))),
        dialogs=sum(isinstance(fact, DialogOpened) for fact in facts),
        served=sum(served.values()),
        served_again=sum(count - 1 for count in served.values()),
        seconds=round(seconds, 1),
        states=dict(Counter(line["state"] for line in lines)),
        packages=len(packages),
        violations=tuple(violations),
    )


def _ask(demo: Demo, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "intermediary", *words, "-c", str(demo.config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def main() -> int:
    """Print the report as JSON; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=50, help="of each side")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    parser.add_argument(
        "--chunked", action="store_true", help="fetch in chunks; every twentieth delivery needs several"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dir", type=Path)
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dialog-") as temporary:
        folder = choice.dir or Path(temporary)
        report = run(
            folder,
            messages=choice.messages,
            kills=choice.kills,
            seed=choice.seed,
            is_chunked=choice.chunked,
            workers=choice.workers,
        )
    print(json.dumps({"seed": choice.seed} | {name: getattr(report, name) for name in Report.__slots__}, indent=1))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
