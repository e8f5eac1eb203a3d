"""Steps over attempts: what is done is not done again, and nothing else is sent after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from intermediary.core.faults import Transient
from intermediary.core.ports import Delivered, Idempotency, Manifest, NotDelivered
from intermediary.core.states import NachrichtState as N
from intermediary.core.states import ZustellungState as Z
from intermediary.core.steps import Steps
from intermediary.core.values import Dokument, MemoryContent, Zustellauftrag
from intermediary.operations.look import detail, explain
from intermediary.store import Store
from tests.acceptance.target_hall import AUSGABE, Fachverfahren, Hall
from tests.conformance.store_kit import bench_in

DOKUMENTE = tuple(Dokument(f"{n}.pdf", "application/pdf", MemoryContent(b"%d" % n)) for n in range(1, 7))
FOUR = "document/4"


@dataclass
class Akten(Fachverfahren):
    """Makes a case, takes six documents, closes it; `trouble` happens once after the effect of a step, before `done`."""

    most: int | None = None
    trouble: dict[str, Exception] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    @property
    def manifest(self) -> Manifest:
        return Manifest("akten", self.idempotency, "cases", ("case", "document", "close"), self.most)

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered:
        self.calls.append(now)
        for step in ("case", *(f"document/{n}" for n in range(1, 7)), "close"):
            if steps.get(step) is None:
                if failure := self.trouble.pop(step, None):
                    raise failure
                self.made.append(step)
                steps.done(step, {"id": f"{step}-{auftrag.attempt}"})
        self.effects[auftrag.key] = now
        return Delivered({"case": (steps.get("case") or {})["id"]})

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | NotDelivered:
        return Delivered() if steps.get("close") is not None else NotDelivered()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    bench = bench_in(tmp_path)
    yield bench.open()
    bench.close()


def hall_of(store: Store, target: Akten) -> Hall:
    hall = Hall([store])
    hall.ausgabe = replace(AUSGABE, dokumente=DOKUMENTE)
    opened: Any = hall._deliverers[0]._target("", "", "")
    hall._deliverers[0]._target = lambda *_: replace(opened, connector=target)
    return hall


ALL = ["case", *(f"document/{n}" for n in range(1, 7)), "close"]


@pytest.mark.parametrize("failure", [Transient("target.unreachable"), KeyError("x")], ids=["not-sent", "ambiguous"])
@pytest.mark.parametrize("kind", [Idempotency.NATIVE, Idempotency.LOOKUP])
def test_the_next_attempt_goes_on_at_document_four(store: Store, kind: Idempotency, failure: Exception) -> None:
    """Whether the failed attempt was certain or not: steps 1 to 3 are not done again, and `explain` says how far it is."""
    target = Akten(Hall([store]).clock, kind, trouble={FOUR: failure})
    hall = hall_of(store, target)
    [own] = hall.take(1)
    hall.work()

    told = explain(store.get(own), store.zustellungen(own), hall.clock.now, steps=store.steps.of(own)).lines
    assert (N.PLANNED, ALL[:4]) == (store.get(own).state, target.made)
    assert any(line.startswith("  4 Schritte sind am Ziel schon getan, zuletzt document/3") for line in told)

    hall.clock.now += timedelta(hours=1)
    hall.work()
    [zustellung] = detail(store, own)["zustellungen"]
    assert (N.COMPLETED, ALL) == (store.get(own).state, target.made)
    assert {"case": "case-1"} == zustellung["proof"]
    assert [(step, 1 if step < FOUR else 2) for step in ALL[:-1]] == [
        (one["step"], one["attempt"]) for one in zustellung["steps"][:-1]
    ]


def test_another_output_is_not_put_to_what_is_there(store: Store) -> None:
    """Documents 1 to 3 of one output and 4 to 6 of another would be an Akte that nobody filed."""
    target = Akten(Hall([store]).clock, trouble={FOUR: Transient("target.unreachable")})
    hall = hall_of(store, target)
    [own] = hall.take(1)
    hall.work()
    other = Dokument("p.zip", "application/zip", MemoryContent(b"another"))
    hall.ausgabe = replace(hall.ausgabe, package=other)
    hall.clock.now += timedelta(hours=1)
    hall.work()

    [zustellung] = store.zustellungen(own)
    assert (Z.PARKED, "output.changed") == (zustellung.state, zustellung.code)
    assert ALL[:4] == target.made


def test_what_is_too_large_is_never_handed_over(store: Store) -> None:
    """The engine knows the limit of the manifest: no intent, no attempt, and a code that names it."""
    target = Akten(Hall([store]).clock, most=max(AUSGABE.package.content.length, 10))
    hall = hall_of(store, target)
    big = Dokument("b.pdf", "application/pdf", MemoryContent(bytes(target.most or 0) + b"x"))
    hall.ausgabe = replace(hall.ausgabe, dokumente=(*DOKUMENTE, big))
    [own] = hall.take(1)
    hall.work()

    [zustellung] = store.zustellungen(own)
    assert (Z.DUE, "target.document.too-large", 0) == (zustellung.state, zustellung.code, zustellung.attempts)
    assert [] == target.calls
