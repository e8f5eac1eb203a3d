"""The two ways in that a sweep goes: what hands in one message, and tells how many have not been taken yet."""

from __future__ import annotations

import threading
import time
from typing import Protocol

import pika

from intermediary.ingress.doors import OSCI_MIME
from tests.chaos.campaign import POSTGRESQL
from tests.chaos.installation import ANSWERS, QUEUE, Stand
from tests.chaos.journal import Journal
from tests.chaos.oneshot import MAIN
from tests.chaos.senders import AnswerReader

FOLDER, RABBIT = "folder", "queue"
_LINES = ("rabbit", "rabbit answers")
_PATIENCE_SECONDS = 30.0


class Way(Protocol):
    """One way in."""

    name: str

    def give(self, name: str) -> None:
        """Hand in one message and write that down."""
        ...

    def waiting(self) -> int:
        """How many the next run is to take; asked while nobody runs."""
        ...

    def close(self) -> None:
        """Wait until every Quittung is written down."""
        ...


def threads(way: str, engine: str) -> tuple[str, ...]:
    """Who makes system calls in a run: the thread that takes, delivers and seals; the lines to the broker; the bell."""
    return (MAIN, *(_LINES if way == RABBIT else ()), *(("bell",) if engine == POSTGRESQL else ()))


class FolderWay:
    """Files in the inbox; one is taken when it is gone."""

    name = FOLDER

    def __init__(self, stand: Stand, sent: Journal) -> None:
        self._stand = stand
        self._sent = sent
        self._count = 0
        self._lying: set[str] = set()

    def give(self, name: str) -> None:
        self._sent.write("given", id=name, channel="folder")
        bodies = self._stand.ordinary
        self._count += 1
        draft = self._stand.site.inbox / f".{name}"
        draft.write_bytes(bodies[self._count % len(bodies)])
        draft.rename(self._stand.site.inbox / name)
        self._lying.add(name)

    def waiting(self) -> int:
        for name in [one for one in self._lying if not (self._stand.site.inbox / one).exists()]:
            self._sent.write("taken", id=name)
            self._lying.discard(name)
        return len(self._lying)

    def close(self) -> None:
        return


class QueueWay:
    """Messages in the queue, confirmed by the broker; one is taken when nobody has to get it any more."""

    name = RABBIT

    def __init__(self, stand: Stand, url: str, sent: Journal, heard: Journal) -> None:
        self._stand = stand
        self._sent = sent
        self._count = 0
        parameters = pika.URLParameters(url)
        parameters.heartbeat = 0
        self._connection = pika.BlockingConnection(parameters)
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self._reader = AnswerReader(url, heard)

    def give(self, name: str) -> None:
        self._sent.write("given", id=name, channel="rabbit")
        bodies = self._stand.ordinary
        self._count += 1
        properties = pika.BasicProperties(content_type=OSCI_MIME, message_id=name, delivery_mode=2)
        self._channel.basic_publish("", QUEUE, bodies[self._count % len(bodies)], properties, mandatory=True)
        self._sent.write("taken", id=name)

    def waiting(self) -> int:
        """What is ready again after the broker has noticed that its consumer is gone."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while (told := self._look(QUEUE)).consumer_count:
            if time.monotonic() > end:
                raise AssertionError("the broker keeps a consumer that is dead")
            threading.Event().wait(0.005)
        return int(told.message_count)

    def close(self) -> None:
        end = time.monotonic() + _PATIENCE_SECONDS
        while self._look(ANSWERS).message_count and time.monotonic() < end:
            threading.Event().wait(0.05)
        self._reader.close()
        self._connection.close()

    def _look(self, queue: str) -> pika.spec.Queue.DeclareOk:
        return self._channel.queue_declare(queue, passive=True).method
