"""The conformance suite for connectors: what the contract in `core/ports.py` demands of each of them.

A connector's test names a `FakeTarget`, a Fachverfahren that can be looked into, and runs every check in `CHECKS` with
a function that makes a fresh one. A check raises `Nonconforming` with one sentence that says what did not hold.
"""

from __future__ import annotations

import hashlib
import inspect
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Protocol

from intermediary.core.faults import Fault, Transient
from intermediary.core.ports import Awaiting, Connector, Delivered, Idempotency, NotDelivered
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Dokument, MemoryContent, Zustellauftrag
from intermediary.testing.crashes import kill_at, stopped_at

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class Nonconforming(AssertionError):
    """A connector does not keep the contract."""


@dataclass(frozen=True, slots=True, order=True)
class Arrival:
    """One effect at the target: what arrived, and its bytes' hash."""

    name: str
    sha256: str


class FakeTarget(Protocol):
    """A target made for one check.

    `connect` gives a new connector instance, as after a restart. `consume` does what the Fachverfahren does with what
    has arrived, as fast as it can (nothing, where it only keeps). `arrived` lists every effect since the beginning,
    consumed or not; `expects` what one delivery of this Zustellauftrag must amount to. `snapshot` compares equal as
    long as nothing at the target or in the connector's own state has changed.
    """

    def connect(self) -> Connector: ...

    def consume(self) -> None: ...

    def arrived(self) -> list[Arrival]: ...

    def expects(self, auftrag: Zustellauftrag) -> list[Arrival]: ...

    def snapshot(self) -> object: ...


Maker = Callable[[str], FakeTarget]
Check = Callable[[Maker], None]


def make_auftrag(number: int = 1, data: bytes = b"<antrag/>") -> Zustellauftrag:
    """A synthetic Zustellauftrag; the same number has the same key and file name."""
    nachricht_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:test:nachricht:{number}"))
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:test:zustellung:{number}"))
    file_name = f"{nachricht_id}_Abgabe.Abgabe.0401.zip"  # as xdomea names a package
    return Zustellauftrag(
        nachricht_id=nachricht_id,
        target="eakte",
        key=key,
        attempt=1,
        mandant="musterstadt",
        package=Dokument(file_name=file_name, media_type="application/zip", content=MemoryContent(data)),
    )


def deliver(connector: Connector, auftrag: Zustellauftrag) -> Delivered | Awaiting:
    """One attempt that no earlier one has left any steps to: what a target cannot rely on."""
    return connector.deliver(auftrag, Checkpoints(connector.manifest.steps), NOW)


def look_up(connector: Connector, key: str) -> Delivered | Awaiting | NotDelivered:
    """One look, as `deliver`."""
    return connector.lookup(key, Checkpoints(connector.manifest.steps), NOW)


def recover(connector: Connector, auftrag: Zustellauftrag) -> Delivered | Awaiting | None:
    """What the worker does after an ambiguous attempt (DESIGN §2.5); None where only a person could go on."""
    idempotency = connector.manifest.idempotency
    if idempotency is Idempotency.NONE:
        return None
    if idempotency is Idempotency.LOOKUP:
        found = look_up(connector, auftrag.key)
        if not isinstance(found, NotDelivered):
            return found
    return deliver(connector, replace(auftrag, attempt=auftrag.attempt + 1))


def delivers_once(make: Maker) -> None:
    """One delivery is one effect with exactly the bytes of the package."""
    target, auftrag = make("once"), make_auftrag()
    verdict = deliver(target.connect(), auftrag)
    _demand(isinstance(verdict, Delivered | Awaiting), "deliver answers Delivered or Awaiting")
    _demand_effects(target, [auftrag], "one delivery is one effect")


def delivers_large_packages(make: Maker) -> None:
    """A package larger than any buffer arrives whole."""
    data = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(100_000))
    target, auftrag = make("large"), make_auftrag(data=data)
    deliver(target.connect(), auftrag)
    _demand_effects(target, [auftrag], "a large package arrives whole")


def keeps_keys_apart(make: Maker) -> None:
    """Different keys are different deliveries, even with the same bytes."""
    target, auftraege = make("keys"), [make_auftrag(1), make_auftrag(2)]
    for auftrag in auftraege:
        deliver(target.connect(), auftrag)
    _demand_effects(target, auftraege, "every key has its own effect")


def repeats_without_effect(make: Maker) -> None:
    """The same key again has no second effect, before and after the target has consumed the first."""
    target, auftrag = make("repeat"), make_auftrag()
    if target.connect().manifest.idempotency is Idempotency.NONE:
        return
    verdicts = [deliver(target.connect(), auftrag)]
    verdicts.append(deliver(target.connect(), replace(auftrag, attempt=2)))
    target.consume()
    verdicts.append(deliver(target.connect(), replace(auftrag, attempt=3)))
    target.consume()
    _demand_effects(target, [auftrag], "a repetition has no second effect")
    _demand(all(verdict == verdicts[0] for verdict in verdicts), "a repetition gives the same answer")


def looks_up_honestly(make: Maker) -> None:
    """`lookup` says NotDelivered before a delivery and what deliver said after it, consumed or not."""
    target, auftrag = make("lookup"), make_auftrag()
    if target.connect().manifest.idempotency is not Idempotency.LOOKUP:
        return
    _demand(
        isinstance(look_up(target.connect(), auftrag.key), NotDelivered), "lookup of a key never sent: NotDelivered"
    )
    verdict = deliver(target.connect(), auftrag)
    _demand(look_up(target.connect(), auftrag.key) == verdict, "lookup after a delivery says what deliver said")
    target.consume()
    _demand(look_up(target.connect(), auftrag.key) == verdict, "lookup remembers after the target has consumed")
    other = make_auftrag(2)
    _demand(isinstance(look_up(target.connect(), other.key), NotDelivered), "lookup tells keys apart")
    _demand_effects(target, [auftrag], "lookup has no effect")


def probes_without_effect(make: Maker) -> None:
    """`probe` changes nothing, neither at a fresh target nor after a delivery."""
    target = make("probe")
    for _ in range(2):
        before = target.snapshot()
        target.connect().probe()
        _demand(target.snapshot() == before, "probe has no effect")
        deliver(target.connect(), make_auftrag())


def survives_kills_with_a_fast_target(make: Maker) -> None:
    """Killed before any line, and again while recovering: one effect, though the target consumes at once."""
    _kill_everywhere(make, "fast", is_fast=True)


def survives_kills_with_a_slow_target(make: Maker) -> None:
    """Killed before any line, and again while recovering: one effect at a target that consumes only later."""
    _kill_everywhere(make, "slow", is_fast=False)


def tolerates_a_stopped_rival(make: Maker) -> None:
    """A worker stopped before any line and overtaken by its successor makes no second effect when it goes on."""
    auftrag = make_auftrag()
    for step in count(1):
        target = make(f"rival-{step}")
        with stopped_at(step, _delivery(target, auftrag), code=code_of(target.connect())) as there:
            with suppress(Transient):  # "not now" is an answer
                recover(target.connect(), auftrag)
            target.consume()
        target.consume()
        recover(target.connect(), auftrag)
        _demand_effects(target, [auftrag], f"a rival stopped at step {step} makes no second effect")
        if not there:
            return


def answers_kills_with_faults_only(make: Maker) -> None:
    """Whatever a killed attempt left behind, the next one ends in a verdict or a Fault, never in another exception."""
    auftrag = make_auftrag()
    for step in count(1):
        target = make(f"fault-{step}")
        struck = kill_at(step, _delivery(target, auftrag), code=code_of(target.connect()), meanwhile=lambda: None)
        try:
            deliver(target.connect(), replace(auftrag, attempt=2))
        except Fault:
            continue
        except Exception as failure:
            raise Nonconforming(f"after a kill at step {step}: {type(failure).__name__}") from failure
        if not struck:
            return


CHECKS: tuple[Check, ...] = (
    delivers_once,
    delivers_large_packages,
    keeps_keys_apart,
    repeats_without_effect,
    looks_up_honestly,
    probes_without_effect,
    survives_kills_with_a_fast_target,
    survives_kills_with_a_slow_target,
    tolerates_a_stopped_rival,
    answers_kills_with_faults_only,
)


def code_of(connector: Connector) -> Path:
    """The folder of a connector's own code: the lines before which it can be killed."""
    return Path(inspect.getfile(type(connector))).parent


def _kill_everywhere(make: Maker, name: str, *, is_fast: bool) -> None:
    auftrag = make_auftrag()
    for step in count(1):
        target = make(f"{name}-{step}")
        code = code_of(target.connect())
        meanwhile = target.consume if is_fast else _nothing
        struck = kill_at(step, _delivery(target, auftrag), code=code, meanwhile=meanwhile)
        kill_at(step, _recovery(target, auftrag), code=code, meanwhile=meanwhile)
        verdict = recover(target.connect(), auftrag)
        target.consume()
        if verdict is None:
            _demand(len(target.arrived()) <= len(target.expects(auftrag)), f"killed at step {step}: at most one effect")
        else:
            _demand_effects(target, [auftrag], f"killed at step {step}: exactly one effect after recovery")
        if not struck:
            return


def _delivery(target: FakeTarget, auftrag: Zustellauftrag) -> Callable[[], object]:
    return lambda: deliver(target.connect(), auftrag)


def _recovery(target: FakeTarget, auftrag: Zustellauftrag) -> Callable[[], object]:
    return lambda: recover(target.connect(), auftrag)


def _nothing() -> None:
    """A world in which nothing happens meanwhile."""


def _demand_effects(target: FakeTarget, auftraege: list[Zustellauftrag], sentence: str) -> None:
    expected = sorted(arrival for auftrag in auftraege for arrival in target.expects(auftrag))
    arrived = sorted(target.arrived())
    _demand(arrived == expected, f"{sentence}; expected {len(expected)} arrivals, found {len(arrived)}")


def _demand(holds: bool, sentence: str) -> None:
    if not holds:
        raise Nonconforming(sentence)
