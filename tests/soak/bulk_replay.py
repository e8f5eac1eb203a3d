"""Replays many messages as one job at a rate while the daemon is killed in the middle, then counts the effects of each.

    python -m tests.soak.bulk_replay --messages 2000 --rate 100 --kills 5 --engine postgresql

The messages are real: sealed ones are taken, opened, delivered and answered at full speed first. Then all of them are
ordered again as one job; the order is given twice (a double click), and another operator orders some of them beside it. The
whole daemon is killed at random moments. A consumer empties the target's folder all the time and remembers every package: in
the end exactly one new package must have come for every message, under its name and with its bytes, the report of the job
must say the same, and the audit trail must verify.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from intermediary.core.states import NachrichtState
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.doors import OSCI_MIME
from intermediary.osci.write.seal import seal
from intermediary.store.errors import NotPossible
from intermediary.store.job_records import Fate, JobRecord, JobState
from intermediary.store.store import Store
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import MANDANT, Site, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.samples import sample_letter
from intermediary.wiring import open_installation, utc_now
from tests.acceptance.command import Said, call
from tests.soak.daemon_kills import Consumer, Daemon

LETTERS = 20
"""So many letters are sealed; the messages are these again and again, under message ids of their own."""

BATCH = 100
WORDS = ("state=completed", "--redeliver", "eakte", "--reason", "Pakete verloren")


@dataclass(frozen=True, slots=True)
class Report:
    """What the run found; `violations` is empty when every promise held."""

    messages: int
    engine: str
    kills: int
    fill_seconds: float
    count_seconds: float
    order_seconds: float
    replay_seconds: float
    rate_ordered: float
    rate_reached: float
    job: dict[str, Any]
    packages_before: int
    packages_after: int
    violations: tuple[str, ...] = field(default=())


def run(
    folder: Path,
    *,
    messages: int,
    kills: int,
    seed: int,
    rate: float,
    engine: str = "sqlite",
    workers: int = 2,
    patience: float = 7200.0,
    pki: Pki | None = None,
) -> Report:
    """One run in an empty folder."""
    with ExitStack() as servers:
        site = make_site(folder / "site", now=utc_now(), settings=golden_settings(), pki=pki)
        if engine == "postgresql":
            site.use_database(servers.enter_context(PrivatePostgres()).database())
        store = open_installation(site.config).store
        servers.callback(store.close)
        daemon = Daemon(site.config, folder / "daemon.log", workers)
        return _Run(site, store, daemon, random.Random(seed), time.monotonic() + patience).report(
            messages, kills, rate, engine
        )


@dataclass
class _Run:
    site: Site
    store: Store
    daemon: Daemon
    dice: random.Random
    end: float
    pause: threading.Event = field(default_factory=threading.Event)
    found: list[str] = field(default_factory=list)

    def report(self, messages: int, kills: int, rate: float, engine: str) -> Report:
        with Consumer(self.site.drop) as consumer:
            started = time.monotonic()
            ids = self._fill(messages)
            filled = time.monotonic() - started
            before = _packages(consumer)
            counted, count_seconds = self._foretell(messages)
            job, order_seconds = self._order(rate)
            started = time.monotonic()
            with self._running():
                killed = self._go_through(job, kills)
                self._wait_for(lambda: self._open(job) == 0, "every Zustellung decided")
            replayed = time.monotonic() - started
        after = _packages(consumer)
        self._judge(ids, before, after, consumer, counted)
        told = self._call("jobs", "show", job.id, "--json").rows[0]
        ended = self.store.jobs.get(job.id)
        seconds = (ended.ended_at - ended.started_at).total_seconds() if ended.ended_at and ended.started_at else 0.0
        return Report(
            messages=messages,
            engine=engine,
            kills=killed,
            fill_seconds=round(filled, 1),
            count_seconds=round(count_seconds, 1),
            order_seconds=round(order_seconds, 1),
            replay_seconds=round(replayed, 1),
            rate_ordered=rate,
            rate_reached=round(ended.handled / seconds, 1) if seconds else 0.0,
            job={name: told[name] for name in ("state", "total", "done", "nothing", "failed", "since")},
            packages_before=before.total(),
            packages_after=after.total(),
            violations=tuple(self.found),
        )

    def _fill(self, messages: int) -> list[str]:
        """Real messages, taken in batches and worked off by a daemon at full speed."""
        now, parties = utc_now(), self.site.pki.parties
        bodies = [
            MemoryContent(seal(sample_letter(n, now=now), parties=parties, random=secrets.token_bytes, now=now))
            for n in range(min(LETTERS, messages))
        ]
        ids: list[str] = []
        with self._running():
            for start in range(0, messages, BATCH):
                numbers = range(start, min(start + BATCH, messages))
                batch = [
                    Eingang(
                        mandant=MANDANT,
                        channel="eingang",
                        message_id=f"urn:beispiel:{number}",
                        content_type=OSCI_MIME,
                        received_at=utc_now(),
                        body=bodies[number % len(bodies)],
                    )
                    for number in numbers
                ]
                ids += [taken.nachricht_id for taken in self.store.take(batch)]
            self._wait_for(lambda: self._completed() == messages, "every message completed")
        return ids

    def _foretell(self, messages: int) -> tuple[dict[str, int], float]:
        started = time.monotonic()
        [told] = self._call("replay", *WORDS, "--job", "--dry-run", "--json").rows
        if told["moved"] != {"redeliver": messages}:
            self.found.append(f"the dry run foresees {told['moved']} and {told['left']}")
        return told["moved"], time.monotonic() - started

    def _order(self, rate: float) -> tuple[JobRecord, float]:
        """Order it, and click twice."""
        started = time.monotonic()
        words = ("replay", *WORDS, "--job", "--rate", str(rate), "--json")
        [told] = self._call(*words).rows
        taken = time.monotonic() - started
        twice = call(*words, "-c", self.site.config)
        if twice.code == 0 or told["id"] not in twice.err:
            self.found.append(f"a second equal order was not refused: {twice}")
        return self.store.jobs.get(told["id"]), taken

    def _go_through(self, job: JobRecord, kills: int) -> int:
        """Kill the daemon at random moments of the job; somewhere in the middle another operator wants some of it too.

        How many kills there were: the last may come too late.
        """
        moments = sorted(self.dice.randrange(job.total * 9 // 10) for _ in range(kills))
        rival: int | None = job.total // 2
        while (known := self.store.jobs.get(job.id)).state is JobState.RUNNING:
            if rival is not None and known.handled >= rival:
                rival = None
                self._beside(job)
            elif moments and known.handled >= moments[0]:
                moments.pop(0)
                self.daemon.kill()
                self.daemon.start()
            self._demand_time("the job")
            self.pause.wait(0.02)
        if kills and len(moments) == kills:
            self.found.append("no kill came in time")
        if known.state is not JobState.DONE:
            self.found.append(f"the job is {known.state} {known.code}")
        return kills - len(moments)

    def _beside(self, job: JobRecord) -> None:
        """While the job is paused, another operator wants some of it by hand, and some as a job: neither gets any."""
        try:
            paused = self.store.jobs.pause(job.id, actor="bob", reason="Wartung", now=utc_now())
        except NotPossible:  # it was quicker than we
            return
        chosen = [one.id for one in self.store.find(state=NachrichtState.COMPLETED, limit=10)]
        hand = self._call("replay", chosen[0], *WORDS[1:], "--json").rows
        if [row["action"] for row in hand] != ["nothing"]:
            self.found.append(f"a person redelivers beside the job: {hand}")
        [other] = self._call("replay", *chosen, *WORDS[1:], "--job", "--rate", "1000", "--json").rows
        self._wait_for(lambda: not self.store.jobs.get(other["id"]).is_open, "the other operator's job")
        if (done := self.store.jobs.get(other["id"]).done) != 0:
            self.found.append(f"another operator's job redelivered {done} beside {job.id}")
        if self.store.jobs.get(job.id).handled != paused.handled:
            self.found.append("the job went on while it was paused")
        self._call("jobs", "resume", job.id, "--reason", "fertig")

    def _judge(
        self, ids: list[str], before: Counter[str], after: Counter[str], consumer: Consumer, counted: dict[str, int]
    ) -> None:
        """Compare what came at the target before and after, for every message."""
        wrong = [one for one in ids if (before[one], after[one] - before[one]) != (1, 1)]
        self.found += [f"{one}: {before[one]} before, {after[one] - before[one]} by the job" for one in wrong[:20]]
        if len(wrong) > 20:
            self.found.append(f"… and {len(wrong) - 20} more")
        if after.total() != 2 * len(ids):
            self.found.append(f"{after.total()} packages for {len(ids)} messages")
        changed = [name for name, hashes in consumer.hashes.items() if name.endswith(".zip") and len(hashes) != 1]
        self.found += [f"came with other bytes: {name}" for name in changed[:20]]
        states: Counter[tuple[str, ...]] = Counter()
        for line in self.store.state_lines():
            states[(line.state, *(state for _target, _key, state in line.zustellungen))] += 1
        if states != {("completed", "delivered", "delivered"): len(ids)}:
            self.found.append(f"states: {dict(states)}")
        verified = self._call("audit", "verify")
        if verified.code != 0:
            self.found.append(f"audit verify: {verified.out[-500:]}{verified.err[-500:]}")

    @contextmanager
    def _running(self) -> Iterator[None]:
        self.daemon.start()
        try:
            yield
        except BaseException:
            self.daemon.kill()
            raise
        if self.daemon.stop() != 0:
            self.found.append("the daemon did not stop cleanly")

    def _completed(self) -> int:
        return sum(count for (state, _), count in self.store.counts().items() if state is NachrichtState.COMPLETED)

    def _open(self, job: JobRecord) -> int:
        return self.store.jobs.report(job.id).fates.get(Fate.OPEN, 0)

    def _wait_for(self, holds: Any, what: str) -> None:
        while not holds():
            self._demand_time(what)
            self.pause.wait(0.5)

    def _demand_time(self, what: str) -> None:
        if time.monotonic() > self.end:
            raise TimeoutError(f"waited in vain: {what}")
        if self.daemon.process is None or self.daemon.process.poll() is not None:
            raise RuntimeError("the daemon ended by itself")

    def _call(self, *words: str) -> Said:
        said = call(*words, "-c", self.site.config)
        if said.code == 2:
            raise RuntimeError(f"{' '.join(words)}: {said.err}")
        return said


def _packages(consumer: Consumer) -> Counter[str]:
    """How many packages came, by the id of their message, up to now."""
    came = consumer.seen.copy()
    return Counter({name[:36]: count for name, count in came.items() if name.endswith(".zip")})


def main() -> int:
    """Print the report as JSON; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--hours", type=float, default=4.0, help="at most so long")
    parser.add_argument("--dir", type=Path)
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bulk-") as temporary:
        report = run(
            choice.dir or Path(temporary),
            messages=choice.messages,
            kills=choice.kills,
            seed=choice.seed,
            rate=choice.rate,
            engine=choice.engine,
            workers=choice.workers,
            patience=choice.hours * 3600,
        )
    print(json.dumps(asdict(report), indent=1, default=str))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
