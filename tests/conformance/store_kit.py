"""What every test of a store engine needs: an installation to open again and again, short ways to states."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from intermediary.core.decide import Decision
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.core.values import Eingang, MemoryContent
from intermediary.keys.wrap import KekFiles, MandantKeys, create_kek
from intermediary.store import Claim, PlannedTarget, Store, open_store
from intermediary.store.database import Database
from intermediary.store.open import open_database

N = NachrichtState
Z = ZustellungState

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEASE = timedelta(seconds=120)
LATER = NOW + timedelta(days=1)
INSTALLATION = uuid.UUID("6f1f2c1e-7a0b-5a55-9a5b-0d9c4f7f6a01")
OUTPUT = "ab" * 32
MANDANTEN = ("musterstadt", "beispielhausen")

TARGET = PlannedTarget("fachverfahren", required=True, output_sha256=OUTPUT)
SECOND_TARGET = PlannedTarget("eakte", required=True, output_sha256=OUTPUT)
OPTIONAL = PlannedTarget("statistik", required=False, output_sha256=OUTPUT)

DELIVERED = Decision(Z.DELIVERED)
REFUSED = Decision(Z.REFUSED, "target.refused")


@dataclass
class Bench:
    """One installation on one engine; `open` gives a new Store on the same data, as after a crash."""

    data: Path
    keys: MandantKeys
    url: str = ""
    opened: list[Store] = field(default_factory=list)
    rows: Database | None = None

    def open(self) -> Store:
        store = open_store(data=self.data, installation=INSTALLATION, keys=self.keys, lease=LEASE, url=self.url)
        self.opened.append(store)
        return store

    def database(self) -> Database:
        """The rows themselves, beside every store: for what somebody does behind its back."""
        if self.rows is None:
            self.rows = open_database(data=self.data, installation=INSTALLATION, keys=self.keys, url=self.url)
        return self.rows

    def close(self) -> None:
        for store in self.opened:
            store.close()
        if self.rows is not None:
            self.rows.close()


def bench_in(folder: Path, url: str = "") -> Bench:
    """An installation on SQLite, or on the PostgreSQL database at `url`."""
    files = {}
    for mandant in MANDANTEN:
        create_kek(folder / f"{mandant}.kek")
        files[mandant] = KekFiles(folder / f"{mandant}.kek")
    return Bench(folder / "data", MandantKeys(files), url)


ENGINES = ("sqlite", "postgresql")


def eingang(
    message_id: str = "antrag-1",
    body: bytes = b"<Antrag/>",
    *,
    mandant: str = MANDANTEN[0],
    at: datetime = NOW,
    reply_to: str = "",
    correlation_id: str = "",
    vorgang: str = "",
) -> Eingang:
    """An Eingang of synthetic bytes."""
    return Eingang(
        mandant=mandant,
        channel="rabbit",
        message_id=message_id,
        content_type="application/xml",
        received_at=at,
        body=MemoryContent(body),
        reply_to=reply_to,
        correlation_id=correlation_id,
        vorgang=vorgang,
    )


def claimed(store: Store, message_id: str = "antrag-1", *, at: datetime = NOW, owner: str = "w1") -> Claim:
    """Take one and claim it."""
    [taken] = store.take([eingang(message_id, at=at)])
    return store.claim_one(taken.nachricht_id, owner, at)


def planned(store: Store, *targets: PlannedTarget, message_id: str = "antrag-1", now: datetime = NOW) -> Claim:
    """A claimed Nachricht that was judged and waits to be delivered."""
    return store.plan(
        claimed(store, message_id, at=now),
        route="bauantrag",
        pins={"mapping": "bauantrag@1"},
        plan={"facts": {"root": "Antrag"}, "hashes": [OUTPUT]},
        targets=targets or (TARGET,),
        now=now,
    )


def key_of(claim: Claim, target: str = TARGET.name) -> str:
    """The key of the newest Zustellung to a target."""
    return [record.key for record in claim.zustellungen if record.target == target][-1]


def attempt(store: Store, claim: Claim, decision: Decision, target: str = TARGET.name, now: datetime = NOW) -> Claim:
    """Intend one Zustellung and settle it."""
    key = key_of(claim, target)
    return store.settle(store.intend(claim, key, OUTPUT, now), key, decision, now=now)


def parked(store: Store, code: str = "bug.unexpected", message_id: str = "antrag-1") -> Claim:
    """A Nachricht parked while received, claimed by a person."""
    claim = store.park(claimed(store, message_id), code, NOW)
    return store.claim_one(claim.nachricht.id, "person", NOW)


def names(store: Store, claim: Claim) -> list[str]:
    """The names of the events of a Nachricht."""
    return [entry.event.name for entry in store.events(claim.nachricht.id)]
