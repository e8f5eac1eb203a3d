"""A queue of a private RabbitMQ behind a line that misbehaves: the target for the connector `amqp`, at two levels."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pika

from intermediary.testing.kit.amqp_line import AFTER, AT_THE_DOOR, BEFORE, AmqpLine
from intermediary.testing.kit.description import CannotCheck
from intermediary.testing.kit.target import Effect, Trouble
from intermediary.testing.servers import PrivateRabbit, RabbitMissing

_QUEUE = "fachverfahren.eingang"
_BURST = 3


class Queue:
    """`Target` whose effects are the messages of a queue; it takes a `message-id` only once."""

    removes_doubles: ClassVar[bool] = True

    def __init__(self) -> None:
        try:
            self._rabbit = PrivateRabbit()
        except RabbitMissing as missing:
            raise CannotCheck(str(missing)) from None
        self._lock = threading.Lock()
        self._script: list[Trouble | None] = []
        self._seen: list[tuple[str, Effect]] = []
        self._marks: dict[str, int] = {}
        self._claims = Path()

    def start(self, folder: Path) -> Mapping[str, object]:
        self._rabbit.start()
        self._reader = pika.BlockingConnection(pika.URLParameters(f"{self._rabbit.url}?heartbeat=0"))
        self._channel: Any = self._reader.channel()
        self._channel.queue_declare(_QUEUE, durable=True)
        self._line = AmqpLine(self._rabbit.port, self._next)
        self._claims = folder / "drop"
        self._claims.mkdir()
        url = folder / "url"
        url.write_text(self._rabbit.url.replace(str(self._rabbit.port), str(self._line.port)), encoding="ascii")
        url.chmod(0o600)
        return {
            "url_file": str(url),
            "routing_key": _QUEUE,
            "target_deduplicates": self.removes_doubles,
            "claims": {"name": "kit", "folder": str(self._claims)},
            "connect_seconds": 3,
            "confirm_seconds": 4,
        }

    def effects(self, key: str) -> Sequence[Effect]:
        """What came since it was asked first, but for what came under another key that is known: that may be late."""
        with self._lock:
            while self._read():
                pass
            mark = self._marks.setdefault(key, len(self._seen))
            others = self._marks.keys() - {key}
            return [effect for one, effect in self._seen[mark:] if one not in others]

    def misbehave(self, name: str, at: int = 0) -> bool:
        trouble = Trouble(name) if name in BEFORE | AFTER | AT_THE_DOOR else None
        with self._lock:
            times = _BURST if trouble is Trouble.BURST else 1
            self._script = [*[None] * at, *[trouble] * times] if trouble is not None else []
        return trouble is not None or not name

    def stop(self) -> None:
        self._line.close()
        self._reader.close()
        self._rabbit.__exit__(None, None, None)

    def _next(self, kinds: frozenset[Trouble]) -> Trouble | None:
        """The trouble of this publication, or of this connection if its turn has come."""
        with self._lock:
            due = self._script[0] if self._script else None
            if due in kinds or (due is None and self._script and kinds is not AT_THE_DOOR):
                return self._script.pop(0)
            return None

    def _read(self) -> bool:
        method, properties, body = self._channel.basic_get(_QUEUE, auto_ack=True)
        if method is None:
            return False
        claim = properties.headers.get("x-claim")
        sha256 = self._taken(str(claim["key"])) if claim else hashlib.sha256(body).hexdigest()
        is_known = self.removes_doubles and any(key == properties.message_id for key, _ in self._seen)
        if not is_known:
            self._seen.append((properties.message_id, Effect("message", sha256)))
        return True

    def _taken(self, name: str) -> str:
        digest = hashlib.sha256()
        path = self._claims / name
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        path.unlink()
        return digest.hexdigest()


class Forgetful(Queue):
    """A queue whose reader takes every message for a new one."""

    removes_doubles = False


KIT = Queue
