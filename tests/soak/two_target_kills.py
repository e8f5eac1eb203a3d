"""Kills the whole daemon again and again while each message goes to two targets, then counts what became of them.

    python -m tests.soak.two_target_kills --messages 500 --kills 12 --seed 1

The Fachverfahren takes its files within 10 ms. So does the e-file, which answers when it likes: at once or a second later,
with or without a receipt, sometimes twice, sometimes to something nobody sent, and every tenth time with a refusal. Each
target must have got every package exactly once; what the e-file imported must be completed with one Quittung, what it
refused must be parked as a split verdict without any; no answer may be lost, and the audit trail must verify.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from intermediary.osci.write.seal import seal
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.samples import sample_letter
from intermediary.wiring import utc_now
from tests.acceptance.two_targets import write_route
from tests.conformance.eakte_target import EakteTarget, Imported, confirmation, receipt
from tests.soak.daemon_kills import Consumer, Daemon

LONGEST_DELAY_SECONDS = 1.0
LOOK_SECONDS = 1.5


@dataclass(slots=True)
class Sachbearbeitung:
    """The e-file: takes every package at once, remembers how often each came, and answers.

    What it says to a package follows from the ProzessID alone, so that a second copy would get the same answer.
    """

    eakte: EakteTarget
    dice: random.Random
    seen: Counter[str] = field(default_factory=Counter)
    refused: set[str] = field(default_factory=set)
    sent: int = 0
    strays: int = 0
    _waiting: list[tuple[float, bytes]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Sachbearbeitung:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join()

    @property
    def is_done(self) -> bool:
        """Whether it has said everything it has to say."""
        return not self._waiting

    def _run(self) -> None:
        while not self._stop.wait(0.005):
            for name in os.listdir(self.eakte["drop"]):
                (self.eakte["drop"] / name).unlink()
                self.seen[name] += 1
                self._decide(name.partition("_")[0])
            self._answer_what_is_due()

    def _decide(self, prozess_id: str) -> None:
        number = uuid.UUID(prozess_id).int
        is_refused = number % 10 == 0
        if is_refused:
            self.refused.add(prozess_id)
        when = time.monotonic() + (self.dice.uniform(0, LONGEST_DELAY_SECONDS) if number % 2 else 0)
        answers = [receipt(prozess_id)] if number % 3 == 0 else []
        answers += [confirmation(prozess_id, Imported(not is_refused, ["E4711"]))] * (2 if number % 5 == 1 else 1)
        if number % 7 == 0:
            answers.append(confirmation(str(uuid.UUID(int=self.dice.getrandbits(128))), Imported()))
            self.strays += 1
        self._waiting += [(when + 0.1 * place, answer) for place, answer in enumerate(answers)]

    def _answer_what_is_due(self) -> None:
        now = time.monotonic()
        for when, answer in [one for one in self._waiting if one[0] <= now]:
            self.eakte.answer(answer)
            self.sent += 1
            self._waiting.remove((when, answer))


@dataclass(frozen=True, slots=True)
class Report:
    """What the run found; `violations` is empty when every promise held."""

    messages: int
    kills: int
    seconds: float
    states: dict[str, int]
    refused: int
    answers: int
    strays: int
    quittungen: int
    violations: tuple[str, ...]


def run(folder: Path, *, messages: int, kills: int, seed: int, workers: int = 2, patience: float = 900.0) -> Report:
    """One run in an empty folder."""
    dice = random.Random(seed)
    site = make_site(folder / "site", now=utc_now(), settings=golden_settings())
    eakte = write_route(site)
    config = site.config.read_text(encoding="utf-8")
    site.config.write_text(config.replace("recheck_seconds = 300", "recheck_seconds = 1"), encoding="utf-8")
    ids = _drop_messages(site, messages, dice)
    started = time.monotonic()
    with Consumer(site.drop) as consumer, Sachbearbeitung(eakte, random.Random(seed)) as sachbearbeitung:
        done = _drive(site, sachbearbeitung, messages, kills, dice, workers, patience)
    seconds = time.monotonic() - started
    violations = [] if done else ["the run did not end in time, or the daemon did not stop cleanly"]
    lines = [json.loads(line) for line in _ask(site, "state", "--all", "--json").stdout.splitlines()]
    quittungen = _quittungen(site)
    violations += _of_messages(ids, lines, sachbearbeitung.refused, quittungen)
    violations += _of_targets(lines, consumer.seen, sachbearbeitung.seen)
    violations += _of_answers(eakte, sachbearbeitung)
    verify = _ask(site, "audit", "verify")
    if verify.returncode != 0:
        violations.append(f"audit verify: {verify.stdout[-500:]}{verify.stderr[-500:]}")
    return Report(
        messages=messages,
        kills=kills,
        seconds=round(seconds, 1),
        states=dict(Counter(line["state"] for line in lines)),
        refused=len(sachbearbeitung.refused),
        answers=sachbearbeitung.sent,
        strays=sachbearbeitung.strays,
        quittungen=sum(quittungen.values()),
        violations=tuple(violations),
    )


def _drop_messages(site: Site, messages: int, dice: random.Random) -> list[str]:
    ids, now = [], utc_now()
    for number in range(messages):
        message_id = f"m-{number}-{dice.getrandbits(64):x}"
        body = seal(sample_letter(number, now=now), parties=site.pki.parties, random=secrets.token_bytes, now=now)
        draft = site.inbox / f".{message_id}"
        draft.write_bytes(body)
        draft.rename(site.inbox / message_id)
        ids.append(message_id)
    return ids


def _drive(
    site: Site,
    eakte: Sachbearbeitung,
    messages: int,
    kills: int,
    dice: random.Random,
    workers: int,
    patience: float,
) -> bool:
    """Start, kill, start again …; then let it finish. True when everything was decided in time.

    It is killed when so many packages have been taken and Quittungen been given, that is while it works.
    """
    daemon = Daemon(site.config, site.folder / "daemon.log", workers)
    moments = sorted(dice.sample(range(1, int(1.7 * messages)), kills))
    pause = threading.Event()
    end = time.monotonic() + patience
    daemon.start()
    try:
        while time.monotonic() < end and daemon.process is not None and daemon.process.poll() is None:
            pause.wait(0.01)
            if moments and len(eakte.seen) + len(os.listdir(site.answers)) >= moments[0]:
                pause.wait(dice.uniform(0, 0.2))
                daemon.kill()
                moments.pop(0)
                daemon.start()
            if not moments and len(eakte.seen) == messages and eakte.is_done:
                if _is_decided(site, messages):
                    return daemon.stop() == 0
                pause.wait(LOOK_SECONDS)
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()
    return False


def _is_decided(site: Site, messages: int) -> bool:
    lines = [json.loads(line) for line in _ask(site, "state", "--all", "--json").stdout.splitlines()]
    return len(lines) == messages and all(
        line["state"] in {"completed", "rejected", "parked"}
        or any(zustellung["state"] == "parked" for zustellung in line["zustellungen"])
        for line in lines
    )


def _of_messages(ids: list[str], lines: list[dict], refused: set[str], quittungen: Counter[str]) -> list[str]:
    by_id = Counter(line["messageId"] for line in lines)
    violations = [f"not exactly once in the store: {one}" for one in ids if by_id[one] != 1]
    for line in lines:
        is_refused = line["id"] in refused
        states = {zustellung["target"]: zustellung["state"] for zustellung in line["zustellungen"]}
        expected = ("parked", "split-verdict") if is_refused else ("completed", "")
        if (line["state"], line["code"] or "") != expected or len(line["zustellungen"]) != 2:
            violations.append(f"expected {expected}: {line['id']} {line['state']} {line['code']}")
        if states != {"fachverfahren": "delivered", "eakte": "refused" if is_refused else "delivered"}:
            violations.append(f"wrong verdicts: {line['id']} {states}")
        if quittungen[line["id"]] != (0 if is_refused else 1):
            violations.append(f"{quittungen[line['id']]} Quittungen: {line['id']}")
    return violations


def _of_targets(lines: list[dict], fachverfahren: Counter[str], eakte: Counter[str]) -> list[str]:
    violations = []
    for target, seen in (("fachverfahren", fachverfahren), ("eakte", eakte)):
        violations += [f"{target}: appeared {count} times: {name}" for name, count in seen.items() if count != 1]
        arrived = {name.partition("_")[0] for name in seen}
        violations += [f"{target}: missing: {line['id']}" for line in lines if line["id"] not in arrived]
    return violations


def _of_answers(eakte: EakteTarget, said: Sachbearbeitung) -> list[str]:
    """Every answer is somewhere; only a copy that came after its verdict may still lie unread."""
    kept, aside, unread = (len(eakte.names(name)) for name in ("archive", "unmatched", "answers"))
    violations = (
        [] if kept + aside + unread == said.sent else [f"answers lost: {kept} + {aside} + {unread} of {said.sent}"]
    )
    if aside > said.strays:
        violations.append(f"{aside} answers set aside, {said.strays} strays")
    return violations


def _quittungen(site: Site) -> Counter[str]:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in site.answers.glob("*.json")]
    return Counter(quittung["nachrichtId"] for quittung in found if quittung["status"] == "accepted")


def _ask(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "intermediary", *words, "-c", str(site.config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def main() -> int:
    """Print the report as JSON; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dir", type=Path)
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="two-targets-") as temporary:
        folder = choice.dir or Path(temporary)
        report = run(folder, messages=choice.messages, kills=choice.kills, seed=choice.seed, workers=choice.workers)
    print(json.dumps({name: getattr(report, name) for name in Report.__slots__}, indent=1))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
