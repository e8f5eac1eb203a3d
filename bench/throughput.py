"""How many sealed applications a daemon carries from the door to the Quittung, and what CPU time each one costs.

Everything runs on this machine: daemon, broker, database, the portal that sends and the folder that receives. The daemon is
the one of production, with every commit it makes there.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Protocol

import pika

from bench.essentials import Essentials
from bench.mail import KIBIBYTE, payload
from bench.usage import Usage
from intermediary.ingress.amqp.intake import queue_arguments
from intermediary.ingress.doors import OSCI_MIME
from intermediary.osci.write import seal
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import KEYRING
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.samples import SERVICE as SAMPLE_SERVICE
from intermediary.testing.samples import sample_letter
from intermediary.testing.servers import PrivateRabbit
from intermediary.wiring import utc_now

ROUNDS = 5
PAYLOAD_BYTES = 20 * KIBIBYTE
READER = "intermediary-cipher"  # RSA-3072, like everybody else's key
SERVICE = "urn:example:musterland:bewohnerparken:99108006261000"
_LETTERS = 50
_PATIENCE_SECONDS = 300.0
_QUEUE, _ANSWERS = "efa.bench", "efa.bench.quittungen"
_CHANNEL = f"""
[[channel]]
name = "rabbit"
type = "amqp"
mandanten = ["musterstadt"]
[channel.amqp]
url_file = "secrets/amqp.url"
queue = "{_QUEUE}"
[channel.answer]
type = "amqp"
queue = "{_ANSWERS}"
"""
LEAST = {"sqlite": 150, "postgresql": 120}


class Line(Protocol):
    """The way from the portal and back."""

    def send(self, number: int, sealed: bytes) -> None: ...

    def answered(self) -> int:
        """How many Quittungen there have been so far."""
        ...


class Files:
    """The folder door of the embedded default."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def send(self, number: int, sealed: bytes) -> None:
        hidden = self._site.inbox / f".{number}.osci"
        hidden.write_bytes(sealed)
        hidden.rename(self._site.inbox / f"{number}.osci")

    def answered(self) -> int:
        return _count(self._site.answers, ".json")


class Queue:
    """A queue of a private broker, with confirms, and the queue of the Quittungen."""

    def __init__(self, url: str) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = connection.channel()
        self._channel.queue_declare(_QUEUE, durable=True, arguments=dict(queue_arguments(_QUEUE)))
        self._channel.queue_declare(_ANSWERS, durable=True, arguments={"x-queue-type": "quorum"})
        self._channel.confirm_delivery()
        self._answered = 0

    def send(self, number: int, sealed: bytes) -> None:
        properties = pika.BasicProperties(content_type=OSCI_MIME, message_id=f"urn:bench:{number}", delivery_mode=2)
        self._channel.basic_publish("", _QUEUE, sealed, properties, mandatory=True)

    def answered(self) -> int:
        while self._channel.basic_get(_ANSWERS, auto_ack=True)[0] is not None:
            self._answered += 1
        return self._answered


@dataclass(frozen=True, slots=True)
class Round:
    """What one round showed: messages per second of wall, CPU milliseconds per message by role."""

    rate: float
    cpu_ms: dict[str, float]

    @property
    def ours_ms(self) -> float:
        return sum(self.cpu_ms.values())


def measure(messages: int = 600, rounds: int = ROUNDS) -> None:
    """Both engines, one after the other."""
    for engine in LEAST:
        with tempfile.TemporaryDirectory(prefix="intermediary-bench.") as folder:
            _measure(Path(folder), engine, messages, rounds)


def _measure(folder: Path, engine: str, messages: int, rounds: int) -> None:
    with ExitStack() as stack:
        site, line = stack.enter_context(installed(folder, engine))
        sealed = seal_letters(site)
        essentials = Essentials(sealed[0], site, reader=READER)
        daemon = stack.enter_context(running(site))
        carry(line, sealed, start=0, messages=messages // 4)  # warm
        usage = Usage(daemon.pid)
        found = []
        bare = []
        for number in range(1, rounds + 1):
            found.append(_round(line, sealed, number * messages, messages, usage))
            bare.append(essentials.cpu_ms())
    _print(engine, messages, len(sealed[0]), found, bare)


def _print(engine: str, messages: int, length: int, found: list[Round], bare: list[dict[str, float]]) -> None:
    rates = [one.rate for one in found]
    print(
        f"{engine}: payload of {PAYLOAD_BYTES} bytes, {length} on the wire; {len(found)} rounds of {messages} messages"
    )
    print(
        f"  from door to Quittung  {median(rates):7.1f} /s   (at least {LEAST[engine]}; {min(rates):.0f}-{max(rates):.0f})"
    )
    print(f"  CPU of our processes   {median(one.ours_ms for one in found):7.2f} ms per message")
    for role in found[0].cpu_ms:
        print(f"    {role:20} {median(one.cpu_ms[role] for one in found):7.2f} ms")
    print(f"  what is essential      {median(sum(one.values()) for one in bare):7.2f} ms")
    for kind in bare[0]:
        print(f"    {kind:20} {median(one[kind] for one in bare):7.2f} ms")
    ratio = median(one.ours_ms / sum(other.values()) for one, other in zip(found, bare, strict=True))
    print(f"  ratio                  {ratio:7.2f}      (at most 2)")


def _round(line: Line, sealed: list[bytes], start: int, messages: int, usage: Usage) -> Round:
    before = usage.by_role()
    seconds = carry(line, sealed, start=start, messages=messages)
    spent = {role: 1000 * (now - before.get(role, 0.0)) / messages for role, now in usage.by_role().items()}
    return Round(messages / seconds, spent)


def carry(line: Line, sealed: list[bytes], *, start: int, messages: int) -> float:
    """Send so many and wait for as many Quittungen; seconds it took."""
    told = line.answered()
    began = time.perf_counter()
    for number in range(start, start + messages):
        line.send(number, sealed[number % len(sealed)])
    end = began + _PATIENCE_SECONDS
    while line.answered() < told + messages:
        if time.perf_counter() > end:
            raise RuntimeError(f"only {line.answered() - told} of {messages} messages were answered")
        time.sleep(0.02)
    return time.perf_counter() - began


@contextmanager
def installed(folder: Path, engine: str) -> Iterator[tuple[Site, Line]]:
    """An installation that works for this engine as it is meant to be used, with the servers it needs."""
    site = make_site(folder / "site", now=utc_now(), settings=golden_settings())
    use_reader(site)
    if engine == "sqlite":
        yield site, Files(site)
        return
    with PrivatePostgres() as postgres, PrivateRabbit() as rabbit:
        site.use_database(postgres.database())
        secret = site.folder / "secrets" / "amqp.url"
        secret.touch(mode=0o600)
        secret.write_text(rabbit.url, encoding="ascii")
        with site.config.open("a", encoding="utf-8") as file:
            file.write(_CHANNEL)
        yield site, Queue(rabbit.url)


def use_reader(site: Site) -> None:
    """Give the installation the key that the letters are sealed for, and the service they name."""
    routes = site.folder / "routes.toml"
    routes.write_text(routes.read_text("utf-8").replace(SAMPLE_SERVICE, SERVICE), encoding="utf-8")
    ring = site.folder / "keys" / KEYRING
    ring.write_text(ring.read_text("utf-8").replace("reader-cipher", READER), encoding="utf-8")


def seal_letters(site: Site) -> list[bytes]:
    """Some applications, each sealed for the reader of this installation; sent often, each time under another id."""
    parties = replace(site.pki.parties, readers=(site.pki.members[READER],))
    now = utc_now()
    sealed = []
    for number in range(_LETTERS):
        letter = replace(
            sample_letter(number, now=now, service=SERVICE), contents=(payload(PAYLOAD_BYTES, number),), attachments=()
        )
        sealed.append(seal(letter, parties=parties, random=secrets.token_bytes, now=now))
    return sealed


@contextmanager
def running(site: Site, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon of this installation, one worker process for each core."""
    command = [sys.executable, "-m", "intermediary", "run", "-c", str(site.config), "--workers", str(os.cpu_count())]
    with (site.folder / "daemon.log").open("ab") as log:
        daemon = subprocess.Popen([*command, *words], stdout=log, stderr=log, start_new_session=True)
    try:
        yield daemon
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)


def _count(folder: Path, suffix: str) -> int:
    with os.scandir(folder) as entries:
        return sum(entry.name.endswith(suffix) for entry in entries)
