"""Doors before a closed gate: each leaves things where they are, and goes on by itself."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tenacity import wait_none

from intermediary.core.bulletin import Obstacle
from intermediary.core.faults import Transient
from intermediary.core.values import Eingang
from intermediary.ingress.amqp.intake import Down, Inbox, Opened
from intermediary.ingress.amqp.ledger import Ack
from intermediary.ingress.amqp.line import LineDown
from intermediary.ingress.amqp.refusals import Refusals
from intermediary.ingress.amqp.session import Admission, Session
from intermediary.ingress.doors import DoorRules, DoorState
from intermediary.ingress.folder import FolderDoor, FolderSettings
from intermediary.ingress.gate import GuardedGate, closing
from intermediary.ingress.taking import GivenBack, Taker
from intermediary.keys.spool import Spool
from intermediary.testing.takes import NOW, RecordingTake
from tests.unit.ingress.test_session import FakeIntake, FakePublisher, delivery

FULL = Obstacle("intake.disk.reserve", "/daten")
AWAY = Transient("store.unavailable")


class PausingIntake(FakeIntake):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []

    def pause(self) -> None:
        self.told.append("pause")

    def resume(self) -> None:
        self.told.append("resume")

    def give_back(self, tags: Sequence[int]) -> None:
        self.told += [list(tags)] if tags else []


class Watched(GuardedGate):
    """A gate whose obstacles follow a plan: one entry for each time the session asks for the whole channel."""

    def __init__(self, *plan: tuple[Obstacle, ...], **quotas: int) -> None:
        super().__init__(quotas)
        self.plan = list(plan)

    def step(self) -> None:
        if self.plan:
            self.show(self.plan.pop(0))


def run_session(
    gate: Watched, take: RecordingTake, *events: object, mandanten: tuple[str, ...] = ("musterstadt",)
) -> tuple[PausingIntake, list[str]]:
    """Feed the events one at a time, each before the gate is asked anew; then end the line."""
    intake, inbox, stop, held = PausingIntake(), Inbox(), threading.Event(), []
    waiting = list(events)

    def ask() -> Obstacle | None:
        gate.step()
        found = closing(gate, mandanten)
        inbox.put(waiting.pop(0) if waiting else Down("end of test"))
        return found

    inbox.put(waiting.pop(0))
    rules = DoorRules("tuer", mandanten)
    session = Session(
        intake,  # type: ignore[arg-type]
        inbox,
        channel="tuer",
        admission=Admission(rules, clock=lambda: NOW, claims=None, should_stop=stop.is_set, gate=gate),
        taker=Taker(
            take,
            channel="tuer",
            stop=stop,
            hold_seconds=60,
            on_holding=lambda _: None,
            gate=gate,
            wait=wait_none(),
        ),
        refusals=Refusals(FakePublisher(), "q.refused", inbox),  # type: ignore[arg-type]
        should_stop=stop.is_set,
        batch=1,
        aside_seconds=0,
        open_seconds=30,
        ticks=lambda: 0.0,
        on_taking=lambda _: None,
        closing=ask,
        on_closed=held.append,
    )
    with pytest.raises(LineDown, match="end of test"):
        session.run()
    return intake, held


def test_a_closed_gate_pauses_the_broker_once() -> None:
    """What is in hand goes back, once for each message; when it opens the broker sends again. The line stays."""
    take = RecordingTake()
    gate = Watched((), (FULL,), (FULL,), ())
    intake, held = run_session(gate, take, Opened(), delivery(1), delivery(2), delivery(3))

    assert ["pause", [1], [2], "resume"] == intake.told
    assert ["intake.disk.reserve"] * 2 == held
    assert {"m-3"} == take.ids
    assert [Ack(3, multiple=False)] == intake.acks


def test_a_store_that_goes_away_in_a_take_gives_back() -> None:
    """The batch is held while everything may heal at once; when the gate closes it returns, and nothing is acknowledged."""
    gate = Watched((), (), (FULL,))

    def fail(_: Sequence[Eingang]) -> None:
        gate.show([FULL])
        raise AWAY

    take = RecordingTake(fail)
    intake, _ = run_session(gate, take, Opened(), delivery(1))

    assert ["pause", [1]] == intake.told
    assert [] == intake.acks
    assert set() == take.ids


def test_a_full_mandant_waits_while_others_go_on() -> None:
    """Its messages stay unacknowledged, and are taken as soon as it has room; those of others are not held up."""
    take = RecordingTake()
    gate = Watched(musterstadt=1)
    gate.show([], {"musterstadt": 1})
    release = threading.Event()

    def free(eingaenge: Sequence[Eingang]) -> None:
        if eingaenge[0].mandant == "beispielhausen" and not release.is_set():
            release.set()
            gate.show([], {})

    take.fail = free
    headers: dict[str, Any] = {"x-mandant": "musterstadt"}
    intake, held = run_session(
        gate,
        take,
        Opened(),
        delivery(1, headers=headers),
        delivery(2, headers={"x-mandant": "beispielhausen"}),
        mandanten=("musterstadt", "beispielhausen"),
    )

    assert [["m-2"], ["m-1"]] == take.calls
    assert ([], []) == (intake.told, held)


def test_holding_ends_when_the_gate_closes() -> None:
    """A door does not keep what it cannot make durable, once everybody knows."""
    gate = GuardedGate()

    def fail(_: Sequence[Eingang]) -> None:
        gate.show([FULL])
        raise AWAY

    taker = Taker(
        RecordingTake(fail),
        channel="tuer",
        stop=threading.Event(),
        hold_seconds=3600,
        on_holding=lambda _: None,
        gate=gate,
        wait=wait_none(),
    )

    with pytest.raises(GivenBack):
        list(taker.offer([_eingang()]))


def test_a_folder_keeps_its_files(tmp_path: Path) -> None:
    """They lie where they lie, the door says why, and takes them when the gate opens."""
    inbox = tmp_path / "eingang"
    inbox.mkdir()
    (inbox / "a.osci").write_bytes(b"synthetisch")
    take, gate = RecordingTake(), GuardedGate()
    gate.show([FULL])
    door = FolderDoor(
        FolderSettings(inbox=inbox, poll_seconds=0.01),
        DoorRules("ablage", ("musterstadt",)),
        take=take,
        clock=lambda: NOW,
        spool=Spool(tmp_path / "spool"),
        gate=gate,
        wait=wait_none(),
    )
    assert 0 == door.sweep()
    assert (DoorState.HOLDING, FULL.code) == (door.status.state, door.status.code)
    assert (inbox / "a.osci").exists()
    gate.show([])
    thread = threading.Thread(target=door.run)
    thread.start()
    assert take.wait_for(lambda t: t.ids == {"a.osci"})
    door.stop()
    thread.join()

    assert not (inbox / "a.osci").exists()


def _eingang() -> Eingang:
    from tests.unit.ingress.test_gate import eingang

    return eingang(1)
