"""The disk is full to the last byte, again and again, while submissions come in (fault F14).

Spool, blobs and an SQLite store, or the files of a PostgreSQL server, lie on a small tmpfs of their own. It is filled,
something is handed in, and after a while there is room again: nothing may have been taken without being durable, nothing be
cut short, and the daemon goes on by itself.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from intermediary.testing.pki import Pki
from intermediary.testing.postgres import PrivatePostgres
from tests.chaos.campaign import POSTGRESQL
from tests.chaos.checker import Finding, check
from tests.chaos.daemon import Daemon
from tests.chaos.evidence import Cli, collect, wait_until_settled
from tests.chaos.installation import make_stand
from tests.chaos.journal import Journal
from tests.chaos.nursery import Nursery
from tests.chaos.senders import FolderSender, Load
from tests.chaos.sink import Sink

_MEBIBYTE = 1 << 20
_BALLAST = "ballast"
DATA, DATABASE = "data", "database"
_SERVER_MEBIBYTES = 400
_SPARSE = ("wal_init_zero=off", "wal_recycle=off", "max_wal_size=64MB")
"""So that the server's log needs room with every commit, as on file systems that never write in place."""


class MountForbidden(Exception):
    """No file system of our own can be mounted here."""


@dataclass(slots=True)
class Drought:
    """How often the disk was full, a dead server was started and a door said that it holds; what came of it."""

    fulls: int = 0
    revivals: int = 0
    holdings: int = 0
    taken: int = 0
    effects: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)


def dry(
    engine: str,
    folder: Path,
    *,
    times: int,
    seed: int = 1,
    kills: int = 0,
    volume: str = DATA,
    pki: Pki | None = None,
) -> Drought:
    """Fill the disk `times` times under load; `kills` of them also kill the daemon while it is full.

    `volume` says which disk: the installation's data, or that of the PostgreSQL server, which is started again when it
    has died of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dice, result, started = random.Random(f"disk {seed}"), Drought(), time.monotonic()
    with ExitStack() as stack:
        server, disk = _server(stack, volume) if engine == POSTGRESQL else (None, None)
        stand = make_stand(folder / "site", pki=pki, database=server.database() if server else "")
        if disk is None:
            disk = stand.folder / "data"
            _mount(stack, disk, (48 + 3 * times) * _MEBIBYTE, mode="0700")
        journal, sent = Journal(folder / "faults.jsonl"), Journal(folder / "sent-folder.jsonl")
        heard = Journal(folder / "sink.jsonl", sync=True)
        for one in (journal, sent, heard):
            stack.callback(one.close)
        sink = Sink(stand.socket, heard, seed=seed, share=0.0)
        stack.callback(sink.close)
        nursery = Nursery(stand.plugins)
        stack.callback(nursery.close)
        daemon = Daemon(stand, nursery)
        daemon.start()
        stack.callback(lambda: daemon.is_running() and daemon.kill(group=True))
        sender = FolderSender(stand, sent, Load(seed, 0.05))
        sender.start()
        pause = threading.Event()
        killing = set(dice.sample(range(times), min(kills, times)))
        for number in range(times):
            before = sink.effects
            left = dice.choice((0, 0, 1, 4096, 20_000, 100_000))
            _fill(disk, left)
            journal.write("fault", fault="full", number=number, left=left)
            result.fulls += 1
            pause.wait(dice.uniform(0.1, 1.0))
            if number in killing:
                journal.write("fault", fault="kill", number=number)
                daemon.kill()
                daemon.start()
                pause.wait(dice.uniform(0.3, 1.0))
            (disk / _BALLAST).unlink(missing_ok=True)
            if server is not None and not _is_answering(server):
                result.revivals += 1
                server.restart()
            _wait(lambda before=before: sink.effects > before, 30.0)
        is_taken = sender.finish(120.0)
        cli = Cli(stand, nursery)
        settled = wait_until_settled(cli, 120.0) and is_taken
        _demand_room(disk)
        ended = [] if daemon.is_running() else [daemon.wait()]
        status = daemon.stop()
        log = stand.log.read_bytes()
        result.holdings = log.count(b'"folder.holding"') + log.count(b'"door.holding"')
        evidence = collect(
            stand, cli, sent=[sent.path], sink=heard.path, settled=settled, ended=ended, stop_status=status
        )
        result.taken, result.effects, result.findings = len(evidence.taken), sink.effects, check(evidence)
    result.seconds = round(time.monotonic() - started, 1)
    return result


def _fill(data: Path, left: int) -> None:
    """Leave so many bytes, as the file system counts them."""
    with (data / _BALLAST).open("wb", buffering=0) as ballast, suppress(OSError):
        free = os.statvfs(data)
        size = free.f_bavail * free.f_frsize - left
        for _ in range(max(0, size) // _MEBIBYTE):
            ballast.write(bytes(_MEBIBYTE))
        while left == 0 or size > 0:
            ballast.write(bytes(4096))
            size = os.statvfs(data).f_bavail * 4096 - left


def _demand_room(data: Path) -> None:
    """What was handed in must not have filled the disk by itself: then nobody could go on, and no promise says so."""
    room = os.statvfs(data)
    if room.f_bavail * 10 < room.f_blocks:
        raise AssertionError("the load has filled the disk: it has to be larger for so many times")


def _server(stack: ExitStack, volume: str) -> tuple[PrivatePostgres, Path | None]:
    """A server, and its own disk if that is the one to be filled."""
    if volume != DATABASE:
        return stack.enter_context(PrivatePostgres()), None
    disk = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-volume-")))
    _mount(stack, disk, _SERVER_MEBIBYTES * _MEBIBYTE, mode="0755")
    disk.chmod(0o755)
    return stack.enter_context(PrivatePostgres(place=disk, settings=_SPARSE)), disk


def _is_answering(server: PrivatePostgres, seconds: float = 5.0) -> bool:
    """Whether it does, perhaps after having come up again by itself."""
    pause, end = threading.Event(), time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(subprocess.SubprocessError):
            return bool(server.execute("SELECT 1"))
        pause.wait(0.1)
    return False


def _mount(stack: ExitStack, place: Path, size: int, *, mode: str) -> None:
    place.mkdir(mode=0o700, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode={mode}", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode or shutil.which("umount") is None:
        raise MountForbidden("a tmpfs cannot be mounted here: run as root, or with CAP_SYS_ADMIN")
    stack.callback(subprocess.run, ["umount", "-l", str(place)], capture_output=True, check=False)


def _wait(holds: Callable[[], bool], seconds: float) -> None:
    pause, end = threading.Event(), time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        pause.wait(0.01)
