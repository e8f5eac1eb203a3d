"""A whole installation in a temporary folder, driven step by step: the same rooms as the daemon's, with our own clock."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.doors import OSCI_MIME
from intermediary.osci.write.letter import Letter
from intermediary.osci.write.seal import seal
from intermediary.store.owners import own_name
from intermediary.store.records import NachrichtRecord, Taken
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import MANDANT, Site, make_site
from intermediary.testing.pki import Pki
from intermediary.wiring import Configuration, Installation, all_answers, bench, open_installation, utc_now
from intermediary.worker import Worker


@dataclass
class Clock:
    """A clock that only moves when told; at first a few days behind, so that what it has told is past for real commands."""

    moment: datetime = field(default_factory=lambda: utc_now().replace(microsecond=0) - timedelta(days=4))

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, step: timedelta) -> None:
        self.moment += step


class Rig:
    """One installation with one worker; `take` seals and hands over, `work` takes everything as far as it goes now."""

    def __init__(self, folder: Path, pki: Pki) -> None:
        self.clock = Clock()
        self.site: Site = make_site(folder, now=self.clock(), settings=golden_settings(), pki=pki)
        self.installation: Installation = open_installation(self.site.config)
        self.configuration = Configuration(self.installation.settings)
        self.worker = self.new_worker()

    @property
    def store(self) -> Any:
        return self.installation.store

    def new_worker(self, jitter: Callable[[], float] = lambda: 0.999) -> Worker:
        tools = bench(
            self.installation,
            self.configuration,
            all_answers(self.installation.settings),
            now=self.clock,
            jitter=jitter,
        )
        return Worker(tools, owner=own_name())

    def seal(self, letter: Letter) -> bytes:
        return seal(letter, parties=self.site.pki.parties, random=secrets.token_bytes, now=self.clock())

    def take(self, body: bytes, message_id: str) -> Taken:
        (taken,) = self.store.take(
            [
                Eingang(
                    mandant=MANDANT,
                    channel="eingang",
                    message_id=message_id,
                    content_type=OSCI_MIME,
                    received_at=self.clock(),
                    body=MemoryContent(body),
                )
            ]
        )
        return taken

    def submit(self, letter: Letter, message_id: str) -> str:
        return self.take(self.seal(letter), message_id).nachricht_id

    def work(self) -> None:
        self.worker.drain()

    def get(self, nachricht_id: str) -> NachrichtRecord:
        return self.store.get(nachricht_id)

    def packages(self) -> list[Path]:
        return sorted(self.site.drop.glob("*.zip"))

    def fetch(self) -> None:
        """What the Fachverfahren does: take everything out of its folder."""
        for path in self.site.drop.iterdir():
            path.unlink()

    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.site.answers.glob("*.json"))]

    def close(self) -> None:
        self.installation.store.close()
