"""What a child process runs: worker threads, one suspect, jobs, or the doors of ingress. Started by the supervisor only.

python -m intermediary.daemon.child worker|suspect|jobs|ingress CONFIG PARENT THREADS
python -m intermediary.daemon.child health CONFIG PARENT ROLE=PROCESSES,…
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from intermediary.core.faults import Fault
from intermediary.daemon.health.role import run_health
from intermediary.daemon.jobs import JobRunner
from intermediary.daemon.logs import configure_logging, end_logging
from intermediary.daemon.lookout import Lookout, quotas_of
from intermediary.daemon.patience import open_when_there
from intermediary.daemon.tidying import keep_tidy
from intermediary.ingress.amqp import AmqpAnswers
from intermediary.ingress.gate import GuardedGate
from intermediary.osci.client.answers import OsciAnswers
from intermediary.store.owners import is_alive, own_name
from intermediary.wiring import (
    Configuration,
    Installation,
    all_answers,
    bench,
    open_doors,
)
from intermediary.worker import Rhythm, Worker
from intermediary.xta.client.answers import XtaAnswers

log = structlog.get_logger(__name__)

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4

_ALONE_CPU_SECONDS = 900
_ALONE_BYTES = 4 << 30


def main(arguments: list[str]) -> int:
    """Run one role until SIGTERM; 0 when it ended as asked, 1 when it cannot begin or go on (`child.refused` says why)."""
    role, config, parent, threads = arguments
    _bind_to(int(parent))
    configure_logging()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if role == "health":
        return run_health(Path(config), threads, stop)
    try:
        return _run(role, Path(config), int(threads), stop)
    except Fault as fault:
        log.error("child.refused", role=role, code=fault.code, where=fault.where)
        return 1


def _run(role: str, config: Path, threads: int, stop: threading.Event) -> int:
    installation = open_when_there(config, stop.is_set)
    if installation is None:
        return 0
    try:
        if role == "worker":
            _work(installation, stop, threads)
        elif role == "suspect":
            _work_alone(installation, stop)
        elif role == "jobs":
            _carry_out_jobs(installation, stop)
        else:
            _open_doors(installation, stop)
    finally:
        installation.store.close()
    return 0


def _bind_to(parent: int) -> None:
    """Die with the supervisor, and leave no core dump with somebody's data in it (rule R6)."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Each large part of a message is a spool file of its own; service managers give 1,024 descriptors at first.
    _soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if os.getppid() != parent:
        sys.exit(1)  # the supervisor has gone: nobody is left to tell


def _work(installation: Installation, stop: threading.Event, threads: int) -> None:
    log.info("worker.started", threads=threads)
    lookout = Lookout(installation, role="worker")
    lookout.look()
    configuration = Configuration(installation.settings, threads=threads)
    threading.Thread(target=keep_tidy, args=(configuration, stop), name="tidying", daemon=True).start()
    with _workers(installation, configuration, stop, lookout) as worker:
        _run_all([lambda: lookout.run(stop), *[lambda: worker().run(stop)] * threads], stop)
    log.info("worker.stopped")


def _work_alone(installation: Installation, stop: threading.Event) -> None:
    """Open one suspect and nothing else (DESIGN §2.7): if this process dies, it was that Nachricht's doing."""
    resource.setrlimit(resource.RLIMIT_CPU, (_ALONE_CPU_SECONDS, _ALONE_CPU_SECONDS))
    # Only what holds now: the cage that rules run in reserves more than that and bounds what it uses by itself.
    resource.setrlimit(resource.RLIMIT_AS, (_ALONE_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))

    def work() -> None:
        if not lookout.may_work:
            return
        for claim in installation.store.claim_suspect(own_name(), installation.now(), _lease(installation)):
            log.info("suspect.opened", nachricht_id=claim.nachricht.id, count=claim.nachricht.unexplained)
            worker().advance(claim)

    lookout = Lookout(installation, role="suspect")
    with _workers(installation, Configuration(installation.settings), stop, lookout) as worker:
        if not stop.is_set():
            _run_all([work], stop)


def _carry_out_jobs(installation: Installation, stop: threading.Event) -> None:
    """Until no job is left to carry out; the supervisor starts it again for the next."""
    store = installation.store
    alive = partial(is_alive, is_shared=store.is_shared)
    runner = JobRunner(store.jobs, owner=own_name(), is_alive=alive, now=installation.now)
    _run_all([lambda: runner.run(stop)], stop)


@contextmanager
def _workers(
    installation: Installation, configuration: Configuration, stop: threading.Event, lookout: Lookout
) -> Iterator[Callable[[], Worker]]:
    """Makes the worker of the calling thread; the ways back are shared, and closed at the end."""
    answers = all_answers(installation.settings, configuration)
    rhythm = Rhythm(lease=_lease(installation))
    brokers = [way for way in answers.values() if isinstance(way, AmqpAnswers | OsciAnswers | XtaAnswers)]
    threading.Thread(target=close_after, args=(stop, brokers), daemon=True).start()
    try:
        yield lambda: Worker(
            bench(installation, configuration, answers),
            owner=own_name(),
            rhythm=rhythm,
            may_work=lambda: lookout.may_work,
        )
    finally:
        for broker in brokers:
            broker.close()


def close_after(
    stop: threading.Event, brokers: Iterable[AmqpAnswers | OsciAnswers | XtaAnswers], *, grace_seconds: float = 1.5
) -> None:
    """Once stopped, an answer gets no more than the grace: a broker that is silent must not hold up the end.

    What was not confirmed is told again after the next start, under the same id.
    """
    stop.wait()
    threading.Event().wait(grace_seconds)
    for broker in brokers:
        broker.close()


def _lease(installation: Installation) -> timedelta:
    return timedelta(seconds=installation.settings.store.lease_seconds)


def _open_doors(installation: Installation, stop: threading.Event) -> None:
    gate = GuardedGate(quotas_of(installation.settings))
    lookout = Lookout(installation, role="ingress", gate=gate)
    doors = open_doors(installation, gate=gate)
    lookout.watch(doors)
    lookout.look()
    log.info("ingress.started", channels=[door.channel for door in doors])

    def close_when_stopped() -> None:
        stop.wait()
        for door in doors:
            door.stop()

    _run_all([close_when_stopped, lambda: lookout.run(stop), *(door.run for door in doors)], stop)
    log.info("ingress.stopped")


def _run_all(duties: list[Callable[[], None]], stop: threading.Event) -> None:
    """Run each duty in a thread; one that dies takes the process with it, because the supervisor starts it anew."""
    failed: list[BaseException] = []

    def run(duty: Callable[[], None]) -> None:
        try:
            duty()
        except BaseException as failure:
            failed.append(failure)
            log.error("thread.died", failure=type(failure).__name__)
            stop.set()

    threads = [threading.Thread(target=run, args=(duty,), daemon=True) for duty in duties]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.5)
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    end_logging()
    os._exit(code)  # the store is closed: a thread that some library left behind must not keep the process
