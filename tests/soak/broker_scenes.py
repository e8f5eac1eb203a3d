"""Targets of the connectors `amqp` and `eakte_xdomea` behind a broker and a line that fail while the daemon delivers."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pika
from pika import exceptions as trouble

from intermediary.testing.servers import PrivateRabbit
from tests.chaos.proxy import Proxy
from tests.conformance.eakte_target import Imported, confirmation
from tests.soak.connector_scenes import Scene
from tests.soak.connector_scenes import _toml as toml

GIVEN, BACK = "fachverfahren.eingang", "eakte.antwort"
_QUORUM = {"x-queue-type": "quorum"}


class Reader:
    """The Fachverfahren at the queue: notes each message, answers where it is an e-file, acknowledges."""

    def __init__(self, rabbit: PrivateRabbit, *, removes_doubles: bool, answers: bool) -> None:
        self._rabbit = rabbit
        self._removes_doubles = removes_doubles
        self._answers = answers
        self._keys: set[str] = set()
        self.seen: Counter[str] = Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            with suppress(trouble.AMQPError, OSError):
                self._read()
            self._over.wait(0.1)

    def _read(self) -> None:
        line = pika.BlockingConnection(pika.URLParameters(self._rabbit.url))
        with suppress(trouble.AMQPError, OSError):
            channel: Any = line.channel()
            channel.confirm_delivery()
            while not self._over.is_set():
                method, properties, _ = channel.basic_get(GIVEN)
                if method is None:
                    self._over.wait(0.02)
                    continue
                self._note(channel, properties, method.redelivered)
                channel.basic_ack(method.delivery_tag)
        line.close()

    def _note(self, channel: Any, properties: Any, redelivered: bool) -> None:
        name = properties.headers["x-file-name"].partition("_")[0]
        is_double = properties.message_id in self._keys and (self._removes_doubles or redelivered)
        if self._answers:
            channel.basic_publish("", BACK, confirmation(name, Imported()), pika.BasicProperties(delivery_mode=2))
        if not is_double:
            self._keys.add(properties.message_id)
            self.seen[name] += 1


@contextmanager
def queue(folder: Path, _: random.Random, *, native: bool, is_eakte: bool = False) -> Iterator[Scene]:
    """A broker that is killed, behind a line that is cut, refuses, or lets nothing come back."""
    troubles: Counter[str] = Counter()
    pause = threading.Event()
    with PrivateRabbit() as rabbit:
        line = pika.BlockingConnection(pika.URLParameters(rabbit.url))
        for name in (GIVEN, BACK):
            line.channel().queue_declare(name, durable=True, arguments=_QUORUM)
        line.close()
        rabbit.settle()
        proxy, reader = Proxy(rabbit.port), Reader(rabbit, removes_doubles=native, answers=is_eakte)
        url = folder / "url"
        url.write_text(rabbit.url.replace(str(rabbit.port), str(proxy.port)))
        url.chmod(0o600)

        def disturb(dice: random.Random) -> None:
            if dice.random() > 0.25:
                return
            if dice.random() < 0.03:
                troubles["broker killed"] += 1
                rabbit.restart()
                return
            mode = dice.choice(("reset", "reset", "one-way", "refuse", "delay", ""))
            troubles[mode or "none"] += 1
            proxy.set_mode(mode)
            pause.wait(dice.uniform(0, 0.2))
            proxy.set_mode("")

        settings: dict[str, object] = {
            "url_file": str(url),
            "routing_key": GIVEN,
            "target_deduplicates": native,
            "connect_seconds": 5,
            "confirm_seconds": 10,
        }
        text = toml("amqp", settings)
        if is_eakte:
            names = ("folder", "archive", "unmatched")
            for name in ("state", *names):
                (folder / name).mkdir()
            answers = {**{name: str(folder / name) for name in names}, "queue": BACK}
            state = str(folder / "state")
            text = toml("eakte_xdomea", {"transport": "amqp", "state": state, "amqp": settings, "answers": answers})
        try:
            yield Scene(text, disturb, lambda: Counter(reader.seen), is_certain=native, troubles=troubles)
        finally:
            reader.close()
            proxy.close()


SCENES = {
    "amqp-native": partial(queue, native=True),
    "amqp-none": partial(queue, native=False),
    "eakte-amqp": partial(queue, native=True, is_eakte=True),
}
