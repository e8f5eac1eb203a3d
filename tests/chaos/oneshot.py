"""The whole way in one process and one thread: taking, delivering, answering, sealing; for counted system calls.

A daemon makes its calls in another order each time. Here the n-th call of a kind is the same one in every run, so that a
tracer can end the process at each of them in turn.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from intermediary.daemon.chores import Chores
from intermediary.daemon.logs import configure_logging
from intermediary.ingress.folder import FolderDoor
from intermediary.store.owners import is_alive, own_name
from intermediary.wiring import Configuration, all_answers, bench, open_doors, open_installation
from intermediary.worker import Worker

_LONGEST_SECONDS = 60.0


def main(words: list[str]) -> int:
    """`folder` or `queue`, CONFIG, GO, MESSAGES; begins when GO, a pipe, is written to."""
    way, config, go, messages = words
    configure_logging("error")
    if way == "folder":
        Path(go).read_bytes()
    installation = open_installation(Path(config))
    now = installation.now
    installation.store.release_dead(lambda owner: is_alive(owner, is_shared=False), now=now())
    configuration = Configuration(installation.settings)
    if way == "queue":
        Path(go).read_bytes()
    known = sum(installation.store.counts().values())
    for door in open_doors(installation):
        if way == "folder" and isinstance(door, FolderDoor):
            door.sweep()
        elif way == "queue" and not isinstance(door, FolderDoor):
            running = threading.Thread(target=door.run, daemon=True)
            running.start()
            pause, left = threading.Event(), _LONGEST_SECONDS
            while sum(installation.store.counts().values()) < known + int(messages) and left > 0:
                pause.wait(0.02)
                left -= 0.02
            door.stop()
            running.join(5)
    answers = all_answers(installation.settings, configuration)
    worker = Worker(bench(installation, configuration, answers), owner=own_name())
    worker.drain()
    Chores(installation, configuration, now=now).seal()
    installation.store.close()
    sys.stderr.flush()
    return 0
