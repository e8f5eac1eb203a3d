"""Measures one thread of this machine on sealed applications: `python -m bench [MESSAGES]`, SQLite, no broker.

Figures are for comparison with earlier figures of the same machine, nothing else.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from bench.site import BenchSite


def main() -> None:
    """Do each kind of work once and print what it took."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {messages} messages")
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


if __name__ == "__main__":
    main()
