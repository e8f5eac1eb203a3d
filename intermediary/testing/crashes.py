"""Kills or stops a piece of work at its n-th step: every line, or every byte-code instruction, of a package's own code.

The work runs in a forked child, so what it left behind is real: files, locks and half-written state of a dead process.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Literal

Granularity = Literal["line", "opcode"]

_MOST_SECONDS = 60
_FAILED = 70


def kill_at(
    step: int,
    action: Callable[[], object],
    *,
    code: Path,
    meanwhile: Callable[[], None],
    granularity: Granularity = "line",
) -> bool:
    """Run `action` in a child that dies by SIGKILL before its `step`-th line in the folder `code` (counted from 1).

    `meanwhile` runs before every line: what the outside world does in between. False when the action ended earlier.
    """
    child = _fork(_tracer(step, code, meanwhile, signal.SIGKILL, granularity), action)
    _, status = os.waitpid(child, 0)
    return _was(status, signal.SIGKILL)


@contextmanager
def stopped_at(step: int, action: Callable[[], object], *, code: Path) -> Iterator[bool]:
    """Like `kill_at`, but the child is only stopped while the body runs, and goes on to its end afterwards."""
    child = _fork(_tracer(step, code, lambda: None, signal.SIGSTOP, "line"), action)
    _, status = os.waitpid(child, os.WUNTRACED)
    is_stopped = os.WIFSTOPPED(status)
    try:
        yield is_stopped
    finally:
        if is_stopped:
            os.kill(child, signal.SIGCONT)
            _, status = os.waitpid(child, 0)
    _was(status, signal.SIGKILL)


def _was(status: int, number: signal.Signals) -> bool:
    """Whether the child died by this signal; any end but that and its own is a failure of the test."""
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == number:
        return True
    if os.waitstatus_to_exitcode(status) not in (0, _FAILED):
        raise RuntimeError(f"the child ended with {os.waitstatus_to_exitcode(status)}")
    return False


def _fork(tracer: Any, action: Callable[[], object]) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of a test runner stay behind in the parent
        child = os.fork()
    if child:
        return child
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_MOST_SECONDS)
    sys.settrace(tracer)
    try:
        action()
    except BaseException:
        os._exit(_FAILED)
    os._exit(0)


def _tracer(
    step: int, code: Path, meanwhile: Callable[[], None], number: signal.Signals, granularity: Granularity
) -> Any:
    folder = f"{code}{os.sep}"
    count = 0

    def on_step(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if event == granularity:
            count += 1
            meanwhile()
            if count == step:
                os.kill(os.getpid(), number)
        return on_step

    def on_call(frame: FrameType, _event: str, _argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(folder):
            return None
        frame.f_trace_opcodes = granularity == "opcode"
        return on_step

    return on_call
