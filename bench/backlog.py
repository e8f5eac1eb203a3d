"""How fast a daemon works off a large backlog, beside its rate without one, and what memory that takes."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from bench.throughput import carry, installed, running, seal_letters
from bench.usage import Usage
from intermediary.cli.quiet import quiet_logs
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.doors import OSCI_MIME
from intermediary.testing.demo_site import MANDANT, Site
from intermediary.wiring import open_installation, utc_now

_BATCH = 200
_ROUNDS, _STEADY = 3, 600
_WINDOW = 5_000
_QUIET_SECONDS = 120.0
_LEAST = 0.8


def measure(messages: int = 100_000, engine_number: int = 0) -> None:
    """Engine 0 is SQLite with folders, 1 is PostgreSQL with RabbitMQ."""
    quiet_logs()
    engine = ("sqlite", "postgresql")[engine_number]
    with tempfile.TemporaryDirectory(prefix="intermediary-bench.") as folder, installed(Path(folder), engine) as made:
        site, line = made
        sealed = seal_letters(site)
        with running(site):
            carry(line, sealed, start=0, messages=_STEADY)  # warm
            rates = [
                _STEADY / carry(line, sealed, start=number * _STEADY, messages=_STEADY)
                for number in range(1, _ROUNDS + 1)
            ]
        steady = median(rates)
        _fill(site, sealed, messages)
        windows, memory = _drain(site, messages)
    print(f"{engine}: backlog of {messages:,}")
    print(f"  rate without a backlog {steady:7.1f} /s ({', '.join(f'{rate:.0f}' for rate in rates)})")
    print(f"  rate of working it off {median(windows):7.1f} /s, slowest {_WINDOW:,} {min(windows):.1f} /s")
    print(f"  ratio                  {median(windows) / steady:7.2f}    (at least {_LEAST})")
    for role, (first, last, most) in memory.items():
        print(
            f"  resident {role:10} {first // 1024:5} MiB at first {last // 1024:5} MiB at last {most // 1024:5} MiB at most"
        )


def _fill(site: Site, sealed: list[bytes], messages: int) -> None:
    """Take so many while no daemon runs, as its doors would have while the target was away."""
    with closing(open_installation(site.config).store) as store:
        for start in range(0, messages, _BATCH):
            store.take([_eingang(number, sealed) for number in range(start, min(start + _BATCH, messages))])


def _eingang(number: int, sealed: list[bytes]) -> Eingang:
    return Eingang(
        mandant=MANDANT,
        channel="eingang",
        message_id=f"urn:bench:backlog:{number}",
        content_type=OSCI_MIME,
        received_at=utc_now(),
        body=MemoryContent(sealed[number % len(sealed)]),
    )


def _drain(site: Site, messages: int) -> tuple[list[float], dict[str, tuple[int, int, int]]]:
    """Messages per second in windows of so many, and memory of each role: at the first window, the last, the most."""
    windows: list[float] = []
    memory: dict[str, list[int]] = {}
    _fetched(site)
    with running(site) as daemon:
        usage = Usage(daemon.pid)
        began, seen, quiet_since = time.perf_counter(), 0, time.perf_counter()
        marked = seen
        while seen < messages:
            time.sleep(0.25)
            now, fetched = time.perf_counter(), _fetched(site)
            seen += fetched
            if fetched:
                quiet_since = now
            elif now - quiet_since > _QUIET_SECONDS:
                raise RuntimeError(f"nothing happened any more after {seen} of {messages}")
            if seen - marked >= min(_WINDOW, messages):
                windows.append((seen - marked) / (now - began))
                began, marked = now, seen
                for role, kibibytes in usage.resident().items():
                    memory.setdefault(role, []).append(kibibytes)
    return windows, {role: (sizes[0], sizes[-1], max(sizes)) for role, sizes in memory.items()}


def _fetched(site: Site) -> int:
    """Fetch packages and Quittungen as their receivers do; how many Quittungen there were."""
    for folder in (site.drop, site.answers):
        fetched = [path for path in folder.iterdir() if not path.name.startswith(".")]
        for path in fetched:
            path.unlink()
    return sum(path.suffix == ".json" for path in fetched)
