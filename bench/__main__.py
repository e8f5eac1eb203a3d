"""Measures this machine: sealed applications taken, then carried through the whole path, one thread, SQLite, no broker.

    python -m bench [--messages 300] [--batch 50]

Figures are for comparison with earlier figures of the same machine, nothing else.
"""

from __future__ import annotations

import argparse
import os
import platform
import secrets
import tempfile
from collections import Counter
from pathlib import Path
from time import perf_counter

from intermediary.cli.quiet import quiet_logs
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.doors import OSCI_MIME
from intermediary.store.owners import own_name
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import MANDANT, Site, make_site
from intermediary.testing.osci.seal import seal
from intermediary.testing.samples import sample_letter
from intermediary.wiring import Configuration, Installation, all_answers, bench, open_installation, utc_now
from intermediary.worker import Worker


def main() -> None:
    """Run all steps once and print what each took."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--batch", type=int, default=50, help="messages per commit of the intake")
    asked = parser.parse_args()
    quiet_logs()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {asked.messages} messages"
    )
    with tempfile.TemporaryDirectory(prefix="intermediary-bench.") as scratch:
        measure(Path(scratch), messages=asked.messages, batch=asked.batch)


def measure(folder: Path, *, messages: int, batch: int) -> None:
    """Seal, take and carry through so many messages in a fresh installation under `folder`."""
    site = make_site(folder / "site", now=utc_now(), settings=golden_settings())
    started = perf_counter()
    eingaenge = [sealed(site, number) for number in range(messages)]
    tell("sealed (by the stand-in of a portal)", messages, started)
    print(f"{'size of a sealed message':44} {sum(e.body.length for e in eingaenge) / messages / 1000:9.1f} kB")
    installation = open_installation(site.config)
    try:
        started = perf_counter()
        for first in range(0, messages, batch):
            installation.store.take(eingaenge[first : first + batch])
        tell(f"taken (wrapped, durable, {batch} per commit)", messages, started)
        carry_through(installation, messages)
    finally:
        installation.store.close()


def sealed(site: Site, number: int) -> Eingang:
    """One freshly sealed application as a door hands it over."""
    now = utc_now()
    body = seal(sample_letter(number, now=now), parties=site.pki.parties, random=secrets.token_bytes, now=now)
    return Eingang(
        mandant=MANDANT,
        channel="eingang",
        message_id=f"bench-{number}",
        content_type=OSCI_MIME,
        received_at=now,
        body=MemoryContent(body),
    )


def carry_through(installation: Installation, messages: int) -> None:
    """Everything that is due, by one worker; says what became of the messages."""
    tools = bench(installation, Configuration(installation.settings), all_answers(installation.settings))
    started = perf_counter()
    Worker(tools, owner=own_name()).drain()
    tell("carried through (opened … delivered, answered)", messages, started)
    print("states:", dict(Counter(installation.store.counts())))


def tell(step: str, messages: int, started: float) -> None:
    """One line of the table."""
    seconds = perf_counter() - started
    print(f"{step:44} {seconds:7.2f} s {messages / seconds:9.1f} /s {1000 * seconds / messages:8.2f} ms each")


if __name__ == "__main__":
    main()
