"""What the simulator remembers: one file per message, on disk before anybody is told; markers beside it say the rest."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from intermediary.core.values import Content, Eingang, MemoryContent
from intermediary.keys.spool import Spool
from intermediary.store.records import Taken
from intermediary.unseal.xta.container import ContentContainer, read_container
from intermediary.unseal.xta.entity import entity_head, read_entity
from intermediary.unseal.xta.values import MessageMetaData
from intermediary.xta.server.house import Cancelling, Closing, Entry, Judged, Standing, Verdict
from intermediary.xta.server.records import record
from intermediary.xta.wire.entity import OutgoingMessage, request_addressing, write_entity
from intermediary.xta.wire.metadata import write_metadata
from intermediary.xta.wire.operations import SEND_MESSAGE
from intermediary.xta.wire.report import GREEN, OPEN, RED


class Shelf:
    """A folder of messages, each under a key: `KEY.xta`, then `KEY.fetched`, `KEY.closed` or `KEY.cancelled`.

    A SIGKILL leaves whole files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()

    def put(self, key: str, body: Content) -> bool:
        """Keep a message; False when there is one under this key."""
        with self._lock:
            if self._file(key, "xta").exists():
                return False
            self._write(key, "xta", body.read())
            return True

    def body(self, key: str) -> MemoryContent | None:
        """The message as it was put there."""
        try:
            return MemoryContent(self._file(key, "xta").read_bytes())
        except FileNotFoundError:
            return None

    def mark(self, key: str, mark: str, text: str) -> bool:
        """Note something about a message once; False when it was noted before."""
        with self._lock:
            if self._file(key, mark).exists():
                return False
            self._write(key, mark, text.encode())
            return True

    def marked(self, key: str, mark: str) -> str | None:
        """What was noted."""
        try:
            return self._file(key, mark).read_text()
        except FileNotFoundError:
            return None

    def all(self) -> list[str]:
        """Of all messages, the longest there first."""
        files = [(file.stat().st_mtime_ns, file.stem) for file in self._folder.glob("*.xta")]
        return [key for _, key in sorted(files)]

    def put_at(self, key: str) -> datetime:
        """When it was put there."""
        return datetime.fromtimestamp(self._file(key, "xta").stat().st_mtime, UTC)

    def _file(self, key: str, kind: str) -> Path:
        return self._folder / f"{key}.{kind}"

    def _write(self, key: str, kind: str, data: bytes) -> None:
        unfinished = self._folder / f".{key}.{kind}"
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self._file(key, kind))
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class ShelfBoxes:
    """One box on a shelf; implements `Boxes`. `lay` puts something into it."""

    def __init__(self, shelf: Shelf, account: str, spool: Spool) -> None:
        self._shelf = shelf
        self._account = account
        self._spool = spool
        self.is_doubled = False

    def lay(self, order: MessageMetaData, container: ContentContainer) -> str:
        """Its key."""
        key = str(uuid.uuid4())
        addressing = request_addressing(action=SEND_MESSAGE.action, to="", message_id=f"urn:uuid:{key}")
        message = OutgoingMessage(addressing, (write_metadata(order),), container=container)
        entity = write_entity(message, random=os.urandom)
        self._shelf.put(key, MemoryContent(entity_head(entity.content_type) + entity.content.read()))
        return key

    @property
    def lying(self) -> list[str]:
        """The keys of what lies there."""
        return [key for key in self._shelf.all() if self._shelf.marked(key, "closed") is None]

    def waiting(self, account: str, *, limit: int) -> Sequence[Entry]:
        if account != self._account:
            return []
        keys = self.lying[:limit]
        doubled, self.is_doubled = self.is_doubled, False
        return [self._entry(key) for key in (sorted([*keys, *keys]) if doubled else keys)]

    def entries(self, account: str, keys: Sequence[str]) -> Sequence[Entry]:
        lying = set(self.lying) if account == self._account else set()
        return [self._entry(key) for key in keys if key in lying]

    def content(self, account: str, key: str) -> ContentContainer | None:
        body = self._shelf.body(key)
        if body is None or account != self._account or self._shelf.marked(key, "closed") is not None:
            return None
        found = read_container(read_entity(body, self._spool), self._spool)
        return found if isinstance(found, ContentContainer) else None

    def fetched(self, account: str, key: str, now: datetime) -> None:
        self._shelf.mark(key, "fetched", now.isoformat())

    def close(self, account: str, keys: Sequence[str], *, certificate: str, now: datetime) -> Closing:
        if account != self._account or any(self._shelf.body(key) is None for key in keys):
            return Closing.UNKNOWN
        for key in keys:
            self._shelf.mark(key, "closed", now.isoformat())
        return Closing.CLOSED

    def standing(self, account: str, key: str) -> tuple[MessageMetaData, Standing] | None:
        body = self._shelf.body(key)
        if body is None or account != self._account:
            return None
        closed = self._shelf.marked(key, "closed")
        at = self._shelf.put_at(key) if closed is None else datetime.fromisoformat(closed)
        line = record(at, "laid" if closed is None else "closed", "simuliert")
        order = read_entity(body, self._spool).metadata()
        return order, Standing(OPEN if closed is None else GREEN, at, infos=(line,))

    def _entry(self, key: str) -> Entry:
        body = self._shelf.body(key)
        if body is None:
            raise LookupError(key)
        fetched = self._shelf.marked(key, "fetched")
        order = read_entity(body, self._spool).metadata()
        moment = None if fetched is None else datetime.fromisoformat(fetched)
        return Entry(key, order, self._shelf.put_at(key), moment, body.length)


class ShelfSubmissions:
    """What was sent to the simulator: kept, and good; implements `Submissions`."""

    def __init__(self, shelf: Shelf, spool: Spool) -> None:
        self._shelf = shelf
        self._spool = spool

    def take(self, eingang: Eingang) -> Taken:
        key = _key(eingang.account, eingang.message_id)
        if self._shelf.put(key, eingang.body):
            self._shelf.mark(key, "same", eingang.same_sha256)
            return Taken(key, "new")
        known = self._shelf.marked(key, "same")
        return Taken(key, "duplicate" if known in (None, eingang.same_sha256) else "conflict")

    def judge(self, nachricht_id: str) -> None:
        """Everything is good."""

    def verdict(self, nachricht_id: str) -> Verdict | Judged:
        return Verdict()

    def find(self, mandant: str, message_id: str, account: str) -> str | None:
        key = _key(account, message_id)
        return key if self._shelf.body(key) is not None else None

    def order(self, nachricht_id: str) -> MessageMetaData | None:
        body = self._shelf.body(nachricht_id)
        return None if body is None else read_entity(body, self._spool).metadata()

    def standing(self, nachricht_id: str, message_id: str) -> Standing:
        at = self._shelf.put_at(nachricht_id)
        is_cancelled = self._shelf.marked(nachricht_id, "cancelled") is not None
        line = record(at, "cancelled" if is_cancelled else "taken", "simuliert")
        return Standing(RED, at, errors=(line,)) if is_cancelled else Standing(GREEN, at, infos=(line,))

    def quittung(self, nachricht_id: str, message_id: str) -> bytes:
        return b'{"status": "judged"}'

    def cancel(self, nachricht_id: str, now: datetime) -> Cancelling:
        self._shelf.mark(nachricht_id, "cancelled", now.isoformat())
        return Cancelling.CANCELLED

    @property
    def count(self) -> int:
        """How many were sent."""
        return len(self._shelf.all())


def _key(account: str, message_id: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{account}\n{message_id}"))
