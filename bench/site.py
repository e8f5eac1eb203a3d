"""An installation of its own and the work that is measured in it."""

from __future__ import annotations

import secrets
from pathlib import Path

from intermediary.cli.quiet import quiet_logs
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.doors import OSCI_MIME
from intermediary.osci.write.seal import seal
from intermediary.pipeline import judge
from intermediary.store.owners import own_name
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import MANDANT, make_site
from intermediary.testing.samples import sample_letter
from intermediary.wiring import Configuration, all_answers, bench, open_installation, utc_now
from intermediary.worker import Worker, sendung_of

_BATCH = 50


class BenchSite:
    """Each method does one kind of work on the same sealed applications, in the order of their lives."""

    def __init__(self, folder: Path, messages: int) -> None:
        quiet_logs()
        self._messages = messages
        self._site = make_site(folder / "site", now=utc_now(), settings=golden_settings())
        self._installation = open_installation(self._site.config)
        self._configuration = Configuration(self._installation.settings)
        self._bodies: list[bytes] = []
        self._ids: list[str] = []

    def seal_all(self) -> None:
        """Seal the applications: about 45 KB each, two signatures, RSA-4096 reader, two attachments."""
        now = utc_now()
        for number in range(self._messages):
            letter = sample_letter(number, now=now)
            self._bodies.append(seal(letter, parties=self._site.pki.parties, random=secrets.token_bytes, now=now))

    def take_all(self) -> None:
        """Make them durable in batches, as the AMQP door does."""
        for start in range(0, self._messages, _BATCH):
            batch = [self._eingang(number) for number in range(start, min(start + _BATCH, self._messages))]
            self._ids += [taken.nachricht_id for taken in self._installation.store.take(batch)]

    def judge_all(self) -> None:
        """The pure middle, without any commit."""
        store, bank = self._installation.store, self._configuration.bank()
        for one in self._ids:
            judge(sendung_of(store.get(one), store.body(one)), bank)

    def work_all(self) -> None:
        """Everything from the claim to the Quittung, one thread, every commit durable."""
        answers = all_answers(self._installation.settings)
        Worker(bench(self._installation, self._configuration, answers), owner=own_name()).drain()

    def _eingang(self, number: int) -> Eingang:
        return Eingang(
            mandant=MANDANT,
            channel="eingang",
            message_id=f"bench-{number}",
            content_type=OSCI_MIME,
            received_at=utc_now(),
            body=MemoryContent(self._bodies[number]),
        )
