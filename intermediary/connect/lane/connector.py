"""Connectors of vendors as the worker sees them: the same port, every call in a lane, at most so many lanes at a time."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, cast
from weakref import WeakValueDictionary

import structlog

from intermediary.connect.lane.codec import contents_of, read_manifest, read_outcome, write_auftrag
from intermediary.connect.lane.grounds import ground_of
from intermediary.connect.lane.process import Died, Lane, LaneLimits, NotCalled
from intermediary.connect.settings import Isolated, Setting
from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.core.ports import Awaiting, Connector, Delivered, Manifest, NotDelivered, Refused
from intermediary.core.steps import Checkpoints, Steps
from intermediary.core.values import Befund, Zustellauftrag

log = structlog.get_logger(__name__)

_FIRST_REST, _LONGEST_REST = 1.0, 900.0
_DOWN = "target.lane.down"
_UNKNOWN = Checkpoints()


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the lanes of one target are made."""

    name: str
    entry: EntryPoint
    table: Mapping[str, object]
    base: Path
    where: str
    limits: LaneLimits

    def ask(self, lane: Lane, op: str) -> dict[str, Any]:
        return lane.ask(op, table=_plain(self.table), base=str(self.base), where=self.where)


class _Rest:
    """How long nobody starts a process anew: not at all after the first death, then twice as long each time, until one of
    them has answered a call.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._deaths = 0
        self._until = 0.0

    def demand_over(self, name: str) -> None:
        if time.monotonic() < self._until:
            raise Transient(_DOWN, where=name)

    def begin(self) -> None:
        self._deaths += 1
        if self._deaths > 1:
            self._until = time.monotonic() + min(_LONGEST_REST, _FIRST_REST * 2 ** min(self._deaths - 2, 10))

    def forget(self) -> None:
        self._deaths = 0


class LaneFactory(Isolated):
    """A vendor's factory, of which only what it says of itself is here; its code is loaded in lanes alone."""

    def __init__(self, entry: EntryPoint, limits: LaneLimits) -> None:
        self._entry = entry
        self._limits = limits
        self._rests: dict[str, _Rest] = {}
        self._opened: WeakValueDictionary[str, LaneConnector] = WeakValueDictionary()
        try:
            with _lane(entry.name, limits) as lane:
                about = _loaded(lane, entry)
        except NotCalled as failure:
            raise _invalid(entry, "cannot be given a process of its own") from failure
        try:
            self.manifest: Manifest = read_manifest(about["manifest"])
            self._settings = tuple(Setting(*one) for one in about["settings"])
        except (ValueError, LookupError, TypeError) as failure:
            raise _invalid(entry, "says nothing usable of itself") from failure

    def describe(self) -> tuple[Setting, ...]:
        return self._settings

    def open(self, table: Mapping[str, object], *, base: Path, where: str) -> Connector:
        """The same connector for all threads that open the same target, as long as one of them has it."""
        plan = _Plan(f"{self._entry.name} {where}", self._entry, table, base, where, self._limits)
        key = json.dumps([where, str(base), _plain(table)], sort_keys=True, default=str)
        rest = self._rests.setdefault(where, _Rest())
        with rest.lock:
            known = self._opened.get(key)
            if known is None:
                known = self._opened[key] = self._open(plan, rest)
            return cast(Connector, known)

    def _open(self, plan: _Plan, rest: _Rest) -> LaneConnector:
        rest.demand_over(self._entry.name)
        try:
            return LaneConnector(self.manifest, plan, self._named(plan), rest)
        except NotCalled as failure:
            rest.begin()
            raise Transient(_DOWN, where=self._entry.name) from failure

    def paths(self, table: Mapping[str, object], *, base: Path, where: str) -> list[tuple[Path, bool]]:
        try:
            return self._named(_Plan(self._entry.name, self._entry, table, base, where, self._limits))
        except NotCalled as failure:
            raise Transient(_DOWN, where=self._entry.name) from failure

    def _named(self, plan: _Plan) -> list[tuple[Path, bool]]:
        with _lane(plan.name, self._limits) as lane:
            _loaded(lane, self._entry)
            said = plan.ask(lane, "settings")
            try:
                return [(Path(path), bool(is_secret)) for path, is_secret in said["paths"]]
            except (ValueError, LookupError, TypeError) as failure:
                raise NotCalled from failure


class LaneConnector:
    """The connector of one target; usable from any thread. Lanes are made when they are needed, and ended with it.

    A lane that dies is made anew after a growing rest; until then nothing is called, and `Transient("target.lane.down")`
    says so.
    """

    def __init__(self, manifest: Manifest, plan: _Plan, paths: list[tuple[Path, bool]], rest: _Rest) -> None:
        self.manifest = manifest
        self._plan = plan
        self._paths = paths
        self._free = threading.Condition()
        self._idle: list[Lane] = []
        self._out = 0
        self._rest = rest
        with self._borrowed(plan.limits.ask_seconds):
            """Built once at the beginning, so that what is wrong with it is said before anything is sent."""

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        order = {"auftrag": write_auftrag(auftrag), "now": now.isoformat()}
        seconds = self._plan.limits.deliver_seconds
        try:
            result = self._called("deliver", order, seconds, steps=steps, contents=contents_of(auftrag))
            outcome: Delivered | Awaiting = self._outcome(result, Delivered | Awaiting)
        except Died as failure:
            raise Unclear(f"delivery.lane.{failure.how}", where=self._plan.entry.name) from failure
        return outcome

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered:
        order = {"key": key, "now": now.isoformat()}
        kinds = Delivered | Awaiting | NotDelivered
        found: Delivered | Awaiting | NotDelivered = self._asked("lookup", order, kinds, steps)
        return found

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        order = {"key": key, "correlation": dict(correlation), "now": now.isoformat()}
        verdict: Delivered | Refused | None = self._asked("collect", order, Delivered | Refused | None)
        return verdict

    def probe(self) -> None:
        self._asked("probe", {"now": datetime(1970, 1, 1, tzinfo=UTC).isoformat()}, type(None))

    def examine(self) -> None:
        """What `lint` asks; nothing where the connector has no such method."""
        self._asked("examine", {"now": datetime(1970, 1, 1, tzinfo=UTC).isoformat()}, type(None))

    def fences(self) -> Mapping[str, bool]:
        """Which of the kernel's fences its lanes stand behind: all that are known."""
        with self._free:
            return {name: all(one.fences.get(name) for one in self._idle) for name in ("files", "processes")}

    def lanes(self) -> tuple[Lane, ...]:
        """Those that wait for a call."""
        with self._free:
            return tuple(self._idle)

    def _asked(self, op: str, order: dict[str, Any], kinds: Any, steps: Steps = _UNKNOWN) -> Any:
        """A call that only looks: when its lane dies, nothing has happened, and it is asked again later."""
        try:
            return self._outcome(self._called(op, order, self._plan.limits.ask_seconds, steps=steps), kinds)
        except Died as failure:
            raise Transient(_DOWN, where=self._plan.entry.name) from failure

    def _outcome(self, result: dict[str, Any], kinds: Any) -> Any:
        """What the connector said; `Died` for what no connector can have said."""
        if result.get("kind") == "raised":
            name = str(result.get("name"))[:64]
            log.error("lane.raised", lane=self._plan.name, failure=name if name.isidentifier() else "")
            raise Unclear("delivery.unclear", where=self._plan.entry.name)
        try:
            outcome = read_outcome(result)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as failure:
            raise Died("died") from failure
        if isinstance(outcome, Fault):
            raise outcome
        if not isinstance(outcome, kinds):
            raise Died("died")
        return outcome

    def _called(self, op: str, order: dict[str, Any], seconds: float, **more: Any) -> dict[str, Any]:
        """One call; a lane that had ended while it was idle is replaced once, for it took nothing."""
        for is_last in (False, True):
            with self._borrowed(seconds) as lane:
                try:
                    result = lane.call(op, order, seconds=seconds, **more)
                except NotCalled as failure:
                    if is_last:
                        raise Transient(_DOWN, where=self._plan.entry.name) from failure
                    continue
                except Died:
                    self._rest.begin()
                    raise
                if result.get("kind") == "raised" and not result.get("is_mild"):
                    lane.end()
                self._rest.forget()
                return result
        raise AssertionError("not reached")

    @contextmanager
    def _borrowed(self, seconds: float) -> Iterator[Lane]:
        lane = self._take(seconds)
        try:
            yield lane
        finally:
            with self._free:
                self._out -= 1
                if lane.is_usable():
                    self._idle.append(lane)
                self._free.notify()
            if not lane.is_usable():
                lane.end()

    def _take(self, seconds: float) -> Lane:
        with self._free:
            if not self._free.wait_for(lambda: self._out < self.manifest.concurrency, seconds):
                raise Transient("target.busy", where=self._plan.entry.name)
            self._out += 1
            dead = [one for one in self._idle if not one.is_usable()]
            self._idle = [one for one in self._idle if one not in dead]
            lane = self._idle.pop() if self._idle else None
        for one in dead:
            one.end()
        try:
            return lane or self._made()
        except BaseException:
            with self._free:
                self._out -= 1
                self._free.notify()
            raise

    def _made(self) -> Lane:
        self._rest.demand_over(self._plan.entry.name)
        try:
            lane = Lane(self._plan.name, ground_of(self._paths), self._plan.limits)
            _loaded(lane, self._plan.entry)
            self.manifest = _manifest(self._plan.ask(lane, "build"))
        except NotCalled as failure:
            self._rest.begin()
            raise Transient(_DOWN, where=self._plan.entry.name) from failure
        level = logging.INFO if all(lane.fences.values()) else logging.WARNING
        log.log(level, "lane.started", lane=self._plan.name, pid=lane.pid, fences=lane.fences)
        return lane


def isolator(limits: LaneLimits) -> Callable[[EntryPoint], LaneFactory]:
    """What loads a vendor's connector: `Misconfigured("plugin.invalid")` with a hint when it cannot be used."""
    return lambda entry: LaneFactory(entry, limits)


@contextmanager
def _lane(name: str, limits: LaneLimits) -> Iterator[Lane]:
    """A lane for questions only, without any ground but the modules."""
    lane = Lane(name, ground_of(()), limits)
    try:
        yield lane
    finally:
        lane.end()


def _loaded(lane: Lane, entry: EntryPoint) -> dict[str, Any]:
    try:
        about = lane.ask("load", name=entry.name, value=entry.value)
    except NotCalled as failure:
        raise _invalid(entry, "ends the process while it is loaded") from failure
    if "flaw" in about:
        raise _invalid(entry, str(about["flaw"])[:400], is_whole=True)
    return about


def _manifest(about: Mapping[str, Any]) -> Manifest:
    try:
        return read_manifest(about["manifest"])
    except (ValueError, LookupError, TypeError, AttributeError) as failure:
        raise NotCalled from failure


def _invalid(entry: EntryPoint, flaw: str, *, is_whole: bool = False) -> Misconfigured:
    hint = flaw if is_whole else f"{entry.value} {flaw}"
    finding = Befund(code="plugin.invalid", path=entry.name, hint=hint)
    return Misconfigured("plugin.invalid", where=f"plug-in {entry.name}", findings=(finding,))


def _plain(value: object) -> Any:
    """A TOML table as JSON has it."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value
