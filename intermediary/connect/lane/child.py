"""The inside of a lane: gives up what it does not need, loads one connector of a vendor, and answers calls of it.

Started by `process.Lane` in an isolated Python with an empty environment. Documents are read from pipes, steps are asked
for and committed over the same line as the call; nothing of the store is here. Whatever the vendor's code prints goes
into a pipe that is counted and thrown away.
"""

from __future__ import annotations

import io
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple
from datetime import datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, BinaryIO

from intermediary.connect.lane.codec import (
    read_auftrag,
    read_fault,
    write_fault,
    write_manifest,
    write_outcome,
)
from intermediary.connect.lane.fence import Bounds, Ground, die_with_parent, put_up
from intermediary.connect.lane.grounds import named_paths
from intermediary.connect.lane.wire import Line
from intermediary.connect.settings import build_settings, describe_settings, open_connector
from intermediary.core.faults import Fault
from intermediary.core.plugs import connector_flaw
from intermediary.core.values import EMPTY, Zustellauftrag

CONNECTORS = "intermediary.connectors"


class _Gone(BaseException):
    """The other end: nobody waits for an answer any more."""


class _Ask:
    """Questions to the other end during a call; safe for the vendor's threads."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._lock = threading.Lock()

    def __call__(self, question: str, **more: Any) -> Any:
        with self._lock:
            return self._asked(question, more)

    def open(self, place: int) -> int:
        """A descriptor to read a document from."""
        with self._lock:
            self._asked("open", {"place": place})
            return self._line.taken()

    def _asked(self, question: str, more: Mapping[str, Any]) -> Any:
        try:
            self._line.say({"ask": question, **more})
            answer = self._line.hear()
        except (OSError, EOFError, ValueError) as failure:
            raise _Gone from failure
        if "fault" in answer:
            raise read_fault(answer)
        if "wrong" in answer:
            raise ValueError(answer["wrong"])
        return answer["is"]


class _Steps:
    """`Steps`, kept by the other end."""

    def __init__(self, ask: _Ask) -> None:
        self._ask = ask

    def get(self, step: str) -> Mapping[str, str] | None:
        found: Mapping[str, str] | None = self._ask("get", step=step)
        return found

    def done(self, step: str, facts: Mapping[str, str] = EMPTY) -> None:
        self._ask("done", step=step, facts=dict(facts))

    def __iter__(self) -> Iterator[str]:
        return iter(self._ask("names"))


class _Stream(io.RawIOBase):
    """A document from its pipe; OSError when it ends early, so that half of one is never taken for all of it."""

    def __init__(self, descriptor: int, length: int) -> None:
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(buffer) or 0
        self._left -= count
        if (not count and self._left and len(buffer)) or self._left < 0:
            raise OSError("the document could not be read to its end")
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _Content:
    """A document of the other end."""

    def __init__(self, ask: _Ask, place: int, length: int, sha256: str) -> None:
        self._ask = ask
        self._place = place
        self.length = length
        self.sha256 = sha256

    def open(self) -> BinaryIO:
        raw = _Stream(self._ask.open(self._place), self.length)
        return io.BufferedReader(raw, 1 << 16)

    def read(self) -> bytes:
        with self.open() as stream:
            return stream.read()

    def __repr__(self) -> str:
        return f"<content of {self.length} bytes>"


class _Room:
    """The vendor's factory and connector, once they are there."""

    def __init__(self, line: Line) -> None:
        self._ask = _Ask(line)
        self._factory: Any = None
        self._connector: Any = None
        self.orders: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "fence": self.fence,
            "load": self.load,
            "settings": self.settings,
            "build": self.build,
            "deliver": self.deliver,
            "lookup": self.lookup,
            "collect": self.collect,
            "probe": self.probe,
            "examine": self.examine,
        }

    def fence(self, order: Mapping[str, Any]) -> dict[str, Any]:
        ground = Ground(**{name: tuple(paths) for name, paths in order["ground"].items()})
        return {"fences": put_up(ground, Bounds(**order["bounds"]))}

    def load(self, order: Mapping[str, Any]) -> dict[str, Any]:
        entry = EntryPoint(order["name"], order["value"], CONNECTORS)
        try:
            self._factory = entry.load()
        except Exception as failure:  # a third party's module may raise anything while it is imported
            return {"flaw": f"loading {entry.value} raised {type(failure).__name__}"}
        flaw = connector_flaw(self._factory, entry.name)
        if flaw:
            return {"flaw": f"{entry.value} {flaw}"}
        try:
            settings = [list(astuple(one)) for one in describe_settings(self._factory.settings_type)]
        except TypeError as failure:
            return {"flaw": f"{entry.value} {failure}"}
        return {"manifest": write_manifest(self._factory.manifest), "settings": settings}

    def settings(self, order: Mapping[str, Any]) -> dict[str, Any]:
        kind = self._factory.settings_type
        settings: Any = build_settings(kind, order["table"], base=Path(order["base"]), where=order["where"])
        return {"paths": [[str(path), is_secret] for path, is_secret in named_paths(settings)]}

    def build(self, order: Mapping[str, Any]) -> dict[str, Any]:
        base = Path(order["base"])
        self._connector = open_connector(self._factory, order["table"], base=base, where=order["where"])
        return {"manifest": write_manifest(self._connector.manifest)}

    def deliver(self, order: Mapping[str, Any]) -> dict[str, Any]:
        ask = self._ask
        auftrag: Zustellauftrag = read_auftrag(order["auftrag"], lambda *about: _Content(ask, *about))
        return self._told(lambda now: self._connector.deliver(auftrag, _Steps(ask), now), order)

    def lookup(self, order: Mapping[str, Any]) -> dict[str, Any]:
        return self._told(lambda now: self._connector.lookup(order["key"], _Steps(self._ask), now), order)

    def collect(self, order: Mapping[str, Any]) -> dict[str, Any]:
        return self._told(lambda now: self._connector.collect(order["key"], order["correlation"], now), order)

    def probe(self, order: Mapping[str, Any]) -> dict[str, Any]:
        return self._told(lambda _now: self._connector.probe(), order)

    def examine(self, order: Mapping[str, Any]) -> dict[str, Any]:
        look = getattr(self._connector, "examine", None)
        return self._told(lambda _now: look() if look is not None else None, order)

    @staticmethod
    def _told(call: Callable[[datetime], object], order: Mapping[str, Any]) -> dict[str, Any]:
        return write_outcome(call(datetime.fromisoformat(order["now"])))


def serve(line: Line) -> None:
    """Answer orders until the other end closes."""
    room = _Room(line)
    while True:
        order = line.hear()
        line.say({"taken": order["op"]})
        line.say({"result": _answer(room, order)})


def _answer(room: _Room, order: dict[str, Any]) -> dict[str, Any]:
    try:
        return room.orders[order.pop("op")](order)
    except Fault as fault:
        return {"kind": "fault", **write_fault(fault)}
    except _Gone:
        raise
    except BaseException as failure:  # a vendor's code may raise anything; its text may be content
        return {"kind": "raised", "name": type(failure).__name__, "is_mild": isinstance(failure, Exception)}


def start() -> None:
    """As `Lane` calls it: path of modules, descriptor of the line."""
    die_with_parent()
    sys.path[:] = json.loads(sys.argv[1])
    end = socket.socket(fileno=int(sys.argv[2]))
    try:
        serve(Line(end, takes=True))
    except (OSError, EOFError, ValueError, _Gone):
        os._exit(0)
