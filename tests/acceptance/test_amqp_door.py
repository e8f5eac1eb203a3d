"""The AMQP door and its way back against a real broker: acknowledged means durable, and nothing gets lost or stuck."""

from __future__ import annotations

import hashlib
import re
import struct
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest
from pika.exceptions import AMQPError
from structlog.testing import capture_logs
from tenacity import wait_fixed

from intermediary.core.bulletin import Obstacle
from intermediary.core.faults import Misconfigured, Transient
from intermediary.core.values import Eingang
from intermediary.ingress.amqp import AmqpAnswers, AmqpDoor, AmqpSettings
from intermediary.ingress.claims import Claims
from intermediary.ingress.doors import OSCI_MIME, DoorRules, DoorState
from intermediary.ingress.gate import OPEN, Gate, GuardedGate
from intermediary.keys.spool import Spool
from intermediary.testing.servers import PrivateRabbit
from intermediary.testing.takes import NOW, RecordingTake

PATIENCE = 20.0
FULL_DISK = Obstacle("intake.disk.reserve", "/daten")


class _RawHeaders(pika.BasicProperties):
    table = b""

    def encode(self) -> list[bytes]:
        return [struct.pack(">H", self.FLAG_HEADERS), self.table]


class Client:
    """What a portal does: publishes with confirms, and reads queues."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()

    def publish(self, queue: str, message_id: str, body: bytes = b"synthetisch", **change: Any) -> None:
        properties = {"content_type": OSCI_MIME, "message_id": message_id, "delivery_mode": 2} | change
        self._channel.basic_publish("", queue, body, pika.BasicProperties(**properties), mandatory=True)

    def publish_raw(self, queue: str, table: bytes, body: bytes) -> None:
        """With a header table that no library would encode."""
        properties = _RawHeaders()
        properties.table = table
        self._channel.basic_publish("", queue, body, properties, mandatory=True)

    def read(self, queue: str, count: int) -> list[tuple[Any, bytes]]:
        """Wait for this many messages and take them out of the queue."""
        found: list[tuple[Any, bytes]] = []
        for method, properties, body in self._channel.consume(queue, inactivity_timeout=PATIENCE):
            if method is None:
                break
            found.append((properties, body))
            self._channel.basic_ack(method.delivery_tag)
            if len(found) == count:
                break
        self._channel.cancel()
        assert count == len(found)
        return found

    def rest(self, queue: str) -> set[str]:
        """The message ids that are in the queue, found by reading up to a mark of our own."""
        self.publish(queue, "mark")
        found: set[str] = set()
        for method, properties, _ in self._channel.consume(queue, inactivity_timeout=PATIENCE):
            assert method is not None, "the mark did not come"
            self._channel.basic_ack(method.delivery_tag)
            if properties.message_id == "mark":
                break
            found.add(properties.message_id)
        self._channel.cancel()
        return found

    def ready(self, queue: str) -> int:
        """How many messages of a queue nobody holds."""
        declared = self._channel.queue_declare(queue, passive=True)
        return int(declared.method.message_count)

    def delete(self, queue: str) -> None:
        self._channel.queue_delete(queue)

    def declare(self, queue: str) -> None:
        self._channel.queue_declare(queue, durable=True)

    def close(self) -> None:
        with suppress(AMQPError):
            self._connection.close()


@dataclass(frozen=True)
class House:
    """A broker, a queue of our own in it, and doors to it."""

    rabbit: PrivateRabbit
    folder: Path
    queue: str

    @contextmanager
    def door(
        self,
        take: Callable[[Sequence[Eingang]], Any],
        rules: DoorRules | None = None,
        *,
        gate: Gate = OPEN,
        **change: Any,
    ) -> Iterator[AmqpDoor]:
        """A running door; at the end it is stopped and must be gone within a second."""
        settings = replace(AmqpSettings(self.rabbit.url, self.queue, aside_seconds=0.05), **change)
        rules = rules or DoorRules("rabbit", ("musterstadt",))
        spool = Spool(self.folder / "spool")
        claims = Claims({"ablage": self.store}, spool=spool, max_bytes=rules.max_claim_bytes)
        door = AmqpDoor(
            settings, rules, take=take, clock=lambda: NOW, spool=spool, claims=claims, gate=gate, wait=wait_fixed(0.05)
        )
        thread = threading.Thread(target=door.run, daemon=True)
        thread.start()
        try:
            yield door
        finally:
            begun = time.monotonic()
            door.stop()
            thread.join(PATIENCE)
            took = time.monotonic() - begun
        assert not thread.is_alive()
        assert 1.0 > took
        assert DoorState.CLOSED is door.status.state

    @contextmanager
    def client(self) -> Iterator[Client]:
        client = Client(self.rabbit.url)
        try:
            yield client
        finally:
            client.close()

    @property
    def store(self) -> Path:
        folder = self.folder / "store"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def refused(self) -> str:
        return f"{self.queue}.refused"

    def open_once(self) -> None:
        """Let a door make the queues."""
        take = RecordingTake()
        with self.door(take) as door:
            until(lambda: door.status.state is DoorState.TAKING)


@pytest.fixture
def house(rabbit: PrivateRabbit, tmp_path: Path) -> House:
    house = House(rabbit, tmp_path, f"eingang-{uuid.uuid4().hex[:8]}")
    house.open_once()
    return house


def until(condition: Callable[[], bool]) -> None:
    """Look until it holds; for states that nobody signals."""
    pause = threading.Event()
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        pause.wait(0.01)


def test_what_is_taken_is_acknowledged(house: House) -> None:
    """Bytes and statements arrive at `take`; after it has returned the message is gone from the queue."""
    take = RecordingTake()
    rules = DoorRules("rabbit", ("musterstadt", "beispielhausen"), reply_to=frozenset({"antwort"}))
    body = b"x" * 3_000_000
    headers = {"x-mandant": "beispielhausen", "x-vorgang": "v-1"}
    with house.client() as client:
        with house.door(take, rules):
            client.publish(house.queue, "m-1", body, headers=headers, correlation_id="k-1", reply_to="antwort")
            assert take.wait_for(lambda t: t.ids == {"m-1"})
        assert set() == client.rest(house.queue)

    (eingang,) = take.taken
    assert ("beispielhausen", "rabbit", "m-1", OSCI_MIME, NOW) == (
        eingang.mandant,
        eingang.channel,
        eingang.message_id,
        eingang.content_type,
        eingang.received_at,
    )
    assert ("antwort", "k-1", "v-1") == (eingang.reply_to, eingang.correlation_id, eingang.vorgang)
    assert body == take.bodies["m-1"]


def test_a_closed_gate_stops_the_consumer_and_keeps_the_line(house: House) -> None:
    """What was on its way goes back once, the connection stays, and it goes on where it stopped (promise G8)."""
    gate, take = GuardedGate(), RecordingTake()
    names = {f"m-{number}" for number in range(20)}
    with house.client() as client, capture_logs() as said, house.door(take, gate=gate, prefetch=5) as door:
        until(lambda: door.status.state is DoorState.TAKING)
        gate.show([FULL_DISK])
        until(lambda: door.status.state is DoorState.HOLDING)
        for name in sorted(names):
            client.publish(house.queue, name)
        assert FULL_DISK.code == door.status.code
        until(lambda: client.ready(house.queue) == len(names))
        assert [] == take.calls
        gate.show([])
        assert take.wait_for(lambda t: t.ids == names)
        until(lambda: door.status.state is DoorState.TAKING)

    assert 1 == [one["event"] for one in said].count("amqp.session.opened")
    assert 0 == [one["event"] for one in said].count("amqp.session.ended")


def test_what_is_in_hand_goes_back_when_the_gate_closes(house: House) -> None:
    """The store goes away in the middle: the prefetched messages return to the queue for others, each once."""
    gate = GuardedGate()

    def fail(_: Sequence[Eingang]) -> None:
        gate.show([FULL_DISK])
        raise Transient("store.unavailable")

    take = RecordingTake(fail)
    with house.client() as client, capture_logs() as said, house.door(take, gate=gate, prefetch=10) as door:
        for number in range(10):
            client.publish(house.queue, f"m-{number}")
        until(lambda: door.status.state is DoorState.HOLDING and client.ready(house.queue) == 10)
        take.fail = lambda _: None
        gate.show([])
        assert take.wait_for(lambda t: len(t.ids) == 10)

    assert "amqp.session.ended" not in {one["event"] for one in said}


def test_nothing_is_acknowledged_that_was_not_taken(house: House) -> None:
    """While `take` fails the messages stay; when the door is stopped all are in the queue again."""
    names = {f"m-{i}" for i in range(20)}
    take = RecordingTake(_raise(Transient("store.unavailable")))
    with house.client() as client:
        for name in sorted(names):
            client.publish(house.queue, name)
        with house.door(take) as door:
            assert take.wait_for(lambda t: len(t.calls) >= 3)
            until(lambda: door.status.state is DoorState.HOLDING)
            assert "store.unavailable" == door.status.code
        assert names == client.rest(house.queue)


def test_the_door_goes_on_when_the_store_is_back(house: House) -> None:
    """An outage of the store needs no hand: what was held is taken, once each, and the status is well again."""
    take = RecordingTake(_raise(OSError(28, "no space")))
    with house.client() as client, house.door(take) as door:
        for i in range(20):
            client.publish(house.queue, f"m-{i}")
        assert take.wait_for(lambda t: len(t.calls) >= 3)
        take.fail = lambda _: None
        assert take.wait_for(lambda t: len(t.ids) == 20)
        until(lambda: door.status.state is DoorState.TAKING)
    assert 20 == len(take.taken)


def test_what_cannot_be_held_longer_returns_to_the_queue(house: House) -> None:
    """After the longest time of holding another host may try: the messages come again."""
    take = RecordingTake(_raise(Transient("store.unavailable")))
    with house.client() as client, house.door(take, hold_seconds=0.1):
        client.publish(house.queue, "m-1")
        assert take.wait_for(lambda t: len(t.calls) >= 8)
        take.fail = lambda _: None
        assert take.wait_for(lambda t: t.ids == {"m-1"})


def test_one_that_cannot_be_taken_is_the_only_one_left(house: House) -> None:
    """A batch with one message that `take` cannot digest: the others are acknowledged, that one and no other returns."""
    first_is_in = threading.Event()
    all_are_out = threading.Event()

    def fail(offered: Sequence[Eingang]) -> None:
        if offered[0].message_id == "first":
            first_is_in.set()
            all_are_out.wait(PATIENCE)
        if "bad" in [eingang.message_id for eingang in offered]:
            raise KeyError("bad")

    take = RecordingTake(fail)
    good = {f"m-{i}" for i in range(30)} | {"first"}
    with house.client() as client:
        with house.door(take, batch=50):
            client.publish(house.queue, "first")
            assert first_is_in.wait(PATIENCE)
            for i in range(30):
                client.publish(house.queue, f"m-{i}" if i != 7 else "bad")
            client.publish(house.queue, "m-7")
            all_are_out.set()
            assert take.wait_for(lambda t: t.ids == good)
            assert take.wait_for(lambda t: t.calls.count(["bad"]) >= 3)
        assert max(len(call) for call in take.calls) > 10
        assert {"bad"} == client.rest(house.queue)


def test_a_killed_broker_loses_nothing(house: House) -> None:
    """SIGKILL of the broker in the middle: every confirmed message is taken, the door comes back by itself."""
    house.rabbit.settle()
    confirmed: set[str] = set()
    total = 600
    take = RecordingTake()

    def publish_all() -> None:
        """Each until it is confirmed, over all connections that takes."""
        client: Client | None = None
        pause = threading.Event()
        while len(confirmed) < total:
            try:
                client = client or Client(house.rabbit.url)
                for i in range(total):
                    if f"m-{i}" not in confirmed:
                        client.publish(house.queue, f"m-{i}", b"%d" % i)
                        confirmed.add(f"m-{i}")
            except AMQPError:
                client = None
                pause.wait(0.1)
        if client is not None:
            client.close()

    with house.door(take):
        publisher = threading.Thread(target=publish_all, daemon=True)
        publisher.start()
        assert take.wait_for(lambda t: len(t.ids) > total // 4)
        house.rabbit.restart()
        publisher.join(60)
        assert not publisher.is_alive()
        assert take.wait_for(lambda t: len(t.ids) == total)
    with house.client() as client:
        assert set() == client.rest(house.queue)


def test_a_door_waits_for_its_broker(house: House) -> None:
    """While the broker is away the door says so, stops within a second if asked, and opens when it is back."""
    take = RecordingTake()
    house.rabbit.settle()
    house.rabbit.kill()
    try:
        with house.door(take) as door:
            until(lambda: door.status.code != "")
            assert DoorState.OPENING is door.status.state
        with house.door(take) as door:
            house.rabbit.restart()
            until(lambda: door.status.state is DoorState.TAKING)
    finally:
        if not house.rabbit.is_running:
            house.rabbit.start()


def test_every_reason_to_refuse_reaches_the_refused_queue(house: House) -> None:
    """Each kind of defect is put aside with its code and a sentence, and what is sound passes between them."""
    rules = DoorRules("rabbit", ("musterstadt", "beispielhausen"), max_bytes=1000, reply_to=frozenset({"antwort"}))
    (house.store / "k1").write_bytes(b"other bytes")
    claim = {"store": "ablage", "key": "k1", "size": 11, "sha256": "0" * 64}
    one = {"x-mandant": "musterstadt"}
    cases: dict[str, tuple[str, bytes, dict[str, Any]]] = {
        "type": ("intake.type.unknown", b"x", {"content_type": "text/plain", "headers": one}),
        "size": ("intake.size.exceeded", b"x" * 1001, {"headers": one}),
        "empty": ("intake.body.empty", b"", {"headers": one}),
        "unlisted": ("intake.mandant.unknown", b"x", {"headers": {"x-mandant": "fremd"}}),
        "unnamed": ("intake.mandant.unknown", b"x", {}),
        "reply": ("intake.reply.unlisted", b"x", {"headers": one, "reply_to": "amq.other"}),
        "vorgang": ("intake.header.invalid", b"x", {"headers": one | {"x-vorgang": 5}}),
        "claim-bytes": ("intake.claim.invalid", b"", {"headers": one | {"x-claim": claim}}),
        "claim-path": ("intake.claim.invalid", b"", {"headers": one | {"x-claim": claim | {"key": "../k1"}}}),
        "claim-gone": ("intake.claim.invalid", b"", {"headers": one | {"x-claim": claim | {"key": "k2"}}}),
        "claim-body": ("intake.claim.invalid", b"x", {"headers": one | {"x-claim": claim}}),
        "forged": (
            "intake.mandant.unknown",
            b"x",
            {"headers": {"x-death": "x", "x-reason": "y"}, "expiration": "60000"},
        ),
    }
    take = RecordingTake()
    with house.client() as client, house.door(take, rules):
        for name, (_, body, change) in cases.items():
            client.publish(house.queue, name, body, **change)
        client.publish(house.queue, "", b"no id", headers=one)
        client.publish(house.queue, "good", headers=one)
        refused = client.read(house.refused, len(cases) + 1)
        assert take.wait_for(lambda t: t.ids == {"good"})

    codes = {properties.message_id: properties.headers["x-reason"] for properties, _ in refused}
    assert {name: code for name, (code, _, _) in cases.items()} | {None: "intake.id.missing"} == codes
    assert all(properties.headers["x-reason-text"].endswith(".") for properties, _ in refused)
    assert all(properties.delivery_mode == 2 and properties.expiration is None for properties, _ in refused)
    assert {"x" * 1001, "no id"} <= {body.decode() for _, body in refused}


def test_headers_that_break_the_library_do_not_break_the_door(house: House) -> None:
    """A timestamp beyond all years and tables nested 15,000 deep are legal: refused, and the next is taken."""
    deep = b""
    for _ in range(15_000):
        deep = b"\x01nF" + _table(deep)
    take = RecordingTake()
    with house.client() as client, house.door(take):
        for raw in (b"\x01tT" + struct.pack(">Q", 2**62), deep):
            client.publish_raw(house.queue, _table(raw), b"poison")
        client.publish(house.queue, "good")
        refused = client.read(house.refused, 2)
        assert take.wait_for(lambda t: t.ids == {"good"})

    assert [b"poison", b"poison"] == [body for _, body in refused]
    assert {"intake.type.unknown"} == {properties.headers["x-reason"] for properties, _ in refused}


def test_a_claim_is_copied_and_verified(house: House) -> None:
    """A large file in a listed store becomes the body; the file stays where it is."""
    body = b"synthetisch" * 300_000
    (house.store / "k1").write_bytes(body)
    claim = {"store": "ablage", "key": "k1", "size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    take = RecordingTake()
    with house.client() as client, house.door(take, DoorRules("rabbit", ("musterstadt",), max_bytes=1000)):
        client.publish(house.queue, "m-1", b"", headers={"x-claim": claim})
        assert take.wait_for(lambda t: t.ids == {"m-1"})

    assert body == take.bodies["m-1"]
    assert (house.store / "k1").exists()


def test_a_claim_store_that_is_away_delays_only_claims(house: House) -> None:
    """While the store is not mounted a claim waits unacknowledged, others pass, and it is taken afterwards."""
    house.store.rename(house.folder / "unmounted")
    claim = {"store": "ablage", "key": "k1", "size": 4, "sha256": hashlib.sha256(b"body").hexdigest()}
    (house.folder / "unmounted" / "k1").write_bytes(b"body")
    take = RecordingTake()
    rules = DoorRules("rabbit", ("musterstadt",))
    with house.client() as client:
        client.publish(house.queue, "claim", b"", headers={"x-claim": claim})
        client.publish(house.queue, "plain")
        with house.door(take, rules) as door:
            (house.folder / "store").rmdir()
            assert take.wait_for(lambda t: t.ids >= {"plain"})
            until(lambda: door.status.aside == 1 or "claim" in take.ids)
            (house.folder / "unmounted").rename(house.folder / "store")
            assert take.wait_for(lambda t: t.ids == {"plain", "claim"})


def test_a_repeated_claim_whose_file_is_gone_is_no_refusal(house: House) -> None:
    """Taken, then the connection breaks before the acknowledgement, and the file is removed: a duplicate."""
    (house.store / "k1").write_bytes(b"body")
    claim = {"store": "ablage", "key": "k1", "size": 4, "sha256": hashlib.sha256(b"body").hexdigest()}
    inner = RecordingTake()

    def take_and_break(offered: Sequence[Eingang]) -> Any:
        taken = inner(offered)
        if len(inner.calls) == 1:
            (house.store / "k1").unlink()
            house.rabbit.ctl("close_all_connections", "test")
        return taken

    with house.door(take_and_break):
        with house.client() as client:
            client.publish(house.queue, "m-1", b"", headers={"x-claim": claim})
        assert inner.wait_for(lambda t: len(t.calls) == 2)
    with house.client() as client:
        assert set() == client.rest(house.queue)
        assert set() == client.rest(house.refused)
    assert [["m-1"], ["m-1"]] == inner.calls


def test_a_deleted_queue_is_declared_again(house: House) -> None:
    """The consumer is cancelled by the broker; the door makes the queue anew and goes on, without spinning."""
    take = RecordingTake()
    with house.client() as client, house.door(take):
        client.publish(house.queue, "before")
        assert take.wait_for(lambda t: t.ids == {"before"})
        client.delete(house.queue)
        until(lambda: _is_there(house, house.queue))
        client.publish(house.queue, "after")
        assert take.wait_for(lambda t: t.ids == {"before", "after"})


def test_a_deleted_refused_queue_is_declared_again(house: House) -> None:
    """A refusal that cannot be put aside is not acknowledged; it arrives once the queue is there again."""
    with house.client() as client, house.door(RecordingTake()):
        client.delete(house.refused)
        client.publish(house.queue, "bad", content_type="text/plain")
        until(lambda: _is_there(house, house.refused))
        ((properties, _),) = client.read(house.refused, 1)

    assert "bad" == properties.message_id


def test_a_queue_of_the_operators_making_is_used_as_it_is(house: House) -> None:
    """A queue that exists with other arguments is consumed, not fought over."""
    own = replace(house, queue=f"{house.queue}-classic")
    take = RecordingTake()
    with own.client() as client:
        client.declare(own.queue)
        client.declare(own.refused)
        client.publish(own.queue, "good")
        client.publish(own.queue, "bad", content_type="text/plain")
        with own.door(take):
            assert take.wait_for(lambda t: t.ids == {"good"})
            assert 1 == len(client.read(own.refused, 1))


def test_what_expires_in_the_queue_is_not_dropped(house: House) -> None:
    """A sender may set an expiration: then the broker puts the message into the refused queue, with its own reason."""
    with house.client() as client:
        client.publish(house.queue, "expired", expiration="1")
        ((properties, _),) = client.read(house.refused, 1)

    assert "expired" == properties.message_id
    assert "expired" == properties.headers["x-death"][0]["reason"]


def test_a_broker_in_alarm_is_still_consumed(house: House) -> None:
    """While the broker takes nothing (memory alarm) sound messages are taken, refusals and Quittungen wait."""
    take = RecordingTake()
    with house.client() as client:
        client.declare(f"{house.queue}.answers")
        client.publish(house.queue, "bad", content_type="text/plain")
        for i in range(20):
            client.publish(house.queue, f"m-{i}")
        house.rabbit.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
        try:
            with house.door(take):
                assert take.wait_for(lambda t: len(t.ids) == 20)
            impatient = AmqpAnswers(house.rabbit.url, queue=f"{house.queue}.answers", confirm_seconds=0.5)
            for _ in range(2):
                with pytest.raises(Transient):
                    impatient.answer(b"{}", quittung_id="q-0", message_id="m", correlation_id="", reply_to="")
            impatient.close()
        finally:
            house.rabbit.ctl("set_vm_memory_high_watermark", "absolute", "1GB")
        with house.door(take):
            ((properties, _),) = client.read(house.refused, 1)
        assert "bad" == properties.message_id


def test_a_quittung_is_confirmed(house: House) -> None:
    """A Quittung reaches the queue of the channel or the one the sender asked for, persistent, with both ids."""
    answers = AmqpAnswers(house.rabbit.url, queue=house.refused)
    with house.client() as client:
        proof = answers.answer(b'{"a": 1}', quittung_id="q-1", message_id="m-1", correlation_id="k-1", reply_to="")
        answers.answer(b"{}", quittung_id="q-2", message_id="m-2", correlation_id="", reply_to=house.queue)
        ((first, body),) = client.read(house.refused, 1)
        ((second, _),) = client.read(house.queue, 1)
    answers.close()

    assert b'{"a": 1}' == body
    assert ("q-1", "k-1", 2) == (first.message_id, first.correlation_id, first.delivery_mode)
    assert ("q-2", "m-2") == (second.message_id, second.correlation_id)
    assert {"amqp_queue": house.refused, "amqp_message_id": "q-1", "sha256": hashlib.sha256(body).hexdigest()} == proof


def test_a_quittung_without_a_queue_is_the_operators(house: House) -> None:
    """A queue that does not exist is never mistaken for a delivery, also among good ones from several threads."""
    answers = AmqpAnswers(house.rabbit.url, queue=house.refused)
    outcomes: dict[str, str] = {}

    def send(number: int) -> None:
        reply_to = "missing" if number % 3 == 0 else ""
        try:
            answers.answer(b"{}", quittung_id=f"q-{number}", message_id="m", correlation_id="", reply_to=reply_to)
            outcomes[f"q-{number}"] = "sent"
        except Misconfigured as error:
            outcomes[f"q-{number}"] = error.code

    threads = [threading.Thread(target=send, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    answers.close()
    with house.client() as client:
        arrived = client.rest(house.refused)

    assert (
        {f"q-{n}" for n in range(30) if n % 3} == arrived == {name for name, said in outcomes.items() if said == "sent"}
    )
    assert {"sent", "receipt.undeliverable"} == set(outcomes.values())


def test_answers_come_back_after_the_broker(house: House) -> None:
    """No broker: waits, quickly. Broker back: the next attempt opens a connection by itself."""
    house.rabbit.settle()
    answers = AmqpAnswers(house.rabbit.url, queue=house.refused)
    ids = {"quittung_id": "q-1", "message_id": "m-1", "correlation_id": "", "reply_to": ""}
    answers.answer(b"{}", **ids)
    house.rabbit.kill()
    try:
        with pytest.raises(Transient) as waits:
            answers.answer(b"{}", **ids)
        assert "receipt.unreachable" == waits.value.code
    finally:
        house.rabbit.restart()
    answers.answer(b"{}", **ids)
    answers.close()
    with house.client() as client:
        assert {"q-1"} == client.rest(house.refused)


def test_nothing_is_sent_after_the_end(house: House) -> None:
    """A way back that was closed says so instead of hanging."""
    answers = AmqpAnswers(house.rabbit.url, queue=house.refused)
    ids = {"quittung_id": "q-1", "message_id": "m-1", "correlation_id": "", "reply_to": ""}
    answers.answer(b"{}", **ids)
    answers.close()

    with pytest.raises(Transient):
        answers.answer(b"{}", **ids)


def test_the_published_example_works(house: House, project: Path) -> None:
    """The publisher in docs/reference/amqp.md gets a submission taken, and tells an unroutable one from a stored one."""
    page = (project / "docs" / "reference" / "amqp.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, "docs/reference/amqp.md", "exec"), namespace)
    file = house.folder / "antrag.osci"
    file.write_bytes(b"synthetisch")
    take = RecordingTake()
    with house.door(take):
        namespace["submit"](house.rabbit.url, house.queue, file, message_id="m-1", mandant="musterstadt")
        assert take.wait_for(lambda t: t.bodies == {"m-1": b"synthetisch"})
    with pytest.raises(pika.exceptions.UnroutableError):
        namespace["submit"](house.rabbit.url, "missing", file, message_id="m-2", mandant="musterstadt")


def _raise(error: Exception) -> Callable[[Sequence[Eingang]], None]:
    def fail(_: Sequence[Eingang]) -> None:
        raise error

    return fail


def _table(items: bytes) -> bytes:
    return struct.pack(">I", len(items)) + items


def _is_there(house: House, queue: str) -> bool:
    connection = pika.BlockingConnection(pika.URLParameters(house.rabbit.url))
    try:
        connection.channel().queue_declare(queue, passive=True)
    except pika.exceptions.ChannelClosedByBroker:
        return False
    finally:
        connection.close()
    return True


def test_the_probe_tells_a_missing_queue_from_a_missing_broker(rabbit):
    """`doctor` says whether the broker or the queue is what is missing, and changes nothing."""
    with pytest.raises(Misconfigured) as missing:
        AmqpAnswers(rabbit.url, queue="no.such.queue").probe()
    with pytest.raises(Transient) as gone:
        AmqpAnswers("amqp://guest:guest@127.0.0.1:1/", queue="q", connect_seconds=1).probe()
    AmqpAnswers(rabbit.url, queue="").probe()

    assert ("receipt.undeliverable", "receipt.unreachable") == (missing.value.code, gone.value.code)
