"""The outside of a lane: starts its process, calls it, and ends it at its limits without being hurt.

What the process did not say to have taken was never called (`NotCalled`); whatever goes wrong after that is `Died`, and
nobody knows what has happened at the target.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import structlog

from intermediary.connect.lane.codec import read_fault, write_fault
from intermediary.connect.lane.fence import Bounds, Ground
from intermediary.connect.lane.pump import Pumps
from intermediary.connect.lane.wire import Line
from intermediary.core.faults import Fault
from intermediary.core.steps import Checkpoints, Steps
from intermediary.core.values import Content

log = structlog.get_logger(__name__)

_START_SECONDS = 60.0
_PIECE = 1 << 16
_LOOK = 1.0
_MOST_PRINTED = 1 << 30
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from intermediary.connect.lane import child; child.start()"
)
_TICKS = os.sysconf("SC_CLK_TCK")
_NO_STEPS = Checkpoints()


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """What a lane may cost. `deliver_seconds` bounds one delivery, `ask_seconds` a look, a verdict, a probe and the start.

    `cpu_seconds` is processor time of one process; one that has used half of it is replaced between two calls.
    """

    deliver_seconds: float = 900
    ask_seconds: float = 60
    memory_bytes: int = 512 * 1024 * 1024
    open_files: int = 256
    cpu_seconds: int = 3600


class NotCalled(Exception):
    """There is no process, or it took no order: certainly nothing has happened."""


class Died(Exception):
    """The process ended, broke the protocol (`died`) or did not answer in time (`overdue`) after it had taken an order."""

    def __init__(self, how: Literal["died", "overdue"]) -> None:
        super().__init__(how)
        self.how = how


class Lane:
    """One process with one connector in it; one call at a time. It ends with this object, or with the thread that made it.

    `name` stands in the log. Raises `NotCalled` where the process does not start.
    """

    def __init__(self, name: str, ground: Ground, limits: LaneLimits) -> None:
        self._name = name
        self._limits = limits
        self._printed = 0
        self._end_at = 0.0
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        output, spout = os.pipe()
        try:
            self._process = _spawn(theirs, spout)
        except OSError as failure:
            ours.close()
            os.close(output)
            raise NotCalled from failure
        finally:
            theirs.close()
            os.close(spout)
        os.set_blocking(output, False)
        ours.setblocking(False)
        self._socket, self._output = ours, output
        self._line = Line(ours, self._wait)
        self._finish = weakref.finalize(self, _bury, self._process, ours, output)
        bounds = Bounds(limits.memory_bytes, limits.open_files, limits.cpu_seconds)
        self.fences = self._order("fence", ground=asdict(ground), bounds=asdict(bounds))["fences"]

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_usable(self) -> bool:
        """Whether it lives, and has processor time left for another call."""
        return self._finish.alive and self._process.poll() is None and self._cpu() < self._limits.cpu_seconds / 2

    def end(self) -> None:
        """Kill the process and whatever it has made; does nothing the second time."""
        self._finish()

    def ask(self, op: str, **order: Any) -> dict[str, Any]:
        """An order without effect (load, settings, build); `NotCalled` whatever goes wrong, a Fault where one was raised."""
        return self._order(op, **order)

    def call(
        self,
        op: str,
        order: Mapping[str, Any],
        *,
        seconds: float,
        steps: Steps = _NO_STEPS,
        contents: Sequence[Content] = (),
    ) -> dict[str, Any]:
        """One call of the connector; its raw result. `NotCalled` or `Died` as said above, the lane is ended with either.

        What `steps` raises that is no Fault and no ValueError (a lease that was lost) ends the lane at once, and is raised.
        """
        self._end_at = time.monotonic() + seconds
        try:
            self._give({"op": op, **order})
        except (OSError, EOFError, ValueError) as failure:
            self.end()
            raise NotCalled from failure
        pumps = Pumps()
        try:
            return self._talk(steps, contents, pumps)
        except TimeoutError as failure:
            self._mourn("overdue")
            raise Died("overdue") from failure
        except (OSError, EOFError, ValueError, LookupError, TypeError) as failure:
            self._mourn("died")
            raise Died("died") from failure
        except BaseException:
            self.end()
            raise
        finally:
            pumps.end()
            self._tell_printed()

    def _order(self, op: str, **order: Any) -> dict[str, Any]:
        self._end_at = time.monotonic() + _START_SECONDS
        try:
            self._give({"op": op, **order})
            result = self._talk(_NO_STEPS, (), Pumps())
            fault = read_fault(result) if result.get("kind") == "fault" else None
        except Exception as failure:
            self._mourn("start")
            raise NotCalled from failure
        if fault is not None:
            raise fault
        if result.get("kind") == "raised":
            self.end()
            raise NotCalled
        return result

    def _give(self, order: Mapping[str, Any]) -> None:
        """Until it is taken: the other end says so before it begins with anything."""
        self._line.say(dict(order))
        if "taken" not in self._line.hear():
            raise ValueError("not taken")

    def _talk(self, steps: Steps, contents: Sequence[Content], pumps: Pumps) -> dict[str, Any]:
        """Answer questions until there is a result."""
        while True:
            said = self._line.hear()
            if "result" in said:
                result = said["result"]
                if not isinstance(result, dict):
                    raise ValueError("no result")
                return result
            if said["ask"] == "open":
                self._open(contents[_place(said["place"], contents)], pumps)
            else:
                self._line.say(_about_steps(steps, said))

    def _open(self, content: Content, pumps: Pumps) -> None:
        try:
            source = pumps.open(content)
        except ValueError as failure:
            self._line.say({"wrong": str(failure)})
            return
        try:
            self._line.say({"is": None}, [source])
        finally:
            os.close(source)

    def _wait(self, event: int) -> None:
        """Until the line is ready; meanwhile what the process prints is counted, and nobody reads it."""
        poll = select.poll()
        poll.register(self._socket, event)
        poll.register(self._output, select.POLLIN)
        while True:
            left = self._end_at - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for descriptor, seen in poll.poll(min(left, _LOOK) * 1000):
                if descriptor == self._socket.fileno():
                    return
                if not self._drain() or seen & select.POLLHUP:
                    poll.unregister(self._output)

    def _drain(self) -> bool:
        try:
            piece = os.read(self._output, _PIECE)
        except BlockingIOError:
            return True
        self._printed += len(piece)
        return bool(piece)

    def _cpu(self) -> float:
        """Processor seconds the process has used."""
        with suppress(OSError, ValueError, IndexError):
            fields = (
                Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            )
            return (int(fields[11]) + int(fields[12])) / _TICKS
        return 0.0

    def _mourn(self, how: str) -> None:
        self.end()
        log.error("lane.ended", lane=self._name, how=how, exit=self._process.returncode)

    def _tell_printed(self) -> None:
        """How much was printed is news, what was printed may be content."""
        seen = -1
        while (
            self._finish.alive and seen < self._printed < _MOST_PRINTED
        ):  # its descriptor is somebody else's once it has ended
            seen = self._printed
            self._drain()
        if self._printed:
            log.warning("lane.printed", lane=self._name, count=self._printed)
            self._printed = 0


def _place(place: object, contents: Sequence[Content]) -> int:
    if type(place) is not int or not 0 <= place < len(contents):
        raise ValueError("no such document")
    return place


def _about_steps(steps: Steps, said: Mapping[str, Any]) -> dict[str, Any]:
    try:
        match said["ask"]:
            case "get":
                found = steps.get(said["step"])
                return {"is": None if found is None else dict(found)}
            case "done":
                steps.done(said["step"], said["facts"])
                return {"is": None}
            case "names":
                return {"is": list(steps)}
            case _:
                raise LookupError("no question")
    except Fault as fault:
        return write_fault(fault)
    except (ValueError, TypeError, AttributeError) as wrong:
        return {"wrong": str(wrong)}


def _spawn(theirs: socket.socket, spout: int) -> subprocess.Popen[bytes]:
    path = json.dumps([str(Path(one).absolute()) for one in sys.path])
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-u", "-X", "utf8", "-c", _START, path, str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=spout,
        stderr=spout,
        env={},
        cwd="/",
        pass_fds=(theirs.fileno(),),
        start_new_session=True,
    )


def _bury(process: subprocess.Popen[bytes], line: socket.socket, output: int) -> None:
    line.close()
    os.close(output)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # where the kernel let it make others
    process.kill()
    process.wait()
