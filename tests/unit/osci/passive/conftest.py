"""The cast of the tests of the passive recipient: an intermediary that delivers, a house that takes, an endpoint between."""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intermediary.core.states import NachrichtState
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.doors import DoorRules
from intermediary.ingress.https.bounds import Bounds
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Anchor, Keyring
from intermediary.keys.spool import Spool
from intermediary.osci.passive import PassiveDoor, PassiveSettings
from intermediary.osci.passive.delivery import House, Opening
from intermediary.osci.write import Letter, seal
from intermediary.store.records import NachrichtRecord, Taken
from intermediary.testing.pki import Pki, make_pki
from intermediary.unseal.osci.message import OsciMessage, open_message
from intermediary.unseal.policy import profile

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
MANDANT = "musterstadt"
RULES = DoorRules(channel="osci", mandanten=(MANDANT,), max_bytes=1_000_000)
TICK = 0.1


@pytest.fixture(scope="session")
def pki() -> Pki:
    """Keys made once per test process."""
    return make_pki(valid_from=NOW - timedelta(days=1), valid_until=NOW + timedelta(days=365))


@pytest.fixture(scope="session")
def keyring(pki: Pki) -> Keyring:
    """The recipient's keys: opens the transport, signs answers."""
    return keyring_of(pki, "recipient-cipher", "reader-cipher", signer="recipient-signature")


def keyring_of(pki: Pki, *names: str, signer: str = "", require: tuple[str, ...] = ()) -> Keyring:
    own = [pki.members[name] for name in names]
    return Keyring(
        [DecryptionKey(one.private, one.certificate) for one in own],
        [Anchor(pki.ca, frozenset({"transport", "content"}))],
        signature_keys=[pki.members[signer].key] if signer else (),
        require=require,
    )


def record(nachricht_id: str = "n", **fields: object) -> NachrichtRecord:
    """A Nachricht as it stands after it was taken, but for `fields`."""
    return replace(_RECORD, id=nachricht_id, **fields)  # type: ignore[arg-type]


@dataclass
class FakeHouse:
    """Takes in memory; `verdict` gives what judging makes of a Nachricht, `fail` may raise while it is taken."""

    keyring: Keyring
    spool: Spool
    verdict: Callable[[NachrichtRecord], NachrichtRecord] = lambda one: replace(
        one, state=NachrichtState.PLANNED, route="r"
    )
    fail: Callable[[Sequence[Eingang]], None] = lambda _: None
    policy: str = "legacy"
    padding: bytes = b""
    taken: dict[str, Eingang] = field(default_factory=dict)
    records: dict[str, NachrichtRecord] = field(default_factory=dict)
    judged: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, eingaenge: Sequence[Eingang]) -> list[Taken]:
        self.fail(eingaenge)
        (one,) = eingaenge
        with self.lock:
            own = f"{one.message_id}/{one.same_sha256[:8]}"
            if own in self.taken:
                return [Taken(own, "duplicate")]
            is_conflict = any(other.message_id == one.message_id for other in self.taken.values())
            self.taken[own] = one
            self.records[own] = record(own)
            if is_conflict:
                self.records[own] = record(own, state=NachrichtState.PARKED, code="intake.conflict", own_due_at=None)
            return [Taken(own, "conflict" if is_conflict else "new")]

    def judge(self, nachricht_id: str) -> None:
        one = self.records[nachricht_id]
        if one.state is NachrichtState.RECEIVED:
            self.judged.append(nachricht_id)
            self.records[nachricht_id] = self.verdict(one)

    def house(self) -> House:
        return House(
            take=self.take,
            look=lambda own: self.records[own],
            judge=self.judge,
            opening=lambda _: Opening(self.keyring, profile(self.policy)),
            quittung=lambda one, message_id: (
                f'{{"messageId": "{message_id}", "route": "{one.route}"}}'.encode() + self.padding
            ),
            spool=self.spool,
            clock=lambda: NOW,
            random=secrets.token_bytes,
        )


class Served:
    """A door that serves, on the loopback interface and without TLS unless the settings say otherwise."""

    def __init__(self, door: PassiveDoor) -> None:
        self.door = door
        self._thread = threading.Thread(target=door.run)

    def __enter__(self) -> Served:
        self._thread.start()
        pause = threading.Event()
        while self.door.port is None and self._thread.is_alive():
            pause.wait(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.door.stop()
        self._thread.join(20)
        assert not self._thread.is_alive()

    @property
    def port(self) -> int:
        assert self.door.port is not None
        return self.door.port


Serve = Callable[..., Served]


@pytest.fixture
def fake(keyring: Keyring, tmp_path: Path) -> FakeHouse:
    return FakeHouse(keyring, Spool(tmp_path / "spool"))


@pytest.fixture
def serve(fake: FakeHouse) -> Iterator[Serve]:
    """Opens endpoints for this test: `serve(rules=…, bounds=…, **settings)`."""
    with ExitStack() as stack:

        def open_one(*, rules: DoorRules = RULES, bounds: Bounds | None = None, **settings: object) -> Served:
            chosen = PassiveSettings(
                host="127.0.0.1",
                port=0,
                **({"tick_seconds": TICK, "judged_seconds": 5.0} | settings),  # type: ignore[arg-type]
                bounds=bounds or Bounds(),
            )
            return stack.enter_context(Served(PassiveDoor(chosen, rules, fake.house())))

        yield open_one


def sealed(letter: Letter, pki: Pki, seed: int = 1) -> bytes:
    return seal(letter, parties=pki.parties, random=random.Random(seed).randbytes, now=NOW)


def answered(body: bytes, pki: Pki) -> OsciMessage:
    """An answer as the intermediary opens it."""
    ring = keyring_of(pki, "intermediary-cipher", "originator-cipher")
    return open_message(MemoryContent(body), keyring=ring, policy=profile("legacy"), at=NOW, role="client")


_RECORD = NachrichtRecord(
    id="n",
    mandant=MANDANT,
    channel="osci",
    content_type="application/vnd.osci12+mime",
    direction="in",
    state=NachrichtState.RECEIVED,
    code="",
    wait_reason="",
    received_at=NOW,
    since=NOW,
    due_at=NOW,
    own_due_at=NOW,
    attempts=0,
    unexplained=0,
    route="",
    verdict="",
    verdict_code="",
    pins={},
    body_sha256="",
    body_length=1,
    payload="present",
    revision=0,
    plan={},
)
