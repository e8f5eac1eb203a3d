"""A session's decisions, without a broker: what is acknowledged, and when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import pytest
from tenacity import wait_none

from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.amqp.intake import Delivery, Down, Inbox
from intermediary.ingress.amqp.ledger import Ack
from intermediary.ingress.amqp.line import LineDown
from intermediary.ingress.amqp.outlet import Outgoing, Unroutable
from intermediary.ingress.amqp.refusals import Refusals
from intermediary.ingress.amqp.session import Admission, Session, Wake
from intermediary.ingress.doors import OSCI_MIME, DoorRules
from intermediary.ingress.taking import Taker
from intermediary.testing.takes import NOW, RecordingTake


class FakeIntake:
    def __init__(self) -> None:
        self.acks: list[Ack] = []

    def acknowledge(self, acks: Sequence[Ack]) -> None:
        self.acks += acks


class FakePublisher:
    """Answers nothing by itself; the test resolves the futures."""

    def __init__(self) -> None:
        self.sent: list[tuple[Outgoing, Future[None]]] = []

    def submit(self, message: Outgoing) -> Future[None]:
        future: Future[None] = Future()
        self.sent.append((message, future))
        return future


class Bench:
    def __init__(self, take: RecordingTake, *, batch: int = 100) -> None:
        self.intake, self.publisher, self.inbox, self.stop = FakeIntake(), FakePublisher(), Inbox(), threading.Event()
        self.now = 0.0
        rules = DoorRules("tuer", ("musterstadt",))
        self.session = Session(
            self.intake,  # type: ignore[arg-type]
            self.inbox,
            channel="tuer",
            admission=Admission(rules, clock=lambda: NOW, claims=None, should_stop=self.stop.is_set),
            taker=Taker(
                take, channel="tuer", stop=self.stop, hold_seconds=0, on_holding=lambda _: None, wait=wait_none()
            ),
            refusals=Refusals(self.publisher, "q.refused", self.inbox),  # type: ignore[arg-type]
            should_stop=self.stop.is_set,
            batch=batch,
            aside_seconds=10,
            open_seconds=30,
            ticks=lambda: self.now,
            on_taking=lambda _: None,
        )

    def run(self, *events: object) -> None:
        """Feed these events, then end the line."""
        for event in (*events, Down("end of test")):
            self.inbox.put(event)
        with pytest.raises(LineDown, match="end of test"):
            self.session.run()


def delivery(tag: int, *, size: int = 1, **change: Any) -> Delivery:
    stated: dict[str, Any] = {"content_type": OSCI_MIME, "message_id": f"m-{tag}"}
    return Delivery(tag=tag, redelivered=False, content=MemoryContent(b"x" * size), **(stated | change))


def ends_session(take: RecordingTake, bench: Bench) -> Callable[[Sequence[Eingang]], None]:
    """Ends the line from within `take`, so that the batch before it is complete."""

    def end(_: Sequence[Eingang]) -> None:
        bench.inbox.put(Down("end of test"))

    return end


def run_batch(bench: Bench, take: RecordingTake, *deliveries: Delivery) -> None:
    take.fail = ends_session(take, bench)
    for one in deliveries:
        bench.inbox.put(one)
    with pytest.raises(LineDown, match="end of test"):
        bench.session.run()


def test_a_batch_is_taken_and_acknowledged_at_once() -> None:
    """What lies in the inbox becomes one commit and one acknowledgement."""
    take = RecordingTake()
    bench = Bench(take)
    run_batch(bench, take, *[delivery(tag) for tag in (1, 2, 3)])

    assert [["m-1", "m-2", "m-3"]] == take.calls
    assert [Ack(3, multiple=True)] == bench.intake.acks
    assert 3 == bench.session.decided


def test_a_refusal_that_is_not_confirmed_holds_back_its_own_ack_only() -> None:
    """The refused one stays unacknowledged until the broker has its copy; the others do not wait, and do not cover it."""
    take = RecordingTake()
    bench = Bench(take)
    run_batch(bench, take, delivery(1), delivery(2, content_type="text/plain"), delivery(3))

    assert [Ack(1, multiple=False), Ack(3, multiple=False)] == bench.intake.acks
    ((message, future),) = bench.publisher.sent
    assert ("q.refused", "intake.type.unknown") == (message.queue, message.headers["x-reason"])
    future.set_result(None)
    bench.run()
    assert Ack(2, multiple=False) == bench.intake.acks[-1]


def test_a_refusal_that_fails_is_tried_again() -> None:
    """A broker that could not store the copy is asked again after a pause; nothing is acknowledged meanwhile."""
    bench = Bench(RecordingTake(), batch=1)
    bench.run(delivery(1, content_type="text/plain"))
    bench.publisher.sent[0][1].set_exception(LineDown("gone"))
    bench.run()
    bench.run(delivery(2, content_type="text/plain"))
    assert ["m-1", "m-2"] == [message.message_id for message, _ in bench.publisher.sent]
    bench.now = 11
    bench.run(delivery(3, content_type="text/plain"))

    assert ["m-1", "m-2", "m-3", "m-1"] == [message.message_id for message, _ in bench.publisher.sent]
    assert [] == bench.intake.acks


def test_a_missing_refused_queue_ends_the_session() -> None:
    """The next session declares it; until then the message is unacknowledged."""
    bench = Bench(RecordingTake(), batch=1)
    bench.run(delivery(1, content_type="text/plain"))
    bench.publisher.sent[0][1].set_exception(Unroutable())

    with pytest.raises(LineDown, match="refused queue"):
        bench.session.run()
    assert [] == bench.intake.acks


def test_refusals_are_sent_in_a_window() -> None:
    """Large refused messages do not pile up on the way to a broker that is slow: one by one, in order."""
    bench = Bench(RecordingTake(), batch=3)
    large = 10 * 1024 * 1024
    bench.run(*[delivery(tag, size=large, content_type="text/plain") for tag in (1, 2, 3)])

    assert ["m-1"] == [message.message_id for message, _ in bench.publisher.sent]
    bench.publisher.sent[0][1].set_result(None)
    bench.run()
    assert ["m-1", "m-2"] == [message.message_id for message, _ in bench.publisher.sent]


def test_a_queue_that_never_answers_is_left() -> None:
    """A session that is not opened in time ends, so that the door can try anew."""
    bench = Bench(RecordingTake())
    bench.now = 31
    bench.inbox.put(Wake())

    with pytest.raises(LineDown, match="not opened"):
        bench.session.run()


def test_a_stopped_session_returns_and_takes_nothing_more() -> None:
    """After `stop` nothing is committed that is not under way."""
    take = RecordingTake()
    bench = Bench(take)
    bench.stop.set()
    bench.inbox.put(delivery(1))
    bench.session.run()

    assert [] == take.calls
    assert [] == bench.intake.acks


def test_many_messages_keep_their_order() -> None:
    """Batches follow the order of the queue (order within a Vorgang begins here, promise G5)."""
    take = RecordingTake()
    bench = Bench(take, batch=4)
    bench.run(*[delivery(tag) for tag in range(1, 13)])

    assert [f"m-{tag}" for tag in range(1, 13)] == [name for call in take.calls for name in call]
    assert [4, 4, 4] == [len(call) for call in take.calls]
    assert [Ack(4, multiple=True), Ack(8, multiple=True), Ack(12, multiple=True)] == bench.intake.acks
