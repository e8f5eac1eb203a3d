"""Kills two workers again and again while they deliver to a target that misbehaves, then counts what arrived.

    python -m tests.soak.deliver_kills amqp-native --messages 300 --kills 40 --seed 1

The engine itself (store, intents, look-ups, parking) with one connector and a real target, without the daemon around it: an
hour of trouble in minutes. Every message must have arrived exactly once where the target removes doubles or can be asked;
where it can do neither, at most once, and what is not certain must be parked for a person. `connector_kills` does that
to the whole daemon.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import sys
import tempfile
import threading
import time
import tomllib
import uuid
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from intermediary.connect.settings import open_connector
from intermediary.core.breaker import RestRules
from intermediary.core.ids import derived_id
from intermediary.core.schedule import Schedule
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.core.targets import TargetRef
from intermediary.core.turns import Limits
from intermediary.core.values import Ausgabe, Dokument, MemoryContent
from intermediary.deliver import Deliverer, OpenTarget, Timing
from intermediary.keys.wrap import KekFiles, MandantKeys
from intermediary.route.plugins import Connectors
from intermediary.store import Claim, PlannedTarget, Store, open_store
from tests.conformance.store_kit import INSTALLATION, LEASE, MANDANTEN, bench_in, eingang
from tests.soak import broker_scenes, connector_scenes, eakte_scenes, soap_scenes
from tests.soak.connector_scenes import Scene

SCENES = {**connector_scenes.SCENES, **broker_scenes.SCENES, **soap_scenes.SCENES, **eakte_scenes.SCENES}
WORKERS = 2
LONGEST_LIFE_SECONDS = 1.0
TARGET = "musterstadt/bauantrag/fachverfahren"
SCHEDULE = Schedule(first=timedelta(seconds=0.2), longest=timedelta(seconds=1))
RULES = RestRules(after_failures=100_000, longest_asked=timedelta(seconds=0.2))
_N, _Z = NachrichtState, ZustellungState


@dataclass(frozen=True, slots=True)
class Report:
    """What the run found; `violations` is empty when every promise held."""

    scene: str
    messages: int
    kills: int
    seconds: float
    troubles: dict[str, int]
    states: dict[str, int]
    arrived: int
    violations: tuple[str, ...]


def run(name: str, folder: Path, *, messages: int, kills: int, seed: int, patience: float = 900.0) -> Report:
    """One run in an empty folder."""
    dice = random.Random(seed)
    bench_in(folder)
    nursery = Nursery(folder)
    store = _store(folder)
    for number in range(messages):
        _plan(store, number)
    store.close()
    started = time.monotonic()
    with SCENES[name](folder, random.Random(seed + 1)) as scene:
        nursery.begin(scene.settings)
        done = _drive(nursery, scene, kills, dice, started + patience)
        arrived = scene.arrived()
    nursery.close()
    store = _store(folder)
    outcomes = {one.id: (one.state, store.zustellungen(one.id)[0].state) for one in store.find()}
    store.close()
    violations = [] if done else ["the run did not end in time"]
    violations += _violations(outcomes, arrived, messages, is_certain=scene.is_certain)
    return Report(
        scene=name,
        messages=messages,
        kills=kills,
        seconds=round(time.monotonic() - started, 1),
        troubles=dict(scene.troubles),
        states=dict(Counter(f"{state}/{target}" for state, target in outcomes.values())),
        arrived=len(arrived),
        violations=tuple(violations),
    )


class Nursery:
    """Forks workers from a process that has loaded everything and has no threads; it ends with its parent."""

    def __init__(self, folder: Path) -> None:
        self._line, theirs = socket.socketpair()
        if _fork() == 0:
            self._line.close()
            _keep(theirs, folder)
        theirs.close()
        self._words = self._line.makefile("rw")

    def begin(self, settings: str) -> None:
        self._ask("begin", settings)

    def start(self) -> int:
        """A new worker's process id."""
        return self._ask("start", "")

    def reap(self, pid: int) -> int:
        """Wait for its end; 0 when it had nothing left to do."""
        return self._ask("reap", str(pid))

    def close(self) -> None:
        self._line.close()

    def _ask(self, word: str, argument: str) -> int:
        self._words.write(json.dumps([word, argument]) + "\n")
        self._words.flush()
        return int(self._words.readline())


def _fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _keep(line: socket.socket, folder: Path) -> None:
    settings = ""
    words = line.makefile("rw")
    for asked in words:
        word, argument = json.loads(asked)
        answer = 0
        if word == "begin":
            settings = argument
        elif word == "reap":
            answer = os.waitstatus_to_exitcode(os.waitpid(int(argument), 0)[1])
        else:
            answer = _fork()
            if answer == 0:
                _end_with(partial(_work, folder, settings))
        words.write(f"{answer}\n")
        words.flush()
    os._exit(0)


def _end_with(action: Any) -> None:
    try:
        action()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(70)
    os._exit(0)


def _drive(nursery: Nursery, scene: Scene, kills: int, dice: random.Random, end: float) -> bool:
    workers = [nursery.start() for _ in range(WORKERS)]
    pause = threading.Event()
    over = threading.Event()

    def disturb() -> None:
        while not over.wait(dice.uniform(0.02, 0.3)):
            scene.disturb(dice)

    thread = threading.Thread(target=disturb, daemon=True)
    thread.start()
    done = True
    for _ in range(kills):
        pause.wait(dice.uniform(0, LONGEST_LIFE_SECONDS))
        place = dice.randrange(WORKERS)
        os.kill(workers[place], signal.SIGKILL)
        nursery.reap(workers[place])
        workers[place] = nursery.start()
    watchdog = threading.Timer(
        max(end - time.monotonic(), 1), lambda: [os.kill(pid, signal.SIGKILL) for pid in workers]
    )
    watchdog.start()
    for pid in workers:
        done = nursery.reap(pid) == 0 and done
    watchdog.cancel()
    over.set()
    thread.join()
    return done


def _work(folder: Path, settings: str) -> None:
    """Deliver until nothing is left that time could heal."""
    store = _store(folder)
    store.release_dead(_is_alive, _now())
    (target,) = tomllib.loads(settings)["route"]["target"]
    factory = Connectors().get(target["connector"])
    connector = open_connector(factory, target["settings"], base=folder, where="target")
    ref = TargetRef(TARGET, frozenset({TARGET}), Limits(), RULES)
    opened = OpenTarget(connector, SCHEDULE, ref)
    luck = random.Random()
    timing = Timing(SCHEDULE, timedelta(seconds=0.5))
    deliverer = Deliverer(store, target=lambda *_: opened, timing=timing, now=_now, jitter=luck.random)
    owner, pause = f"host:boot:{os.getpid()}:1:1", threading.Event()
    while True:
        claims = store.claim(owner, _now())
        for claim in claims:
            _advance(store, deliverer, claim)
        if not claims:
            if _is_done(store):
                break
            store.targets.tend([ref], _now())
            pause.wait(0.1)
    store.close()


def _advance(store: Store, deliverer: Deliverer, claim: Claim) -> None:
    ausgabe = _ausgabe(claim.nachricht.id)
    claim = deliverer.advance(claim, lambda: ausgabe)
    if claim.nachricht.verdict:
        store.answered(claim, state=_N.COMPLETED, proof={}, now=_now())
    else:
        store.release(claim, _now())


def _is_done(store: Store) -> bool:
    """Whether everything is delivered and answered, or waits for a person."""
    return all(
        one.state is _N.COMPLETED or store.zustellungen(one.id)[0].state is _Z.PARKED
        for one in store.find(limit=10_000)
    )


def _plan(store: Store, number: int) -> None:
    now = _now()
    (taken,) = store.take([eingang(f"antrag-{number}", f"<Antrag>{number}</Antrag>".encode(), at=now)])
    claim = store.claim_one(taken.nachricht_id, "judge", now)
    sha256 = _ausgabe(taken.nachricht_id).package.content.sha256
    target = PlannedTarget("fachverfahren", required=True, output_sha256=sha256)
    claim = store.plan(claim, route="bauantrag", pins={}, plan={}, targets=[target], now=now)
    store.release(claim, now)


def _ausgabe(own: str) -> Ausgabe:
    """Each Nachricht has a package of its own, as an e-file takes it."""
    content = MemoryContent(f"PK{derived_id(own, 'package')}".encode() * 200)
    name = f"{uuid.UUID(own)}_Abgabe.Abgabe.0401.zip"
    package = Dokument(name, "application/zip", content)
    return Ausgabe(standard="xdomea 3.1.0", message="Abgabe.Abgabe.0401", nachricht=b"<a/>", package=package)


def _violations(
    outcomes: dict[str, tuple[NachrichtState, ZustellungState]],
    arrived: Counter[str],
    messages: int,
    *,
    is_certain: bool,
) -> Iterator[str]:
    if len(outcomes) != messages:
        yield f"{len(outcomes)} of {messages} messages are in the store"
    yield from (f"arrived {count} times: {one}" for one, count in arrived.items() if count != 1)
    yield from (f"arrived and unknown: {one}" for one in set(arrived) - set(outcomes))
    for own, (_, state) in outcomes.items():
        if state is _Z.DELIVERED and own not in arrived:
            yield f"said to be delivered, never arrived: {own}"
        if state is not _Z.DELIVERED and (is_certain or state is not _Z.PARKED):
            yield f"not delivered: {own} {state}"


def _store(folder: Path) -> Store:
    keys = MandantKeys({mandant: KekFiles(folder / f"{mandant}.kek") for mandant in MANDANTEN})
    return open_store(data=folder / "data", installation=INSTALLATION, keys=keys, lease=LEASE)


def _is_alive(owner: str) -> bool:
    return Path(f"/proc/{owner.split(':')[2]}").exists() if owner.startswith("host:") else False


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """Print the report as JSON; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scene", choices=sorted(SCENES))
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="deliver-kills-") as folder:
        report = run(choice.scene, Path(folder), messages=choice.messages, kills=choice.kills, seed=choice.seed)
    print(json.dumps({name: getattr(report, name) for name in Report.__slots__}, indent=1))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
