"""Chaos by hand and in the soak; every run prints its report as JSON and ends with 1 when a promise was broken.

python -m tests.chaos campaign --engine postgresql --kills 500 --broker-kills 100 --database-kills 100 --seed 1
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, fields
from pathlib import Path

from tests.chaos.campaign import POSTGRESQL, SQLITE, Plan, Report, run
from tests.chaos.disk import DATA, DATABASE, Drought, dry
from tests.chaos.scenes import SCENES, Scene
from tests.chaos.syscalls import FAILED, KILLED, Sweep, sweep
from tests.chaos.ways import FOLDER, RABBIT


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    campaign = verbs.add_parser("campaign", help="load and faults of all kinds at once")
    for one in fields(Plan):
        if one.name == "engine":
            campaign.add_argument("--engine", choices=(SQLITE, POSTGRESQL), default=SQLITE)
        elif one.name == "is_ordered":
            campaign.add_argument("--unordered", dest="is_ordered", action="store_false")
        else:
            campaign.add_argument(f"--{one.name.replace('_', '-')}", type=type(one.default), default=one.default)
    campaign.add_argument("--journal", type=Path, help="folder for the journals and the installation; stays afterwards")
    syscalls = verbs.add_parser("syscalls", help="SIGKILL or an error at every system call of the way, in turn")
    syscalls.add_argument("--engine", choices=(SQLITE, POSTGRESQL), default=SQLITE)
    syscalls.add_argument("--way", choices=(FOLDER, RABBIT), default=FOLDER, help="how messages come in")
    syscalls.add_argument("--calls", default=":".join(KILLED), help="kinds to kill at, with colons")
    syscalls.add_argument("--errors", default=":".join(FAILED), help="kinds to fail with EIO, sendto with ECONNRESET")
    syscalls.add_argument("--most", type=int, default=10_000, help="of each kind at most so many")
    syscalls.add_argument("--journal", type=Path)
    disk = verbs.add_parser("disk-full", help="the disk of the store is full again and again (as root)")
    disk.add_argument("--engine", choices=(SQLITE, POSTGRESQL), default=SQLITE)
    disk.add_argument("--times", type=int, default=50)
    disk.add_argument("--kills", type=int, default=0)
    disk.add_argument("--volume", choices=(DATA, DATABASE), default=DATA, help="our data, or those of PostgreSQL")
    disk.add_argument("--seed", type=int, default=1)
    disk.add_argument("--journal", type=Path)
    for name, play in SCENES.items():
        scene = verbs.add_parser(name, help=(play.__doc__ or "").partition("\n")[0])
        scene.add_argument("--engine", choices=(SQLITE, POSTGRESQL), default=SQLITE)
        scene.add_argument("--times", type=int, default=20)
        scene.add_argument("--seed", type=int, default=1)
        scene.add_argument("--journal", type=Path)
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as temporary:
        folder = choice.journal or Path(temporary)
        report = _run(choice, folder)
    told = report.as_json() if isinstance(report, Report | Sweep) else asdict(report)
    print(json.dumps(told, indent=1))
    return 1 if report.findings else 0


def _run(choice: argparse.Namespace, folder: Path) -> Report | Sweep | Drought | Scene:
    if choice.verb == "syscalls":
        calls, errors = (tuple(filter(None, text.split(":"))) for text in (choice.calls, choice.errors))
        return sweep(choice.engine, folder, way=choice.way, calls=calls, errors=errors, most=choice.most)
    if choice.verb == "disk-full":
        asked = {name: getattr(choice, name) for name in ("times", "seed", "kills", "volume")}
        return dry(choice.engine, folder, **asked)
    if choice.verb in SCENES:
        return SCENES[choice.verb](choice.engine, folder, times=choice.times, seed=choice.seed)
    return run(Plan(**{one.name: getattr(choice, one.name) for one in fields(Plan)}), folder)


if __name__ == "__main__":
    sys.exit(main())
