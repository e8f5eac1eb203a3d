"""The fetch door gives nothing up that is not durable, and lets nothing that is stuck stand in the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tenacity import wait_none

from intermediary.core.bulletin import Obstacle
from intermediary.core.faults import Misconfigured, Rejected, Transient, Unclear
from intermediary.core.values import Eingang
from intermediary.ingress.doors import OSCI_MIME, DoorRules, DoorState
from intermediary.ingress.fetching.pace import Rhythm
from intermediary.ingress.fetching.stuck import short_hash
from intermediary.ingress.gate import OPEN, Gate, GuardedGate
from intermediary.osci.client.emptying import Visiting
from intermediary.osci.client.fetch_door import FetchDoor, FetchSettings, PostBoxSource
from intermediary.osci.client.line import Line
from intermediary.osci.write import Answer, entry
from intermediary.store.records import Taken
from tests.unit.osci.client.conftest import MakeLine
from tests.unit.osci.client.partner import NOW, FakeIntermediary, Lying, Reply, open_package

FULL = Obstacle("intake.disk.reserve", "/daten")
RULES = DoorRules(channel="postfach", mandanten=("musterstadt", "beispielhausen"))


class Shelf:
    """A `take` in memory: recognises repetitions and conflicts as the store does."""

    def __init__(self) -> None:
        self.kept: list[Eingang] = []
        self.outcomes: list[str] = []
        self.failing: list[Exception] = []
        self.refuses: dict[str, Exception] = {}

    def __call__(self, eingaenge: Sequence[Eingang]) -> list[Taken]:
        (one,) = eingaenge
        if self.failing:
            raise self.failing.pop(0)
        if one.message_id in self.refuses:
            raise self.refuses[one.message_id]
        same = [other for other in self.kept if other.message_id == one.message_id]
        if any(other.same_sha256 == one.same_sha256 for other in same):
            self.outcomes.append("duplicate")
        else:
            self.outcomes.append("conflict" if same else "new")
            self.kept.append(one)
        return [Taken(str(len(self.kept)), self.outcomes[-1])]  # type: ignore[arg-type]

    @property
    def ids(self) -> list[str]:
        return [one.message_id for one in self.kept]


class Clock:
    """Monotonic seconds that pass on command."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


Opened = tuple[FetchDoor, Shelf, Clock]


def door_of(
    *lines: Line,
    visiting: Visiting | None = None,
    settings: FetchSettings | None = None,
    shelf: Shelf | None = None,
    gate: Gate = OPEN,
) -> Opened:
    """A door to these post boxes, each of another Mandant."""
    shelf, ticks = shelf or Shelf(), Clock()
    sources = [
        PostBoxSource(name=f"{mandant}/1", mandant=mandant, line=lambda line=line: line)
        for mandant, line in zip(RULES.mandanten, lines, strict=False)
    ]
    settings = settings or FetchSettings(rhythm=Rhythm(2.0, 60.0), hold_seconds=0.0, visiting=visiting or Visiting())
    door = FetchDoor(
        settings,
        RULES,
        sources,
        take=shelf,
        clock=lambda: NOW,
        ticks=ticks,
        spread=lambda: 0.5,
        wait=wait_none(),
        gate=gate,
    )
    return door, shelf, ticks


def sweep_until_idle(door: FetchDoor) -> int:
    """Visit as long as something is due at once."""
    kept = 0
    for _ in range(20):
        before = door._queue[:]
        kept += door.sweep()
        if door._queue[0][0] > door._ticks():
            return kept
        assert before
    raise AssertionError("the door never rests")


def test_everything_is_taken_and_then_acknowledged(make_line: MakeLine) -> None:
    """Three deliveries of one post box come in one dialog, in order, with id, Mandant, bytes and identity."""
    line, fake = make_line([Lying(f"a/{n}", open_package(b"%d" % n)) for n in range(3)])
    door, shelf, _ = door_of(line)

    assert 3 == sweep_until_idle(door)
    assert ["InitDialog", *["FetchDelivery"] * 4, "ExitDialog"] == fake.seen
    assert ["a/0", "a/1", "a/2"] == shelf.ids == fake.received
    assert {("musterstadt", "postfach", OSCI_MIME)} == {(e.mandant, e.channel, e.content_type) for e in shelf.kept}
    assert 3 == len({one.same_sha256 for one in shelf.kept if len(one.same_sha256) == 64})
    assert all(one.body.read().startswith(b"MIME-Version") for one in shelf.kept)


def test_a_delivery_is_durable_before_the_next_request(make_line: MakeLine) -> None:
    """What was on the wire when `take` was called shows it: the dialog waited."""
    line, fake = make_line([Lying("a/1"), Lying("a/2")])
    seen: list[tuple[str, list[str], list[str]]] = []

    class Watching(Shelf):
        def __call__(self, eingaenge: Sequence[Eingang]) -> list[Taken]:
            seen.append((eingaenge[0].message_id, list(fake.received), fake.seen[-1:]))
            return super().__call__(eingaenge)

    door, _, _ = door_of(line, shelf=Watching())
    door.sweep()

    assert [("a/1", [], ["FetchDelivery"]), ("a/2", ["a/1"], ["FetchDelivery"])] == seen


def test_a_closed_gate_asks_nobody(make_line: MakeLine) -> None:
    """No dialog is opened while it is closed; a dialog under way ends in good order after the delivery in hand."""
    line, fake = make_line([Lying("a/1"), Lying("a/2")])
    gate = GuardedGate()
    gate.show([FULL])
    door, shelf, ticks = door_of(line, gate=gate)
    door.sweep()
    assert ([], []) == (fake.seen, shelf.ids)
    assert (DoorState.HOLDING, FULL.code) == (door.status.state, door.status.code)

    class Closing(Shelf):
        def __call__(self, eingaenge: Sequence[Eingang]) -> list[Taken]:
            gate.show([FULL])
            return super().__call__(eingaenge)

    gate.show([])
    door, shelf, ticks = door_of(line, shelf=Closing(), gate=gate)
    door.sweep()
    assert ["InitDialog", "FetchDelivery", "ExitDialog"] == fake.seen
    assert ["a/1"] == shelf.ids == fake.received
    gate.show([])
    ticks.now += 3
    door.sweep()

    assert ["a/1", "a/2"] == shelf.ids


def test_a_full_mandant_is_not_asked_for(make_line: MakeLine) -> None:
    """The post boxes of the others are visited as ever."""
    (full, untouched), (line, visited) = make_line([Lying("a/1")]), make_line([Lying("b/1")])
    gate = GuardedGate({RULES.mandanten[0]: 1})
    gate.show([], {RULES.mandanten[0]: 1})
    door, shelf, _ = door_of(full, line, gate=gate)
    sweep_until_idle(door)

    assert ["b/1"] == shelf.ids == visited.received
    assert [] == untouched.seen


@pytest.mark.parametrize("failure", [Transient("store.unavailable"), OSError("disk full")])
def test_while_the_store_is_away_the_dialog_is_silent(failure: Exception, make_line: MakeLine) -> None:
    """Nothing is acknowledged, the door holds, and it goes on by itself when the store is back."""
    line, fake = make_line([Lying("a/1"), Lying("a/2")])
    door, shelf, ticks = door_of(line)
    shelf.failing = [failure]
    door.sweep()

    assert ["InitDialog", "FetchDelivery"] == fake.seen
    assert [] == fake.received
    assert (DoorState.HOLDING, 0) == (door.status.state, door.status.aside)
    ticks.now += 5
    assert 2 == sweep_until_idle(door)
    assert ["a/1", "a/2"] == shelf.ids == fake.received
    assert (DoorState.TAKING, "") == (door.status.state, door.status.code)


def test_a_delivery_that_comes_again_is_one(make_line: MakeLine) -> None:
    """The commit happened and the acknowledgement did not: the repetition is recognised although every byte differs."""
    line, fake = make_line([Lying("a/1"), Lying("a/2")])
    fake.twist(2, lambda reply: Unclear("dialog.no-answer"))
    door, shelf, ticks = door_of(line)
    door.sweep()
    fake.lying.insert(0, Lying("a/1", shelf_package := open_package(b"<antrag/>")))
    fake.received.clear()
    ticks.now += 5
    sweep_until_idle(door)

    assert ["new", "duplicate", "new"] == shelf.outcomes
    assert ["a/1", "a/2"] == shelf.ids
    assert shelf_package is not None


def test_a_conflict_is_kept_and_told(make_line: MakeLine, logged: list[dict[str, Any]]) -> None:
    """Known id, other content: durable beside the first (the store parks it), acknowledged, and an error in the log."""
    line, fake = make_line([Lying("a/1", open_package(b"one"))])
    door, shelf, ticks = door_of(line)
    sweep_until_idle(door)
    fake.lying.append(Lying("a/1", open_package(b"two")))
    ticks.now += 5
    sweep_until_idle(door)

    assert ["new", "conflict"] == shelf.outcomes
    assert ["a/1", "a/1"] == fake.received
    assert ["error"] == [one["log_level"] for one in logged if one["event"] == "osci.delivery.conflict"]


def test_one_unreadable_delivery_does_not_block_the_others(make_line: MakeLine, logged: list[dict[str, Any]]) -> None:
    """It stays in the post box, process cards lead to the others, and it is tried again with growing pauses."""
    line, fake = make_line([Lying("gift", is_unreadable=True), Lying("a/1"), Lying("a/2")])
    door, shelf, ticks = door_of(line)
    sweep_until_idle(door)

    assert ["a/1", "a/2"] == shelf.ids == fake.received
    assert ["gift"] == [one.message_id for one in fake.lying]
    assert (DoorState.TAKING, "dialog.delivery.stuck", 1) == (
        door.status.state,
        door.status.code,
        door.status.aside,
    )
    told = [one for one in logged if one["event"] == "osci.delivery.stuck"]
    assert ["", short_hash("gift")] == [one["message_sha256"] for one in told]
    assert "gift" not in repr(logged)

    asked = fake.seen.count("FetchDelivery")
    ticks.now += 50
    fake.lying.append(Lying("a/3"))
    sweep_until_idle(door)
    assert ["a/1", "a/2", "a/3"] == shelf.ids
    assert asked + 1 == fake.seen.count("FetchDelivery")

    fake.lying = [Lying("gift")]
    ticks.now += 300
    sweep_until_idle(door)
    assert "gift" == shelf.ids[-1]
    assert ("", 0) == (door.status.code, door.status.aside)


def test_after_an_unreadable_delivery_its_dialog_is_silent(make_line: MakeLine) -> None:
    """Not even ExitDialog: it would count as received (§1)."""
    line, fake = make_line([Lying("gift", is_unreadable=True)])
    door, _, _ = door_of(line)
    sweep_until_idle(door)

    dialogs = " ".join(fake.seen).split("InitDialog ")[1:]
    assert ["FetchDelivery ", "FetchProcessCard FetchDelivery ", "FetchProcessCard ExitDialog"] == dialogs
    assert [] == fake.received


@pytest.mark.parametrize("refusal", [Rejected("intake.size.exceeded"), RuntimeError("only this one")])
def test_a_delivery_that_cannot_be_kept_is_passed_by(refusal: Exception, make_line: MakeLine) -> None:
    """Refused by the rules or failing alone: it stays with the intermediary, the others come."""
    line, fake = make_line([Lying("a/1"), Lying("schlecht"), Lying("a/2")])
    door, shelf, _ = door_of(line)
    shelf.refuses["schlecht"] = refusal
    sweep_until_idle(door)

    assert ["a/1", "a/2"] == shelf.ids == fake.received
    assert ["schlecht"] == [one.message_id for one in fake.lying]
    assert 1 == door.status.aside


def test_a_delivery_without_usable_id_stays(make_line: MakeLine) -> None:
    """An id no store can hold is refused before `take`."""
    line, fake = make_line([Lying("x" * 300), Lying("a/1")])
    door, shelf, _ = door_of(line)
    sweep_until_idle(door)

    assert ["a/1"] == shelf.ids == fake.received


def test_without_process_cards_the_post_box_waits(make_line: MakeLine, logged: list[dict[str, Any]]) -> None:
    """An intermediary that tells no process cards: nothing is lost, nothing spins, and the log says why."""
    line, fake = make_line([Lying("gift", is_unreadable=True), Lying("a/1")])
    fake.twist(3, lambda reply: replace(reply, order=Answer(feedback=(entry("9300"),))))
    door, shelf, ticks = door_of(line)
    sweep_until_idle(door)

    assert ["InitDialog", "FetchDelivery", "InitDialog", "FetchProcessCard"] == fake.seen
    assert [] == shelf.ids == fake.received
    assert 1 == len([one for one in logged if one["event"] == "osci.fetch.no-cards"])
    ticks.now += 60
    fake.lying = [Lying("a/1")]
    sweep_until_idle(door)
    assert ["a/1"] == shelf.ids
    assert 0 == door.status.aside


def test_a_delivery_that_silences_every_dialog_is_passed_by(make_line: MakeLine) -> None:
    """Three fetches without answer in a row: then process cards lead past it."""

    class Silent(FakeIntermediary):
        def _written(self, reply: Reply, request: Any) -> bytes:
            if any(card.message_id == "schwarzes-loch" for card in reply.order.cards) and "Card" not in reply.kind:
                raise Unclear("dialog.no-answer")
            return super()._written(reply, request)

    line, fake = make_line([Lying("schwarzes-loch"), Lying("a/1")])
    silent = Silent(fake.pki, fake.lying)
    door, shelf, ticks = door_of(replace(line, exchange=silent))
    for _ in range(7):
        sweep_until_idle(door)
        ticks.now += 61
    assert ["a/1"] == shelf.ids == silent.received
    assert 1 == door.status.aside

    silent.lying.append(Lying("a/2"))
    ticks.now += 10_000
    sweep_until_idle(door)
    assert ["a/1", "a/2"] == shelf.ids == silent.received


def test_an_empty_post_box_is_asked_less_and_less(make_line: MakeLine) -> None:
    """The wait doubles up to its limit while nothing comes, and starts anew with the first delivery."""
    line, fake = make_line()
    door, _, ticks = door_of(line)
    waits = []
    for _ in range(7):
        door.sweep()
        waits.append(door._queue[0][0] - ticks.now)
        ticks.now = door._queue[0][0]

    assert [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] == waits
    fake.lying.append(Lying("a/1"))
    sweep_until_idle(door)
    assert 2.0 == door._queue[0][0] - ticks.now


def test_a_long_queue_is_fetched_in_several_dialogs(make_line: MakeLine) -> None:
    """One dialog brings at most so many; the next begins at once."""
    line, fake = make_line([Lying(f"a/{n}") for n in range(5)])
    door, shelf, _ = door_of(line, visiting=Visiting(most=2))
    sweep_until_idle(door)

    assert 5 == len(shelf.ids)
    assert 3 == fake.seen.count("InitDialog")
    assert 3 == fake.seen.count("ExitDialog")


def test_a_broken_post_box_does_not_hold_up_another(make_line: MakeLine) -> None:
    """One Mandant's line cannot be opened and fails; the other's is emptied."""
    line, _ = make_line([Lying("a/1")])

    def broken() -> Line:
        raise Misconfigured("dialog.key.missing", where="mandant beispielhausen")

    shelf = Shelf()
    sources = [PostBoxSource("b/1", "beispielhausen", broken), PostBoxSource("m/1", "musterstadt", lambda: line)]
    door = FetchDoor(FetchSettings(), RULES, sources, take=shelf, clock=lambda: NOW)

    assert 1 == door.sweep() + door.sweep()
    assert "dialog.key.missing" == door.status.code


def test_a_slow_post_box_does_not_hold_up_another(make_line: MakeLine) -> None:
    """While one thread waits for an answer, another fetches the next Mandant's deliveries."""
    slow, slow_fake = make_line([Lying("s/1")])
    quick, quick_fake = make_line([Lying("q/1")])
    answering, taken = threading.Event(), threading.Event()
    slow_fake.twist(0, lambda reply: (answering.wait(30), reply)[1])

    class Signalling(Shelf):
        def __call__(self, eingaenge: Sequence[Eingang]) -> list[Taken]:
            answer = super().__call__(eingaenge)
            taken.set()
            return answer

    door, shelf, _ = door_of(slow, quick, shelf=Signalling())
    running = threading.Thread(target=door.run)
    running.start()

    assert taken.wait(30)
    assert ["q/1"] == shelf.ids
    door.stop()
    answering.set()
    running.join(30)
    assert not running.is_alive()
    assert DoorState.CLOSED is door.status.state
    assert quick_fake.seen


def test_stopping_waits_for_a_commit_and_takes_nothing_after_it(make_line: MakeLine) -> None:
    """A `take` under way ends; what comes later is left in the post box."""
    line, fake = make_line([Lying("a/1"), Lying("a/2")])
    committing, released = threading.Event(), threading.Event()

    class Slow(Shelf):
        def __call__(self, eingaenge: Sequence[Eingang]) -> list[Taken]:
            committing.set()
            assert released.wait(30)
            return super().__call__(eingaenge)

    door, shelf, _ = door_of(line, shelf=Slow())
    running = threading.Thread(target=door.run)
    running.start()
    assert committing.wait(30)
    door.stop()
    running.join(1.5)
    assert running.is_alive()
    released.set()
    running.join(30)

    assert not running.is_alive()
    assert ["a/1"] == shelf.ids
    assert [] == fake.received


def test_large_deliveries_come_in_chunks(make_line: MakeLine) -> None:
    """Above the size of a chunk a delivery comes in pieces and is put together; a small one comes as it is (§16)."""
    large = open_package(b"x" * 5000)
    line, fake = make_line([Lying("gross", large), Lying("klein")], max_chunk_kilobytes=4)
    door, shelf, _ = door_of(line, visiting=Visiting(chunk_bytes=10**9))
    sweep_until_idle(door)

    assert ["gross", "klein"] == shelf.ids == fake.received
    assert "FetchDelivery" not in fake.seen
    body = shelf.kept[0].body.read()
    assert b"ResponseToFetchDelivery" in body
    whole, _ = make_line([Lying("gross", large)])
    other, kept, _ = door_of(whole)
    sweep_until_idle(other)
    assert kept.kept[0].same_sha256 == shelf.kept[0].same_sha256


def test_a_crash_between_chunks_gives_nothing_up(make_line: MakeLine) -> None:
    """Half a delivery is none: the next dialog begins with its first chunk."""
    line, fake = make_line([Lying("gross", open_package(b"x" * 9000))], max_chunk_kilobytes=4)
    fake.twist(2, lambda reply: Unclear("dialog.no-answer"))
    door, shelf, ticks = door_of(line, visiting=Visiting(chunk_bytes=4096))
    door.sweep()
    assert ([], []) == (shelf.ids, fake.received)
    ticks.now += 10
    sweep_until_idle(door)

    assert ["gross"] == shelf.ids == fake.received
    numbers = [one.chunk.number for one in fake.orders if one.chunk is not None]
    assert [1, 2, 1] == numbers[:3]


def test_chunks_of_a_delivery_above_the_limit_are_not_asked_for(make_line: MakeLine) -> None:
    """What would exceed the channel's limit stays in the post box, and others are fetched."""
    line, fake = make_line([Lying("riesig", open_package(b"x" * 90_000)), Lying("a/1")], max_chunk_kilobytes=4)
    door, shelf, _ = door_of(line, visiting=Visiting(chunk_bytes=4096, max_bytes=20_000))
    sweep_until_idle(door)

    assert ["a/1"] == shelf.ids == fake.received
    assert len(fake.seen) < 30


@pytest.mark.parametrize(
    "twist",
    [
        lambda chunk: replace(chunk, number=3),
        lambda chunk: replace(chunk, total=9),
        lambda chunk: replace(chunk, total=None),
    ],
)
def test_chunks_that_contradict_each_other_end_the_dialog(twist: Callable[[Any], Any], make_line: MakeLine) -> None:
    """Another number or total than before: nothing of it is kept, nothing given up."""
    line, fake = make_line([Lying("gross", open_package(b"x" * 9000))], max_chunk_kilobytes=4)
    fake.twist(2, lambda reply: replace(reply, order=replace(reply.order, chunk=twist(reply.order.chunk))))
    door, shelf, _ = door_of(line, visiting=Visiting(chunk_bytes=4096))
    door.sweep()

    assert ([], []) == (shelf.ids, fake.received)
    assert 3 == len(fake.seen)
    assert "dialog.broken" == door.status.code
