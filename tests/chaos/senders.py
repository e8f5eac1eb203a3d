"""Who hands in: a folder and a queue, each writing down what it gave and what was taken from it.

`given` is written before anything leaves, `taken` when the door has said so: the file is gone, the broker has confirmed.
What is not taken is given again under the same id, as senders do; now and then something that was taken is given again too.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika
from pika.exceptions import AMQPError

from intermediary.ingress.amqp.intake import queue_arguments, refused_queue_of
from intermediary.ingress.doors import OSCI_MIME
from tests.chaos.installation import ANSWERS, QUEUE, Stand
from tests.chaos.journal import Journal

VORGAENGE = 12
_REPEATED = 0.03
_AGAIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Load:
    """How much is handed in: the pause between two, how many go to the target of kind none, and when it is enough."""

    seed: int = 1
    pace_seconds: float = 0.15
    bold: float = 0.08
    is_full: Callable[[], bool] = lambda: False


class Author:
    """Makes up what is handed in: id, Vorgang and body, by the dice of the seed."""

    def __init__(self, stand: Stand, name: str, load: Load) -> None:
        self._stand = stand
        self._name = name
        self._dice = random.Random(f"{name} {load.seed}")
        self._load = load
        self._count = 0

    def next(self) -> tuple[dict[str, Any], bytes]:
        """What the journal says of the next submission, and its bytes."""
        number, self._count = self._count, self._count + 1
        is_bold = self._dice.random() < self._load.bold
        bodies = self._stand.bold if is_bold else self._stand.ordinary
        about = {
            "id": f"{self._name}-{self._load.seed}-{number}",
            "channel": self._name,
            "number": number,
            "bold": is_bold,
        }
        if not is_bold and self._dice.random() < 0.7:
            about["vorgang"] = f"V-{self._name}-{self._dice.randrange(VORGAENGE)}"
        return about, self._dice.choice(bodies)

    def is_repeating(self) -> bool:
        return self._dice.random() < _REPEATED


class FolderSender:
    """Renames files into the inbox, never more than `ahead` of what was taken; one of each Vorgang at a time."""

    def __init__(self, stand: Stand, journal: Journal, load: Load, *, ahead: int = 30) -> None:
        self._inbox = stand.site.inbox
        self._author = Author(stand, "folder", load)
        self._journal = journal
        self._pace = load.pace_seconds
        self._is_full = load.is_full
        self._ahead = ahead
        self._lying: dict[str, dict[str, Any]] = {}
        self._kept: dict[str, bytes] = {}
        self._trap: tuple[Callable[[], None], threading.Event] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folder-sender", daemon=True)
        self.taken = 0

    def start(self) -> None:
        self._thread.start()

    def set_trap(self, spring: Callable[[], None]) -> threading.Event:
        """Call `spring` as soon as the next file has been taken."""
        sprung = threading.Event()
        self._trap = (spring, sprung)
        return sprung

    def disarm(self) -> None:
        self._trap = None

    def finish(self, seconds: float) -> bool:
        """Hand in nothing more, and wait until all of it is taken."""
        self._stop.set()
        self._thread.join()
        pause, end = threading.Event(), time.monotonic() + seconds
        while self._lying and time.monotonic() < end:
            self._look()
            pause.wait(0.05)
        return not self._lying

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(0.005):
            self._look()
            if time.monotonic() >= due and len(self._lying) < self._ahead and not self._is_full():
                due = max(due + self._pace, time.monotonic() - 5 * self._pace)
                self._give()

    def _give(self) -> None:
        about, body = self._author.next()
        busy = {one.get("vorgang") for one in self._lying.values()} - {None}
        if about.get("vorgang") in busy:
            about.pop("vorgang")
        self._journal.write("given", **about)
        self._lay(about, body)
        if self._author.is_repeating():
            self._kept[about["id"]] = body

    def _lay(self, about: dict[str, Any], body: bytes) -> None:
        name = about["id"]
        stated = {"message_id": name} | ({"vorgang": about["vorgang"]} if "vorgang" in about else {})
        self._write(f"{name}.json", json.dumps(stated).encode())
        self._write(name, body)
        self._lying[name] = about

    def _write(self, name: str, data: bytes) -> None:
        draft = self._inbox / f".{name}"
        draft.write_bytes(data)
        draft.rename(self._inbox / name)

    def _look(self) -> None:
        for name, about in list(self._lying.items()):
            if (self._inbox / name).exists():
                continue
            if self._trap is not None:
                (spring, sprung), self._trap = self._trap, None
                spring()
                sprung.set()
            self._journal.write("taken", id=name)
            self.taken += 1
            del self._lying[name]
            body = self._kept.pop(name, None)
            if body is not None and not self._stop.is_set():
                self._journal.write("given", again=True, **about)
                self._lay(about, body)


class QueueSender:
    """Publishes with confirms, one after the other; what was not confirmed is published again, in its place."""

    def __init__(self, stand: Stand, url: str, journal: Journal, load: Load) -> None:
        self._parameters = pika.URLParameters(url)
        self._parameters.socket_timeout = self._parameters.stack_timeout = 3
        self._parameters.blocked_connection_timeout = 5
        self._parameters.heartbeat = 10
        self._author = Author(stand, "rabbit", load)
        self._journal = journal
        self._pace = load.pace_seconds
        self._is_full = load.is_full
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="queue-sender", daemon=True)
        self.taken = 0

    def declare(self) -> None:
        """The queues of the channel, before the first daemon."""
        declare_queues(self._parameters)

    def start(self) -> None:
        self._thread.start()

    def finish(self, seconds: float) -> bool:
        self._stop.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        waiting: tuple[dict[str, Any], bytes] | None = None
        while not self._stop.is_set() or waiting is not None:
            try:
                with pika.BlockingConnection(self._parameters) as connection:
                    channel = connection.channel()
                    channel.confirm_delivery()
                    while not self._stop.is_set() or waiting is not None:
                        if waiting is None and self._is_full():
                            connection.sleep(self._pace)
                            continue
                        if waiting is None:
                            waiting = self._author.next()
                            self._journal.write("given", **waiting[0])
                        self._publish(channel, *waiting)
                        if self._author.is_repeating():
                            self._publish(channel, *waiting)
                        self._journal.write("taken", id=waiting[0]["id"])
                        waiting = None
                        self.taken += 1
                        connection.sleep(self._pace)
            except (AMQPError, OSError):
                threading.Event().wait(_AGAIN_SECONDS)

    def _publish(self, channel: Any, about: dict[str, Any], body: bytes) -> None:
        headers = {"x-vorgang": about["vorgang"]} if "vorgang" in about else {}
        properties = pika.BasicProperties(
            content_type=OSCI_MIME, message_id=about["id"], delivery_mode=2, headers=headers
        )
        channel.basic_publish("", QUEUE, body, properties, mandatory=True)


def declare_queues(parameters: pika.URLParameters) -> None:
    """The queues of the channel and of its way back."""
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.queue_declare(QUEUE, durable=True, arguments=dict(queue_arguments(QUEUE)))
    for name in (refused_queue_of(QUEUE), ANSWERS):
        channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
    connection.close()


class AnswerReader:
    """The other end of the way back: writes down every Quittung that comes to the queue."""

    def __init__(self, url: str, journal: Journal) -> None:
        self._parameters = pika.URLParameters(url)
        self._parameters.socket_timeout = self._parameters.stack_timeout = 3
        self._journal = journal
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="answer-reader", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with pika.BlockingConnection(self._parameters) as connection:
                    channel = connection.channel()
                    while not self._stop.is_set():
                        method, _, body = channel.basic_get(ANSWERS)
                        if method is None:
                            connection.sleep(0.1)
                            continue
                        quittung = json.loads(body)
                        self._journal.write("quittung", id=quittung["messageId"], status=quittung["status"])
                        channel.basic_ack(method.delivery_tag)
            except (AMQPError, OSError):
                self._stop.wait(_AGAIN_SECONDS)


def folder_quittungen(folder: Path) -> list[tuple[str, str]]:
    """Id and status of every Quittung that lies in a folder."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    return [(one["messageId"], one["status"]) for one in found]
