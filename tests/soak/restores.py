"""Loses the whole disk again and again and restores the backup that was made under load, then counts (fault F22).

    python -m tests.soak.restores --rounds 10 --messages 12 --seed 1 --engine postgresql

Each round: messages come from a real broker, a backup is made while the daemon works, more messages come and are
delivered, the daemon is killed, database and payloads are gone. The backup is checked and restored elsewhere; a part of
what was delivered since is handed in again, with new messages among it. Every package must have appeared exactly once in
the Fachverfahren's folder, nothing may be parked, every Nachricht must be completed, and the trail must verify.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pika

from intermediary.ingress.amqp.intake import queue_arguments, refused_queue_of
from intermediary.ingress.doors import OSCI_MIME
from intermediary.osci.write.seal import seal
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.samples import sample_letter
from intermediary.testing.servers import PrivateRabbit
from intermediary.wiring import open_installation, utc_now
from tests.soak.daemon_kills import ANSWERS, QUEUE, Consumer, Daemon, use_broker

_PATIENCE_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Report:
    """What the run found; `violations` is empty when every promise held. `lost` sums the events proved to be lost."""

    rounds: int
    messages: int
    packages: int
    lost: int
    asked: int
    repeated: int
    seconds: float
    violations: tuple[str, ...]


class _Round:
    """The pieces of one run: the site, its broker and database, and what was handed in so far."""

    def __init__(self, site: Site, broker: str, postgres: PrivatePostgres | None, dice: random.Random) -> None:
        self.site = site
        self.broker = broker
        self.postgres = postgres
        self.dice = dice
        self.count = 0
        self.violations: list[str] = []

    def publish(self, count: int) -> list[tuple[str, bytes]]:
        """New messages; what was sealed, to be handed in again byte for byte."""
        now, made = utc_now(), []
        for _ in range(count):
            self.count += 1
            letter = sample_letter(self.count, now=now)
            body = seal(letter, parties=self.site.pki.parties, random=secrets.token_bytes, now=now)
            made.append((f"urn:beispiel:{self.count}:{self.dice.getrandbits(64):x}", body))
        self.repeat(made)
        return made

    def repeat(self, made: list[tuple[str, bytes]]) -> None:
        """Hand these in."""
        connection = pika.BlockingConnection(pika.URLParameters(self.broker))
        channel = connection.channel()
        channel.queue_declare(QUEUE, durable=True, arguments=dict(queue_arguments(QUEUE)))
        channel.queue_declare(refused_queue_of(QUEUE), durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_declare(ANSWERS, durable=True, arguments={"x-queue-type": "quorum"})
        channel.confirm_delivery()
        for message_id, body in made:
            properties = pika.BasicProperties(content_type=OSCI_MIME, message_id=message_id, delivery_mode=2)
            channel.basic_publish("", QUEUE, body, properties, mandatory=True)
        connection.close()

    def call(self, *arguments: str | Path) -> dict[str, object]:
        """A command of ours as a process; its line of JSON. A failure is a violation."""
        command = [sys.executable, "-m", "intermediary", *map(str, arguments), "-c", str(self.site.config), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, env=os.environ)
        if done.returncode:
            self.violations.append(f"{arguments[0]}: exit {done.returncode} {done.stderr[-300:]} {done.stdout[-300:]}")
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}
        return found

    def settle(self, least: int) -> None:
        """Wait until so many Nachrichten are completed, and no other is left."""
        end = time.monotonic() + _PATIENCE_SECONDS
        pause = threading.Event()
        installation = open_installation(self.site.config)
        try:
            while True:
                counts = installation.store.counts()
                done = sum(count for (state, _code), count in counts.items() if state == "completed")
                if done >= least and done == sum(counts.values()):
                    return
                if time.monotonic() > end:
                    self.violations.append(f"not settled: {least} wanted, {dict(counts)}")
                    return
                pause.wait(0.05)
        finally:
            installation.store.close()

    def await_some(self, least: int) -> None:
        """Wait until so many are taken, whatever became of them yet."""
        end = time.monotonic() + _PATIENCE_SECONDS
        installation = open_installation(self.site.config)
        while sum(installation.store.counts().values()) < least and time.monotonic() < end:
            threading.Event().wait(0.02)
        installation.store.close()

    def lose_everything(self) -> Path:
        """The disk with database and payloads is gone; the audit key was kept elsewhere."""
        safe = self.site.folder / "safe.key"
        shutil.copy(self.site.folder / "data/audit.key", safe)
        shutil.rmtree(self.site.folder / "data")
        if self.postgres is not None:
            (self.site.folder / "secrets/store.url").write_text(self.postgres.database(), encoding="ascii")
        return safe


def run(folder: Path, *, rounds: int, messages: int, seed: int, engine: str = "sqlite") -> Report:
    """One run in an empty folder; `messages` are those of each third of a round."""
    dice = random.Random(seed)
    site = make_site(folder / "site", now=utc_now(), settings=golden_settings())
    started = time.monotonic()
    lost = asked = repeated = 0
    with ExitStack() as stack:
        postgres = stack.enter_context(PrivatePostgres()) if engine == "postgresql" else None
        if postgres is not None:
            site.use_database(postgres.database())
        rabbit = stack.enter_context(PrivateRabbit())
        use_broker(site, rabbit.url)
        it = _Round(site, rabbit.url, postgres, dice)
        consumer = stack.enter_context(Consumer(site.drop))
        known = 0
        for number in range(rounds):
            backups = folder / f"backups-{number}"
            before = it.publish(messages)
            daemon = Daemon(site.config, folder / "daemon.log", 2)
            daemon.start()
            it.await_some(known + dice.randint(1, messages))
            made = it.call("backup", "-o", backups)
            after = it.publish(messages)
            known += 2 * messages
            it.settle(known)
            threading.Event().wait(dice.uniform(0.0, 6.0))  # some heads are at the second place, or not yet
            daemon.kill()
            safe = it.lose_everything()
            it.call("restore", backups, "--check")
            restored = it.call("restore", backups, "--audit-key", safe, "--reason", "Platte verloren")
            lost += int(str(restored.get("lostTo", 0))) - int(str(restored.get("auditSize", 0)))
            asked += sum(dict(restored.get("doubtful", {})).values())  # type: ignore[call-overload]
            again = [one for one in [*before, *after] if dice.random() < 0.5]
            repeated += len(again)
            it.repeat(again)
            new = it.publish(messages)
            in_backup = int(str(made.get("nachrichten", 0)))
            daemon.start()
            it.settle(in_backup + len(new))
            _await_empty(rabbit.url)
            it.settle(in_backup + len(new))
            daemon.stop()
            installation = open_installation(site.config)
            known = sum(installation.store.counts().values())
            installation.store.close()
            if not it.call("audit", "verify").get("ok"):
                it.violations.append(f"round {number}: the audit trail does not verify")
    twice = {name: count for name, count in consumer.seen.items() if count != 1 and name.endswith(".zip")}
    packages = sum(name.endswith(".zip") for name in consumer.seen)
    if twice:
        it.violations.append(f"delivered more than once: {twice}")
    if packages != it.count:
        it.violations.append(f"{packages} packages for {it.count} messages")
    seconds = time.monotonic() - started
    return Report(rounds, it.count, packages, lost, asked, repeated, seconds, tuple(it.violations))


def _await_empty(broker: str) -> None:
    """Until the broker has handed out everything; what is unacknowledged is in the store or comes again."""
    connection = pika.BlockingConnection(pika.URLParameters(broker))
    channel = connection.channel()
    end = time.monotonic() + _PATIENCE_SECONDS
    while channel.queue_declare(QUEUE, passive=True).method.message_count and time.monotonic() < end:
        connection.sleep(0.05)
    connection.sleep(1.0)
    connection.close()


def main() -> None:
    """Run and print the report; exit code 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--messages", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="restores-") as folder:
        report = run(Path(folder), rounds=given.rounds, messages=given.messages, seed=given.seed, engine=given.engine)
    print(report)
    sys.exit(1 if report.violations else 0)


if __name__ == "__main__":
    main()
