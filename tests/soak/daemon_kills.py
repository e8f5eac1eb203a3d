"""Kills the whole daemon again and again while sealed messages come from a real broker, then counts what became of them.

    python -m tests.soak.daemon_kills --messages 2000 --kills 20 --seed 1 --engine postgresql --database-kills 10

On PostgreSQL the database falls as well: every connection at once, or the whole server, in turn.

Every message must end in exactly one final state, every package must have appeared in the Fachverfahren's folder exactly
once although a consumer removes it within 10 ms, no good message may be parked, and the audit trail must verify.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
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
from intermediary.wiring import utc_now

OURS = (sys.executable, "-m", "intermediary")
QUEUE = "efa.musterstadt"
ANSWERS = "efa.quittungen"

_CHANNEL = """
[[channel]]
name = "rabbit"
type = "amqp"
mandanten = ["musterstadt"]
[channel.amqp]
url_file = "secrets/amqp.url"
queue = "efa.musterstadt"
[channel.answer]
type = "amqp"
queue = "efa.quittungen"
"""


@dataclass(slots=True)
class Consumer:
    """The Fachverfahren: removes what appears in its folder at once and remembers how often each name came."""

    drop: Path
    seen: Counter[str] = field(default_factory=Counter)
    hashes: dict[str, set[str]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Consumer:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join()
        self._sweep()

    def _run(self) -> None:
        while not self._stop.wait(0.005):
            self._sweep()

    def _sweep(self) -> None:
        for name in os.listdir(self.drop):
            path = self.drop / name
            data = path.read_bytes()
            path.unlink()
            self.seen[name] += 1
            self.hashes.setdefault(name, set()).add(hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class Report:
    """What the run found; `violations` is empty when every promise held."""

    messages: int
    kills: int
    seconds: float
    states: dict[str, int]
    packages: int
    answers: int
    answer_repeats: int
    violations: tuple[str, ...]


class Daemon:
    """`intermediary run` as a process that can be killed with everything it started."""

    def __init__(self, config: Path, log: Path, workers: int, *, program: Sequence[str] = OURS) -> None:
        self._command = [*program, "run", "-c", str(config), "--workers", str(workers)]
        self._log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stderr=log, stdout=log, start_new_session=True)

    def kill(self) -> None:
        """SIGKILL for the supervisor; its children die with it because they are bound to it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


class _Blows:
    """The database falls at random moments: all its connections, or the server itself, in turn."""

    def __init__(self, server: PrivatePostgres, count: int, dice: random.Random) -> None:
        self._server = server
        self.left = count
        self._dice = dice
        self._next = time.monotonic() + dice.uniform(4.0, 8.0)

    def strike_if_due(self) -> None:
        """Strike when the moment has come; returns when the server answers again."""
        if not self.left or time.monotonic() < self._next:
            return
        if self.left % 2:
            self._server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        else:
            self._server.kill()
            self._server.restart()
        self.left -= 1
        self._next = time.monotonic() + self._dice.uniform(0.2, 4.0)


def run(
    folder: Path,
    *,
    messages: int,
    kills: int,
    seed: int,
    workers: int = 2,
    patience: float = 900.0,
    engine: str = "sqlite",
    database_kills: int = 0,
) -> Report:
    """One run in an empty folder."""
    dice = random.Random(seed)
    site = make_site(folder / "site", now=utc_now(), settings=golden_settings())
    blows = None
    with ExitStack() as servers:
        if engine == "postgresql":
            postgres = servers.enter_context(PrivatePostgres())
            site.use_database(postgres.database())
            blows = _Blows(postgres, database_kills, dice)
        rabbit = servers.enter_context(PrivateRabbit())
        use_broker(site, rabbit.url)
        ids = publish(site, rabbit.url, messages, dice)
        answered: Counter[str] = Counter()
        started = time.monotonic()
        with Consumer(site.drop) as consumer:
            done = _drive(site, rabbit.url, ids, answered, kills, dice, workers, patience, blows)
        seconds = time.monotonic() - started
        return judge(site, ids, consumer, answered, done, seconds=seconds, kills=kills)


def use_broker(site: Site, url: str) -> None:
    """Give the installation a channel at this broker."""
    secret = site.folder / "secrets" / "amqp.url"
    secret.write_text(url, encoding="ascii")
    secret.chmod(0o600)
    with site.config.open("a", encoding="utf-8") as file:
        file.write(_CHANNEL)


def publish(site: Site, url: str, messages: int, dice: random.Random) -> list[str]:
    """Put so many sealed applications into the queue, every 20th of them twice; their ids."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare(QUEUE, durable=True, arguments=dict(queue_arguments(QUEUE)))
    channel.queue_declare(refused_queue_of(QUEUE), durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_declare(ANSWERS, durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()
    parties, now, ids = site.pki.parties, utc_now(), []
    for number in range(messages):
        message_id = f"urn:beispiel:{number}:{dice.getrandbits(64):x}"
        body = seal(sample_letter(number, now=now), parties=parties, random=secrets.token_bytes, now=now)
        properties = pika.BasicProperties(content_type=OSCI_MIME, message_id=message_id, delivery_mode=2)
        channel.basic_publish("", QUEUE, body, properties, mandatory=True)
        ids.append(message_id)
        if number % 20 == 0:  # the sender repeats itself, as senders do
            channel.basic_publish("", QUEUE, body, properties, mandatory=True)
    connection.close()
    return ids


def _drive(
    site: Site,
    url: str,
    ids: list[str],
    answered: Counter[str],
    kills: int,
    dice: random.Random,
    workers: int,
    patience: float,
    blows: _Blows | None = None,
) -> bool:
    """Start, kill, start again …; then let it finish. True when every message was answered in time."""
    daemon = Daemon(site.config, site.folder / "daemon.log", workers)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    end = time.monotonic() + patience
    daemon.start()
    left = kills
    next_kill = time.monotonic() + dice.uniform(0.2, 4.0)
    while len(answered) < len(ids) or left or (blows is not None and blows.left):
        if blows is not None:
            blows.strike_if_due()
        method, properties, _body = channel.basic_get(ANSWERS, auto_ack=True)
        if method is not None:
            answered[str(properties.message_id)] += 1
        else:
            connection.sleep(0.05)
        if left and time.monotonic() >= next_kill:
            daemon.kill()
            left -= 1
            daemon.start()
            next_kill = time.monotonic() + dice.uniform(0.2, 4.0)
        if time.monotonic() > end or daemon.process is None or daemon.process.poll() is not None:
            break
    code = daemon.stop()
    connection.close()
    return code == 0 and len(answered) == len(ids) and not left


def judge(
    site: Site,
    ids: list[str],
    consumer: Consumer,
    answered: Counter[str],
    done: bool,
    *,
    seconds: float,
    kills: int,
) -> Report:
    """What became of every message, from what the commands tell and what the Fachverfahren has seen."""
    lines = [json.loads(line) for line in _ask(site, "state", "--all", "--json").stdout.splitlines()]
    states = Counter(line["state"] for line in lines)
    violations = [] if done else ["the run did not end in time, or the daemon did not stop cleanly"]
    by_id = Counter(line["messageId"] for line in lines)
    violations += [f"not exactly once in the store: {one}" for one in ids if by_id[one] != 1]
    violations += [f"not completed: {line['id']} {line['state']} {line['code']}" for line in lines
                   if line["state"] != "completed"]  # fmt: skip
    violations += [f"Zustellung not delivered: {line['id']}" for line in lines
                   if [z["state"] for z in line["zustellungen"]] != ["delivered"]]  # fmt: skip
    packages = {name: count for name, count in consumer.seen.items() if name.endswith(".zip")}
    violations += [f"appeared {count} times: {name}" for name, count in consumer.seen.items() if count != 1]
    violations += [f"missing: {line['id']}" for line in lines
                   if not any(name.startswith(line["id"]) for name in packages)]  # fmt: skip
    if len(packages) != len(ids):
        violations.append(f"{len(packages)} packages for {len(ids)} messages")
    verify = _ask(site, "audit", "verify")
    if verify.returncode != 0:
        violations.append(f"audit verify: {verify.stdout[-500:]}{verify.stderr[-500:]}")
    return Report(
        messages=len(ids),
        kills=kills,
        seconds=round(seconds, 1),
        states=dict(states),
        packages=len(packages),
        answers=len(answered),
        answer_repeats=sum(answered.values()) - len(answered),
        violations=tuple(violations),
    )


def _ask(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "intermediary", *words, "-c", str(site.config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def main() -> int:
    """Print the report as JSON; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--database-kills", type=int, default=0, help="only with --engine postgresql")
    parser.add_argument("--dir", type=Path)
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills-") as temporary:
        folder = choice.dir or Path(temporary)
        report = run(
            folder,
            messages=choice.messages,
            kills=choice.kills,
            seed=choice.seed,
            workers=choice.workers,
            engine=choice.engine,
            database_kills=choice.database_kills,
        )
    print(json.dumps({name: getattr(report, name) for name in Report.__slots__}, indent=1))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
