"""Starts daemons by fork from a process that has imported everything, so that a kill each second leaves time for work.

A start of `intermediary run` costs four seconds of processor, nearly all of it for imports. Here the supervisor is a fork of
the nursery, and its children are hatched by a fork of the supervisor, made before it opened anything, as children of the
supervisor (`CLONE_PARENT`): they are bound to it, waited for by it and killed with it as ever. Nothing else differs from a
start at the shell. This launcher is also where `plants` are put into a process: the product knows no such switch.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

CRASHED = 70
"""How a process ends that met an exception nobody expected; what it was is the last thing it said."""

_EVERYTHING = (
    "alembic.command",
    "alembic.config",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
    "intermediary.cli.audit",
    "intermediary.cli.inspect",
    "intermediary.cli.run",
    "intermediary.daemon.child",
    "intermediary.daemon.supervisor",
    "intermediary.operations.check",
    "intermediary.operations.look",
    "intermediary.operations.prove",
    "mappings.bewohnerparken.mapping",
    "tests.chaos.oneshot",
    "tests.chaos.targets",
)
_CLONE_PARENT = 0x00008000
_SYS_CLONE = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36


class Nursery:
    """The process that daemons are forked from; to be used by one campaign, from any of its threads."""

    def __init__(self, plugins: Path) -> None:
        ours, theirs = socket.socketpair()
        path = os.pathsep.join([str(plugins), str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path},
        )
        theirs.close()
        self._line = ours.makefile("rw", encoding="utf-8")
        self._socket = ours
        self._lock = threading.Lock()

    def start(self, words: list[str], *, log: Path, plant: str = "", environment: dict[str, str] | None = None) -> int:
        """Fork a process that runs `intermediary WORDS` as the leader of its own session; its process id."""
        return int(self._ask({"words": words, "log": str(log), "plant": plant, "environment": environment or {}}))

    def status(self, pid: int) -> int | None:
        """How it ended (as `subprocess` has it: negative for a signal); None while it runs."""
        answer = self._ask({"status": pid})
        return None if answer is None else int(answer)

    def close(self) -> None:
        """End the nursery; what it started is not its business any more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._line.close()
        self._socket.close()
        self._process.wait(10)

    def _ask(self, question: dict[str, Any]) -> Any:
        with self._lock:
            self._line.write(json.dumps(question) + "\n")
            self._line.flush()
            return json.loads(self._line.readline())["answer"]


class Hatched:
    """A child of the supervisor as `subprocess.Popen` would have given it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        pause, left = threading.Event(), 600.0 if timeout is None else timeout
        while self.poll() is None:
            if left <= 0:
                raise subprocess.TimeoutExpired("child", timeout or 0.0)
            pause.wait(0.02)
            left -= 0.02
        assert self.returncode is not None
        return self.returncode

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def main() -> None:
    """The nursery itself: fork what is asked for until the campaign hangs up, and bury what killed supervisors leave."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _import_everything()
    line = socket.socket(fileno=int(sys.argv[1])).makefile("rw", encoding="utf-8")
    statuses: dict[int, int] = {}
    for asked in line:
        question = json.loads(asked)
        answer: int | None
        if "status" in question:
            _reap(statuses)
            answer = statuses.get(question["status"])
        else:
            answer = _fork(question, line, statuses)
        line.write(json.dumps({"answer": answer}) + "\n")
        line.flush()
    os._exit(0)


def _reap(statuses: dict[int, int]) -> None:
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            statuses[pid] = os.waitstatus_to_exitcode(status)
    except ChildProcessError:
        return


def _fork(question: dict[str, Any], line: Any, statuses: dict[int, int]) -> int:
    pid = os.fork()
    if pid:
        statuses.pop(pid, None)  # process ids come again: how somebody else ended is no news of this one
        return pid
    code = CRASHED
    try:
        line.detach()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # no daemon outlives its campaign
        os.setsid()
        log = os.open(question["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        os.environ.update(question["environment"])
        code = _run(question["words"], question["plant"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as failure:
        print(f"nursery: {type(failure).__name__}: {failure}", file=sys.stderr, flush=True)
    finally:
        sys.stderr.flush()
        os._exit(code)


def _run(words: list[str], plant: str) -> int:
    from intermediary.cli.main import cli
    from intermediary.daemon import supervisor

    if plant:
        from tests.chaos.plants import plant_into

        plant_into(plant)
    if words[0] == "oneshot":
        from tests.chaos import oneshot

        return oneshot.main(words[1:])
    if words[0] == "run":
        brood = _Brood()
        supervisor.subprocess = brood  # type: ignore[assignment]  # what it needs of the module
    cli(words, standalone_mode=True)
    return 0


class _Brood:
    """Stands in for the module `subprocess` in the supervisor: its `Popen` hatches a child instead of executing one."""

    DEVNULL = subprocess.DEVNULL
    TimeoutExpired = subprocess.TimeoutExpired

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            ours.close()
            _hatch(theirs)
        theirs.close()
        self._line = ours.makefile("rw", encoding="utf-8")

    def Popen(self, command: list[str], **_: object) -> Hatched:  # noqa: N802
        self._line.write(json.dumps(command) + "\n")
        self._line.flush()
        return Hatched(int(self._line.readline()))


def _hatch(theirs: socket.socket) -> None:
    """Gives the supervisor its children as long as it lives; has one thread and nothing open."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _call_oneself("hatchery")
    line = theirs.makefile("rw", encoding="utf-8")
    for asked in line:
        words = json.loads(asked)
        pid = _clone_as_sibling()
        if pid == 0:
            code = CRASHED
            try:
                theirs.close()
                line.detach()
                from intermediary.daemon import child

                _call_oneself(words[3])
                code = child.main(words[3:])
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
            except BaseException as failure:
                print(f"nursery: {type(failure).__name__}: {failure}", file=sys.stderr, flush=True)
            finally:
                sys.stderr.flush()
                os._exit(code)
        line.write(f"{pid}\n")
        line.flush()
    os._exit(0)


def _call_oneself(name: str) -> None:
    """The name in /proc/PID/comm, by which a campaign tells the children apart."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def _clone_as_sibling() -> int:
    """fork(), but the new process is a child of our own parent."""
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    pid = ctypes.PyDLL(None).syscall(_SYS_CLONE, _CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        python.PyOS_AfterFork_Child()
    else:
        python.PyOS_AfterFork_Parent()
    return pid


def _import_everything() -> None:
    for name in _EVERYTHING:
        importlib.import_module(name)
    _run_connectors_in_the_workers()


def _run_connectors_in_the_workers() -> None:
    """As if they were ours: to start lanes would cost what the forks save, and count among the calls of a thread.

    Lanes under kills are the business of `tests.soak.step_kills`.
    """
    from intermediary.route import plugins

    plugins.is_foreign = lambda _entry: False


if __name__ == "__main__":
    main()
