"""Scenes with a plot of their own: births, twins, and bytes that rot while nobody looks (faults F2, F16, F20)."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from intermediary.testing.pki import Pki
from intermediary.testing.postgres import PrivatePostgres
from tests.chaos.campaign import POSTGRESQL
from tests.chaos.checker import Finding, check
from tests.chaos.daemon import Daemon
from tests.chaos.evidence import Cli, collect, wait_until_settled
from tests.chaos.installation import Stand, make_stand
from tests.chaos.journal import Journal
from tests.chaos.nursery import Nursery
from tests.chaos.senders import FolderSender, Load
from tests.chaos.sink import Sink

_PATIENCE_SECONDS = 120.0


@dataclass(slots=True)
class Scene:
    """How often it was played, what came in and arrived, and what was found."""

    faults: int = 0
    taken: int = 0
    effects: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Stage:
    """An installation with a sink and one who hands in."""

    folder: Path
    stand: Stand
    nursery: Nursery
    sink: Sink
    sender: FolderSender

    def judge(self, daemon: Daemon, scene: Scene, *, corrupted: frozenset[str] = frozenset()) -> None:
        """Let it come to its end, stop it, and add what the checker says."""
        is_taken = self.sender.finish(_PATIENCE_SECONDS)
        cli = Cli(self.stand, self.nursery)
        settled = wait_until_settled(cli, _PATIENCE_SECONDS, but=corrupted) and is_taken
        ended = [] if daemon.is_running() else [daemon.wait()]
        status = daemon.stop()
        evidence = collect(
            self.stand,
            cli,
            sent=[self.folder / "sent-folder.jsonl"],
            sink=self.folder / "sink.jsonl",
            settled=settled,
            ended=ended,
            stop_status=status,
            corrupted=corrupted,
        )
        scene.taken += len(evidence.taken)
        scene.effects += self.sink.effects
        scene.findings += check(evidence)


def births(engine: str, folder: Path, *, times: int, seed: int = 1, pki: Pki | None = None) -> Scene:
    """Killed while it starts on an empty database, that is while it makes its tables; twice each time."""
    scene, started, dice = Scene(), time.monotonic(), random.Random(f"births {seed}")
    with ExitStack() as stack:
        server = stack.enter_context(PrivatePostgres()) if engine == POSTGRESQL else None
        stand = make_stand(folder / "site", pki=pki, database=server.database() if server else "")
        nursery = Nursery(stand.plugins)
        stack.callback(nursery.close)
        for number in range(times):
            shutil.rmtree(stand.folder / "data", ignore_errors=True)
            for place in (stand.folder / "audit-heads", stand.site.answers):
                shutil.rmtree(place)
                place.mkdir(mode=0o700)
            if server is not None:
                (stand.folder / "secrets" / "store.url").write_text(server.database(), encoding="utf-8")
            stand.socket.unlink(missing_ok=True)
            with _stage(stand, nursery, folder / f"birth-{number}", seed=number, ahead=2) as stage:
                daemon = _started(stand, nursery, stack)
                for _ in range(2):
                    threading.Event().wait(dice.uniform(0.0, 0.6))
                    daemon.kill(group=dice.random() < 0.5)
                    scene.faults += 1
                    daemon.start()
                stage.sender.start()
                _wait(lambda stage=stage: stage.sink.effects > 1)
                stage.judge(daemon, scene)
    scene.seconds = round(time.monotonic() - started, 1)
    return scene


def twins(engine: str, folder: Path, *, times: int, seed: int = 1, pki: Pki | None = None) -> Scene:
    """Two daemons by mistake on one installation; one of them is killed and started again and again."""
    scene, started, dice = Scene(), time.monotonic(), random.Random(f"twins {seed}")
    with ExitStack() as stack:
        database = stack.enter_context(PrivatePostgres()).database() if engine == POSTGRESQL else ""
        stand = make_stand(folder / "site", pki=pki, database=database)
        nursery = Nursery(stand.plugins)
        stack.callback(nursery.close)
        stage = stack.enter_context(_stage(stand, nursery, folder, seed=seed))
        pair = [_started(stand, nursery, stack) for _ in range(2)]
        stage.sender.start()
        for _ in range(times):
            effects = stage.sink.effects
            _wait(lambda effects=effects: stage.sink.effects > effects + 2)
            one = dice.choice(pair)
            one.kill(group=dice.random() < 0.5)
            one.start()
            scene.faults += 1
        if pair[1].stop():
            scene.findings.append(Finding("not-stopped", "second daemon"))
        stage.judge(pair[0], scene)
    scene.seconds = round(time.monotonic() - started, 1)
    return scene


def rot(engine: str, folder: Path, *, times: int, seed: int = 1, pki: Pki | None = None) -> Scene:
    """Wrapped bodies are flipped or cut while the daemon is down: held with `payload.corrupt`, never delivered."""
    scene, started, dice = Scene(), time.monotonic(), random.Random(f"rot {seed}")
    with ExitStack() as stack:
        database = stack.enter_context(PrivatePostgres()).database() if engine == POSTGRESQL else ""
        stand = make_stand(folder / "site", pki=pki, database=database, is_ordered=False)
        nursery = Nursery(stand.plugins)
        stack.callback(nursery.close)
        stage = stack.enter_context(_stage(stand, nursery, folder, seed=seed, ahead=2 * times))
        doors = _started(stand, nursery, stack, "--role", "ingress")
        stage.sender.start()
        _wait(lambda: stage.sender.taken >= 2 * times)
        if doors.stop():
            scene.findings.append(Finding("not-stopped", "doors"))
        blobs = sorted(path for path in (stand.folder / "data" / "blobs").glob("*/*.*") if path.is_file())
        chosen = dice.sample(blobs, times)
        for path in chosen:
            _spoil(path, dice)
        scene.faults = times
        stage.judge(
            _started(stand, nursery, stack), scene, corrupted=frozenset(path.name.partition(".")[0] for path in chosen)
        )
    scene.seconds = round(time.monotonic() - started, 1)
    return scene


SCENES: dict[str, Callable[..., Scene]] = {"births": births, "twins": twins, "rot": rot}


def _spoil(path: Path, dice: random.Random) -> None:
    """Flip one bit, or cut the end off."""
    data = bytearray(path.read_bytes())
    if dice.random() < 0.5:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    else:
        del data[dice.randrange(len(data)) :]
    path.write_bytes(data)


def _started(stand: Stand, nursery: Nursery, stack: ExitStack, *words: str) -> Daemon:
    daemon = Daemon(stand, nursery, words=words)
    daemon.start()
    stack.callback(lambda: daemon.is_running() and daemon.kill(group=True))
    return daemon


@contextmanager
def _stage(stand: Stand, nursery: Nursery, folder: Path, *, seed: int, ahead: int = 30) -> Iterator[_Stage]:
    folder.mkdir(parents=True, exist_ok=True)
    heard, sent = Journal(folder / "sink.jsonl", sync=True), Journal(folder / "sent-folder.jsonl")
    sink = Sink(stand.socket, heard, seed=seed, share=0.0)
    try:
        yield _Stage(folder, stand, nursery, sink, FolderSender(stand, sent, Load(seed, 0.02, 0.0), ahead=ahead))
    finally:
        sink.close()
        heard.close()
        sent.close()


def _wait(holds: Callable[[], bool]) -> None:
    pause, end = threading.Event(), time.monotonic() + _PATIENCE_SECONDS
    while not holds() and time.monotonic() < end:
        pause.wait(0.01)
