"""Replaces the daemon of an earlier version by the present one under load and kills, on one database (contract G15).

    python -m tests.soak.rolling_upgrade --messages 600 --kills 12 --seed 1

First the earlier version works alone, then both do, each killed now and then, and the earlier one starts again on a database
that the present one has added to; at the end the present one is alone. The earlier version is the wheel of a commit of this
repository's history. What must hold is what `daemon_kills` demands.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from pathlib import Path

import pika

from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.servers import PrivateRabbit
from intermediary.wiring import utc_now
from tests.packaging.installing import PROJECT, build_wheel, make_environment, run
from tests.soak.daemon_kills import ANSWERS, Consumer, Daemon, Report, judge, publish, use_broker

EARLIER = "c27b060168"
"""The first version whose databases a later one has to take over."""

_ALONE = 0.25
"""The share of the messages that each of both carries while the other one is not there."""


def travel(
    folder: Path, *, messages: int, kills: int, seed: int, earlier: str = EARLIER, patience: float = 900
) -> Report:
    """One upgrade in an empty folder."""
    dice = random.Random(seed)
    old = _installed(folder, earlier)
    site = make_site(folder / "site", now=utc_now(), settings=golden_settings())
    answered: Counter[str] = Counter()
    with PrivateRabbit() as rabbit:
        use_broker(site, rabbit.url)
        ids = publish(site, rabbit.url, messages, dice)
        started = time.monotonic()
        with Consumer(site.drop) as consumer:
            upgrade = _Upgrade(site, old, dice, kills)
            done = upgrade.drive(rabbit.url, ids, answered, time.monotonic() + patience)
        return judge(site, ids, consumer, answered, done, seconds=time.monotonic() - started, kills=kills)


class _Upgrade:
    """Who runs when: the earlier version, both of them, the present one."""

    def __init__(self, site: Site, old: Path, dice: random.Random, kills: int) -> None:
        self._dice = dice
        self._left = kills
        log = site.folder / "daemon.log"
        self._old = Daemon(site.config, log, 1, program=[str(old)])
        self._new = Daemon(site.config, log, 1)
        self._running = [self._old]

    def drive(self, url: str, ids: list[str], answered: Counter[str], end: float) -> bool:
        """Until every message is answered; False when that takes too long or a daemon ends by itself."""
        connection = pika.BlockingConnection(pika.URLParameters(url))
        channel = connection.channel()
        self._old.start()
        next_kill = time.monotonic() + self._dice.uniform(1.0, 4.0)
        while (len(answered) < len(ids) or self._left) and time.monotonic() < end:
            method, properties, _body = channel.basic_get(ANSWERS, auto_ack=True)
            if method is not None:
                answered[str(properties.message_id)] += 1
            else:
                connection.sleep(0.05)
            self._change(len(answered) / len(ids))
            if self._left and time.monotonic() >= next_kill:
                self._kill()
                next_kill = time.monotonic() + self._dice.uniform(0.5, 4.0)
            if any(one.process is None or one.process.poll() is not None for one in self._running):
                return False
        codes = [one.stop() for one in self._running]
        connection.close()
        return codes == [0] and len(answered) == len(ids) and not self._left

    def _change(self, share: float) -> None:
        if share >= _ALONE and self._new not in self._running:
            self._new.start()
            self._running.append(self._new)
        if share >= 1 - _ALONE and self._old in self._running:
            self._running.remove(self._old)
            if self._old.stop() != 0:
                raise RuntimeError("the earlier version did not stop in good order")

    def _kill(self) -> None:
        victim = self._dice.choice(self._running)
        victim.kill()
        victim.start()
        self._left -= 1


def _installed(folder: Path, commit: str) -> Path:
    """The program of an earlier commit, from its own wheel, with the dependencies of today."""
    source = folder / "earlier"
    source.mkdir()
    archive = folder / "earlier.tar"
    run("git", "archive", "--output", archive, commit, folder=PROJECT)
    with tarfile.open(archive) as packed:
        packed.extractall(source, filter="data")
    wheel = build_wheel(source, folder / "wheel")
    return make_environment(folder / "environment", wheel).program


def main() -> int:
    """Print the report as JSON; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=600)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--earlier", default=EARLIER, help="a commit")
    choice = parser.parse_args()
    known = subprocess.run(["git", "cat-file", "-e", f"{choice.earlier}^{{commit}}"], cwd=PROJECT, check=False)
    if known.returncode:
        print(f"rolling_upgrade: this clone does not have the commit {choice.earlier}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="upgrade-") as folder:
        report = travel(
            Path(folder), messages=choice.messages, kills=choice.kills, seed=choice.seed, earlier=choice.earlier
        )
    print(json.dumps({name: getattr(report, name) for name in Report.__slots__}, indent=1))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
