"""The outside of the cage: starts the child, asks it, and kills it at its limits without being hurt."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import select
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from intermediary.xml.cage.frames import Frame, pack, unpack

Kind = Literal["xslt1", "xslt3"]
Reason = Literal["missing", "compile", "run", "limit"]
MEGABYTE = 1024 * 1024
_START_SECONDS = 60.0
_PIECE = 1 << 16
# Isolated from the environment, and yet with the modules that are ours, wherever this process has them from.
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from intermediary.xml.cage import child; child.start()"
)


@dataclass(frozen=True, slots=True)
class CageLimits:
    """What one question may cost; beyond, the child is killed and the answer is `Caged("limit")`.

    `cpu_seconds` counts the child's processor time, `wall_seconds` the waiting (a loaded machine is no fault of the
    stylesheet), `memory_bytes` what the child may allocate in its life. After `questions` answers the child is
    replaced.
    """

    cpu_seconds: float = 8
    wall_seconds: float = 60
    memory_bytes: int = 1024 * MEGABYTE
    output_bytes: int = 16 * MEGABYTE
    questions: int = 2000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A stylesheet: for libxslt (`xslt1`) or for Saxon (`xslt3`, which also runs 2.0)."""

    kind: Kind
    text: bytes = field(repr=False)
    sha256: str

    @classmethod
    def of(cls, kind: Kind, text: bytes) -> Self:
        return cls(kind, text, hashlib.sha256(text).hexdigest())


class Caged(Exception):
    """No result, and why: the processor is not installed, the stylesheet is wrong, it broke off, or it was stopped.

    `position` tells which stylesheet of the question, `line` where in it (0: the processor does not say); `text` explains a
    stylesheet that does not compile and is empty otherwise.
    """

    def __init__(self, reason: Reason, position: int = 0, text: str = "", line: int = 0) -> None:
        super().__init__(f"{reason} {position}")
        self.reason = reason
        self.position = position
        self.text = text
        self.line = line


class Cage:
    """One child for this process, started when it is needed first; any number of threads, one question at a time.

    Stylesheets are compiled once per child. The child of a parent that forked is left alone: every process has its own.
    """

    def __init__(self, limits: CageLimits | None = None) -> None:
        self._limits = limits or CageLimits()
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def compile(self, sheets: Sequence[Sheet]) -> None:
        """Raises `Caged` for the first stylesheet that does not compile."""
        self._ask(b"", sheets)

    def run(self, document: bytes, sheets: Sequence[Sheet]) -> tuple[bytes, ...]:
        """What each stylesheet makes of the document; all of them, or `Caged`.

        `document` is UTF-8 without a document type declaration, as serialised from a tree of the hardened parser.
        """
        return self._ask(document, sheets) if sheets else ()

    def close(self) -> None:
        """Ends the child; the next question starts another one."""
        with self._lock:
            self._drop()

    def _ask(self, document: bytes, sheets: Sequence[Sheet]) -> tuple[bytes, ...]:
        if any(sheet.kind == "xslt3" for sheet in sheets) and not has_saxon():
            raise Caged("missing", next(place for place, sheet in enumerate(sheets) if sheet.kind == "xslt3"))
        with self._lock:
            child = self._ready()
            try:
                answer = child.ask(document, sheets, self._limits)
            except (OSError, ValueError, EOFError, KeyError) as error:
                self._drop()
                raise Caged("limit") from error
            except BaseException:  # an answer that nobody waited for would be taken for the next one
                self._drop()
                raise
            if child.asked >= self._limits.questions:
                self._drop()
        return _results(answer, len(sheets))

    def _ready(self) -> _Child:
        child = self._child
        if child is None or not child.is_usable():
            self._drop()
            try:
                child = self._child = _Child(self._limits)
            except (OSError, ValueError, EOFError) as error:
                raise Caged("limit") from error
        return child

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()


@cache
def has_saxon() -> bool:
    """Whether XSLT 2 and 3 can run here: saxonche is installed (extra `saxon`)."""
    return importlib.util.find_spec("saxonche") is not None


def _results(answer: Frame, count: int) -> tuple[bytes, ...]:
    heads: list[dict[str, Any]] = answer.head["answers"]
    for position, head in enumerate(heads):
        if "fault" in head:
            raise Caged(head["fault"], position, head.get("text", ""), head.get("line", 0))
    if len(heads) != count or len(answer.parts) != count:
        raise Caged("run", len(heads))
    return answer.parts


class _Child:
    def __init__(self, limits: CageLimits) -> None:
        self.asked = 0
        self._owner = os.getpid()
        self._known: set[str] = set()
        command = [
            sys.executable,
            "-I",
            "-X",
            "utf8",
            "-c",
            _START,
            json.dumps([str(Path(one).absolute()) for one in sys.path]),
        ]
        self._process = subprocess.Popen(
            [*command, str(limits.memory_bytes), "saxon" if has_saxon() else "plain"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
        )
        self._end = weakref.finalize(self, _end, self._process, self._owner)
        for pipe in (self._process.stdin, self._process.stdout):
            os.set_blocking(pipe.fileno(), False)  # type: ignore[union-attr]
        try:
            self._hear(time.monotonic() + _START_SECONDS, _PIECE)
        except BaseException:
            self.end()
            raise

    def is_usable(self) -> bool:
        return self._owner == os.getpid() and self._process.poll() is None

    def ask(self, document: bytes, sheets: Sequence[Sheet], limits: CageLimits) -> Frame:
        self.asked += 1
        end = time.monotonic() + limits.wall_seconds
        fresh = {sheet.sha256: sheet.text for sheet in sheets if sheet.sha256 not in self._known}
        head = {"sheets": [(sheet.kind, sheet.sha256) for sheet in sheets], "cpu_seconds": limits.cpu_seconds}
        self._tell(pack(head, (document, *fresh.values())), end)
        answer = self._hear(end, limits.output_bytes)
        if not any("fault" in one for one in answer.head["answers"]):
            self._known.update(fresh)
        return answer

    def end(self) -> None:
        self._end()

    def _tell(self, data: bytes, end: float) -> None:
        handle = self._process.stdin.fileno()  # type: ignore[union-attr]
        left = memoryview(data)
        while left:
            _wait(handle, select.POLLOUT, end)
            left = left[os.write(handle, left[:_PIECE]) :]

    def _hear(self, end: float, most: int) -> Frame:
        return unpack(self._reader(end), most=most)

    def _reader(self, end: float) -> Callable[[int], bytes]:
        handle = self._process.stdout.fileno()  # type: ignore[union-attr]

        def read(count: int) -> bytes:
            pieces = []
            while count:
                _wait(handle, select.POLLIN, end)
                piece = os.read(handle, min(count, _PIECE))
                if not piece:
                    raise EOFError
                pieces.append(piece)
                count -= len(piece)
            return b"".join(pieces)

        return read


def _wait(handle: int, event: int, end: float) -> None:
    poll = select.poll()
    poll.register(handle, event)
    if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
        raise TimeoutError


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """Kill and bury; a process that was forked off has the pipes of its parent's child, but not the child."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    if owner == os.getpid():
        process.kill()
        process.wait()
    else:
        process.returncode = 0  # otherwise it would be waited for as if it were ours
