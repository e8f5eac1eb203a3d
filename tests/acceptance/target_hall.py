"""Several hosts that deliver to one Fachverfahren with whims, on a clock that only moves when told."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from intermediary.core.breaker import RestRules
from intermediary.core.faults import Transient
from intermediary.core.ports import Delivered, Idempotency, Manifest, NotDelivered
from intermediary.core.schedule import Schedule
from intermediary.core.states import NachrichtState
from intermediary.core.steps import Steps
from intermediary.core.targets import TargetRef
from intermediary.core.turns import Limits
from intermediary.core.values import Ausgabe, Dokument, MemoryContent, Zustellauftrag
from intermediary.deliver import Deliverer, OpenTarget, Timing
from intermediary.store import Claim, PlannedTarget, Store
from tests.conformance.store_kit import NOW, eingang

TARGET = "musterstadt/bauantrag/fachverfahren"
SECOND = timedelta(seconds=1)
PACKAGE = Dokument(file_name="a.xml", media_type="application/xml", content=MemoryContent(b"<a/>"))
AUSGABE = Ausgabe(standard="xdomea 3.1.0", message="0401", nachricht=b"<a/>", package=PACKAGE)
RULES = RestRules()


class Killed(BaseException):
    """The process that was at it is gone: nothing after this line happens any more."""


class Clock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Fachverfahren:
    """A target that does what `mood` does; it notes every call, and every effect under its key."""

    clock: Clock
    idempotency: Idempotency = Idempotency.NATIVE
    mood: Callable[[Zustellauftrag], None] = lambda _: None
    calls: list[datetime] = field(default_factory=list)
    effects: dict[str, datetime] = field(default_factory=dict)

    @property
    def manifest(self) -> Manifest:
        return Manifest("fake", self.idempotency, "a target of tests")

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered:
        self.calls.append(now)
        self.mood(auftrag)
        self.effects.setdefault(auftrag.key, now)
        return Delivered()

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | NotDelivered:
        return Delivered() if key in self.effects else NotDelivered()

    def collect(self, key: str, correlation: object, now: datetime) -> None:
        """Nothing is awaited here."""

    def probe(self) -> None:
        """Nothing to look at."""

    def calls_between(self, begin: datetime, end: datetime) -> int:
        return sum(begin <= at < end for at in self.calls)

    def busiest_minute(self, begin: datetime) -> int:
        """The most effects in any minute after a moment."""
        moments = sorted(at for at in self.effects.values() if at >= begin)
        return max((sum(one <= at < one + 60 * SECOND for at in moments) for one in moments), default=0)


class Hall:
    """Hosts with one worker each, over the same store; `pass_seconds` lets time go by, second by second."""

    def __init__(
        self, stores: Sequence[Store], limits: Limits | None = None, deadline: timedelta | None = None
    ) -> None:
        self.stores = stores
        self.clock = Clock()
        self.target = Fachverfahren(self.clock)
        self.ref = TargetRef(TARGET, frozenset({TARGET}), limits or Limits(), RULES)
        self.claims: list[str] = []
        self.ausgabe = AUSGABE
        self._taken = 0
        luck = random.Random(5)
        schedule = Schedule(deadline=deadline or timedelta(hours=72))
        opened = OpenTarget(self.target, schedule, self.ref)  # type: ignore[arg-type]
        self._deliverers = [
            Deliverer(
                store,
                target=lambda *_: opened,
                timing=Timing(schedule, timedelta(minutes=5)),
                now=self.clock,
                jitter=luck.random,
            )
            for store in stores
        ]

    def take(self, count: int) -> list[str]:
        """So many Nachrichten, judged and due."""
        store = self.stores[0]
        batch = [eingang(f"antrag-{self._taken + number}", at=self.clock.now) for number in range(count)]
        self._taken += count
        return [self._plan(store, taken.nachricht_id) for taken in store.take(batch)] if batch else []

    def _plan(self, store: Store, own: str) -> str:
        claim = store.claim_one(own, "judge", self.clock.now)
        target = PlannedTarget("fachverfahren", required=True, output_sha256=PACKAGE.content.sha256)
        claim = store.plan(claim, route="bauantrag", pins={}, plan={}, targets=[target], now=self.clock.now)
        store.release(claim, self.clock.now)
        return own

    def pass_seconds(self, times: int, *, each: int = 0, step: int = 1) -> None:
        """So often: so many come in, all daemons tend, all workers work until nothing is due, `step` seconds pass."""
        for _ in range(times):
            self.take(each)
            for store in self.stores:
                store.targets.tend([self.ref], self.clock.now)
            self.work()
            self.clock.now += SECOND * step

    def work(self) -> None:
        """All workers in turn, until nothing is due; a killed one leaves its claim as it is."""
        while sum(self._work_once(number) for number in range(len(self.stores))):
            """Somebody found something: look again."""

    def _work_once(self, number: int) -> bool:
        store, done = self.stores[number], False
        for claim in store.claim(f"host:boot:{number}:1:1", self.clock.now):
            done = True
            self.claims.append(claim.nachricht.id)
            try:
                self._go(number, claim)
            except Killed:
                continue
        return done

    def _go(self, number: int, claim: Claim) -> None:
        claim = self._deliverers[number].advance(claim, lambda: self.ausgabe)
        if claim.nachricht.verdict:
            state = NachrichtState.COMPLETED if claim.nachricht.verdict == "accepted" else NachrichtState.REJECTED
            self.stores[number].answered(claim, state=state, proof={}, now=self.clock.now)
        else:
            self.stores[number].release(claim, self.clock.now)


def away(_auftrag: Zustellauftrag) -> None:
    """Nothing gets through."""
    raise Transient("target.unreachable")


@dataclass(frozen=True)
class Figures:
    """What an outage of ten minutes came to: calls, claims, attempts used up, how many waited at its end; and the return."""

    calls: int
    claims: int
    attempts: int
    waiting: int
    arrived: int
    busiest_minute: int


def outage(hall: Hall, count: int) -> Figures:
    """A minute at 120 a minute, ten minutes without the target while `count` come in, and the return of all of them."""
    store = hall.stores[0]
    hall.pass_seconds(60, each=2)
    hall.target.mood = away
    begin, before = hall.clock.now, len(hall.claims)
    hall.pass_seconds(20, each=count // 20)
    hall.pass_seconds(116, step=5)
    calls, claims = hall.target.calls_between(begin, hall.clock.now), len(hall.claims) - before
    attempts = sum(record.attempts for one in store.find() for record in store.zustellungen(one.id)) - 120
    waiting = store.targets.standing().waiting[TARGET]
    hall.target.mood = lambda _: None
    hall.pass_seconds(100, step=5)
    recovered = next(one.event.at for one in store.events_of_installation() if one.event.name == "target.recovered")
    while store.targets.standing().waiting.get(TARGET):
        hall.pass_seconds(20)
    hall.pass_seconds(60, step=60)
    return Figures(
        calls=calls,
        claims=claims,
        attempts=attempts,
        waiting=waiting,
        arrived=len(hall.target.effects),
        busiest_minute=hall.target.busiest_minute(recovered),
    )
