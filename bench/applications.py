"""One thread of this machine on sealed applications, from sealing to Quittung: SQLite, no broker."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter

from bench.site import BenchSite


def measure(messages: int = 300) -> None:
    """Do each kind of work once and print what it took."""
    with tempfile.TemporaryDirectory(prefix="intermediary-bench.") as folder:
        site = BenchSite(Path(folder), messages)
        for step, work in (
            ("seal (stand-in of a portal)", site.seal_all),
            ("take (wrapped, durable)", site.take_all),
            ("judge (pure, no commit)", site.judge_all),
            ("carry through (claim to Quittung)", site.work_all),
        ):
            started = perf_counter()
            work()
            seconds = perf_counter() - started
            print(f"{step:34} {seconds:7.2f} s {messages / seconds:8.1f} /s {1000 * seconds / messages:8.2f} ms each")
