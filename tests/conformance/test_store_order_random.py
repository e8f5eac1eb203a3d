"""Any engine: whatever happens in whatever order, nothing reaches a target before what was accepted before it (G5, I4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from intermediary.core.decide import Decision
from intermediary.core.values import Eingang
from intermediary.store import Claim, NotPossible, Store
from tests.conformance.store_kit import (
    DELIVERED,
    LEASE,
    NOW,
    OUTPUT,
    REFUSED,
    SECOND_TARGET,
    TARGET,
    Bench,
    N,
    Z,
    eingang,
)

VORGAENGE = ("v-1", "v-2")
TARGETS = (TARGET, SECOND_TARGET)
WHO = {"actor": "otto", "reason": "Frist"}
OPEN = (Z.DUE, Z.UNCLEAR, Z.AWAITING)


class Town(RuleBasedStateMachine):
    """Two hosts on one store; workers that judge, deliver, fail, park, crash; a person who ends, resumes and lets pass."""

    hosts: ClassVar[list[Store]]
    example: ClassVar[Iterator[int]]

    @initialize()
    def begin(self) -> None:
        """Vorgaenge that nobody has seen before, at a time when nothing of an earlier example is held any more."""
        self.number = next(self.example)
        self.now = NOW + self.number * timedelta(days=1)
        self.names = 0
        self.order: dict[str, list[str]] = {vorgang: [] for vorgang in VORGAENGE}
        self.passed: set[str] = set()
        self.effects: dict[str, set[str]] = {}
        self.crashed: list[Claim] = []

    def teardown(self) -> None:
        """Once people have decided and workers have worked, nobody waits for order any more."""
        if not hasattr(self, "number"):
            return
        for verbs in (("confirm", "resume"), ("confirm", "reject"), ("resume",)):
            self.now += LEASE
            self.crashed.clear()
            for one in self.everything:
                for verb in verbs:
                    self._decide(one, verb)
            self._work()

        assert [] == [one for one in self.everything if self.hosts[0].get(one).wait_reason == "order.waits"]

    @property
    def everything(self) -> list[str]:
        """All ids, by Vorgang and order of acceptance."""
        return [one for ids in self.order.values() for one in ids]

    @rule(vorgang=st.sampled_from(VORGAENGE), host=st.integers(0, 1), many=st.integers(1, 3))
    def take(self, vorgang: str, host: int, many: int) -> None:
        """A batch comes in at one of the doors."""
        batch = [self._eingang(vorgang, number) for number in range(many)]
        self.names += many
        self.order[vorgang] += [taken.nachricht_id for taken in self.hosts[host].take(batch)]

    @rule(host=st.integers(0, 1), outcomes=st.lists(st.sampled_from("dddrtuapcx"), min_size=1, max_size=6))
    def work(self, host: int, outcomes: list[str]) -> None:
        """A worker takes up what is due: delivered, refused, transient, unclear, awaiting, parked, crash before or after."""
        for outcome in outcomes:
            for claim in self.hosts[host].claim("w", self.now):
                self._advance(self.hosts[host], claim, outcome)

    @rule()
    def time_passes(self) -> None:
        """Leases run out, waits end; suspects are opened alone."""
        self.now += LEASE
        self.crashed.clear()
        for claim in self.hosts[0].claim_suspect("alone", self.now):
            self._advance(self.hosts[0], claim, "d")

    @precondition(lambda self: self.everything)
    @rule(data=st.data(), verb=st.sampled_from(["resume", "reject", "discard", "pass", "park", "confirm", "anew"]))
    def decide(self, data: st.DataObject, verb: str) -> None:
        """A person decides about any Nachricht whatever; what does not fit is refused and changes nothing."""
        self._decide(data.draw(st.sampled_from(self.everything)), verb)

    def _eingang(self, vorgang: str, number: int) -> Eingang:
        return eingang(f"a-{self.number}-{self.names + number}", vorgang=f"{self.number} {vorgang}", at=self.now)

    def _advance(self, store: Store, claim: Claim, outcome: str) -> None:
        if claim.nachricht.state is N.RECEIVED:
            if outcome == "p":
                store.park(claim, "bug.unexpected", self.now)
                return
            targets = TARGETS if outcome in "drt" else TARGETS[:1]
            plan: dict[str, Any] = {"route": "r", "pins": {}, "plan": {}, "targets": targets, "vorgang": ""}
            claim = store.plan(claim, **plan, now=self.now)
        for key in [one.key for one in claim.zustellungen]:
            if claim.nachricht.state is not N.PARKED:
                claim = self._deliver(store, claim, key, outcome)
            if outcome in "cx" and claim.zustellung(key).state is Z.INTENDED:
                self.crashed.append(claim)
                return
        if claim.nachricht.state is N.ANSWERING:
            final = N.COMPLETED if claim.nachricht.verdict == "accepted" else N.REJECTED
            claim = store.answered(claim, final, {}, self.now)
        store.release(claim, self.now)

    def _deliver(self, store: Store, claim: Claim, key: str, outcome: str) -> Claim:
        record = claim.zustellung(key)
        if record.state not in OPEN or record.due_at is None or record.due_at > self.now:
            return claim
        if record.state is not Z.DUE:
            return store.settle(claim, key, DELIVERED, now=self.now)
        claim = store.intend(claim, key, OUTPUT, self.now)
        if claim.zustellung(key).state is not Z.INTENDED or outcome == "c":
            return claim
        later = self.now + timedelta(seconds=1)
        decisions = {
            "t": Decision(Z.DUE, "target.unreachable", later),
            "u": Decision(Z.UNCLEAR, "delivery.unclear", later),
            "a": Decision(Z.AWAITING, due_at=later),
            "p": Decision(Z.PARKED, "delivery.unclear"),
            "r": REFUSED,
        }
        if outcome not in "tr":
            self._arrive(claim.nachricht.id, record.target)
        if outcome == "x":
            return claim
        return store.settle(claim, key, decisions.get(outcome, DELIVERED), now=self.now)

    def _arrive(self, nachricht_id: str, target: str) -> None:
        """The first effect of a Nachricht at a target: whatever was accepted before it has been there, or is over there."""
        ids = next((ids for ids in self.order.values() if nachricht_id in ids), [nachricht_id])
        arrived = self.effects.setdefault(target, set())
        if nachricht_id in arrived:
            return
        arrived.add(nachricht_id)
        earlier = set(ids[: ids.index(nachricht_id)]) - arrived - self.passed

        assert [] == [one for one in earlier if not self._is_over(one, target)]

    def _is_over(self, nachricht_id: str, target: str) -> bool:
        record, records = self.hosts[0].get(nachricht_id), self.hosts[0].zustellungen(nachricht_id)
        at_target = [one.state for one in records if one.target == target]
        is_unjudged = not records and not record.verdict
        return (
            record.state is N.DISCARDED
            or record.verdict == "rejected"
            or (at_target in ([], [Z.REFUSED], [Z.DELIVERED]) and not is_unjudged)
        )

    def _decide(self, nachricht_id: str, verb: str) -> None:
        if any(claim.nachricht.id == nachricht_id for claim in self.crashed):
            return  # still leased
        store = self.hosts[1]
        claim = store.claim_one(nachricht_id, "person", self.now)
        try:
            match verb:
                case "resume" | "reject" | "discard":
                    getattr(store, verb)(claim, **WHO, now=self.now)
                case "pass":
                    store.order.let_pass(claim, **WHO, now=self.now)
                    self.passed.add(nachricht_id)
                case "anew":
                    store.judge_anew(claim, **WHO, now=self.now)
                case "park" if claim.nachricht.state in (N.RECEIVED, N.PLANNED):
                    store.park(claim, "bug.unexpected", self.now)
                case "confirm":
                    for one in claim.zustellungen:
                        if one.state in (Z.UNCLEAR, Z.PARKED, Z.AWAITING):
                            claim = store.confirm_delivered(claim, one.key, **WHO, proof="p", now=self.now)
        except NotPossible:
            pass
        store.release(claim, self.now)

    def _work(self) -> None:
        for _ in range(4 * len(self.everything)):
            for claim in self.hosts[0].claim("w", self.now) or self.hosts[0].claim_suspect("alone", self.now):
                self._advance(self.hosts[0], claim, "d")


def test_effects_of_a_vorgang_come_in_order(bench: Bench) -> None:
    """Random takes, failures, parks, crashes and decisions on two hosts; afterwards nobody is left waiting."""

    class Here(Town):
        hosts: ClassVar[list[Store]] = [bench.open(), bench.open()]
        example: ClassVar[Iterator[int]] = count(1)

    few = settings(max_examples=15, stateful_step_count=20, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Here, settings=few)  # type: ignore[no-untyped-call]
