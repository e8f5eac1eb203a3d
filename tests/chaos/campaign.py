"""One campaign: continuous load, faults of all chosen kinds at once by one seed, then rest, and the checker's verdict."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from intermediary.testing.pki import Pki
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.servers import PrivateRabbit
from tests.chaos import faults
from tests.chaos.checker import Finding, check, kinds
from tests.chaos.daemon import Daemon
from tests.chaos.evidence import Cli, collect, wait_until_settled
from tests.chaos.installation import Stand, make_stand
from tests.chaos.journal import Journal, read_journal
from tests.chaos.nursery import Nursery
from tests.chaos.proxy import Proxy
from tests.chaos.senders import AnswerReader, FolderSender, Load, QueueSender
from tests.chaos.sink import Sink

_BACKLOG = 120
"""So many effects may be owed; then the senders wait, so that a slow machine has no hours of work left at the end."""

SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen.

    Each number of faults has a mean pause in seconds; `pace` is the pause between two submissions. `ways` restricts the
    moments of kills (names with commas), `share` is how many calls go wrong at the sink, `bold` how many submissions go to
    the target of kind none. After the last fault the load goes on until there were `least_effects`.
    """

    engine: str = SQLITE
    seed: int = 1
    kills: int = 0
    kill_mean: float = 0.4
    ways: str = ""
    broker_kills: int = 0
    broker_mean: float = 2.0
    alarms: int = 0
    database_kills: int = 0
    database_mean: float = 4.0
    moods: int = 0
    network_faults: int = 0
    network_mean: float = 1.5
    stops: int = 0
    stop_mean: float = 1.0
    share: float = 0.2
    bold: float = 0.08
    pace: float = 0.15
    workers: int = 2
    plant: str = ""
    is_ordered: bool = True
    least_effects: int = 0
    patience: float = 240.0


@dataclass(frozen=True, slots=True)
class Report:
    """What became of it."""

    plan: dict[str, Any]
    seconds: float
    drain_seconds: float
    faults: dict[str, int]
    given: int
    taken: int
    effects: int
    misdeeds: dict[str, int]
    states: dict[str, int]
    recovery_seconds: dict[str, float]
    findings: list[Finding] = field(default_factory=list)

    @property
    def kinds(self) -> dict[str, int]:
        return kinds(self.findings)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"findings": [asdict(one) for one in self.findings[:50]], "kinds": self.kinds}


def run(plan: Plan, folder: Path, *, pki: Pki | None = None) -> Report:
    """One campaign in a folder that is empty or new; its journals stay there."""
    folder.mkdir(parents=True, exist_ok=True)
    with _surroundings(plan, folder, pki) as (stand, place, senders):
        started = time.monotonic()
        place.daemon.start()
        for sender in senders:
            sender.start()
        _rage(plan, place)
        calm = time.monotonic()
        place.sink.share = 0.0
        unfinished = [sender for sender in senders if not sender.finish(plan.patience)]
        cli = Cli(stand, place.daemon.nursery)
        told = [line for path in folder.glob("sent-*.jsonl") for line in read_journal(path)]
        taken = {line["id"] for line in told if line["what"] == "taken"}
        settled = wait_until_settled(cli, plan.patience, taken=len(taken)) and not unfinished
        drained = time.monotonic() - calm
        if not place.daemon.is_running():
            place.ended.append(place.daemon.wait())
        stop_status = place.daemon.stop()
        evidence = collect(
            stand,
            cli,
            sent=sorted(folder.glob("sent-*.jsonl")),
            sink=folder / "sink.jsonl",
            settled=settled,
            ended=place.ended,
            stop_status=stop_status,
        )
        findings = check(evidence)
        for finding in findings:
            place.journal.write("finding", **asdict(finding))
        return Report(
            plan={name: value for name, value in asdict(plan).items() if value},
            seconds=round(calm - started, 1),
            drain_seconds=round(drained, 1),
            faults=dict(sorted(place.counts.items())),
            given=len({line["id"] for line in evidence.given}),
            taken=len(evidence.taken),
            effects=place.sink.effects,
            misdeeds={name: count for name, count in place.sink.misdeeds.items() if count},
            states=_counts(evidence.states),
            recovery_seconds=_recovery(folder),
            findings=findings,
        )


@contextmanager
def _surroundings(plan: Plan, folder: Path, pki: Pki | None) -> Iterator[tuple[Stand, faults.Field, list[Any]]]:
    """Servers, proxies, installation, sink and senders; all gone afterwards but for the journals."""
    with ExitStack() as stack:
        proxies: dict[str, Proxy] = {}
        postgres = rabbit = None
        database = database_url = broker_url = ""
        if plan.engine == POSTGRESQL:
            postgres = stack.enter_context(PrivatePostgres())
            rabbit = stack.enter_context(PrivateRabbit())
            direct = postgres.database()
            database = direct.rpartition("/")[2]
            proxies = {"broker": Proxy(rabbit.port), "database": Proxy(postgres.port)}
            for proxy in proxies.values():
                stack.callback(proxy.close)
            database_url = direct.replace(f":{postgres.port}/", f":{proxies['database'].port}/")
            broker_url = rabbit.url.replace(f":{rabbit.port}/", f":{proxies['broker'].port}/")
        stand = make_stand(
            folder / "site", pki=pki, database=database_url, broker=broker_url, is_ordered=plan.is_ordered
        )
        journal = _journal(stack, folder / "faults.jsonl")
        journal.write("plan", **asdict(plan))
        sink = Sink(stand.socket, _journal(stack, folder / "sink.jsonl", sync=True), seed=plan.seed, share=plan.share)
        stack.callback(sink.close)
        nursery = Nursery(stand.plugins)
        stack.callback(nursery.close)
        daemon = Daemon(stand, nursery, workers=plan.workers, plant=plan.plant)
        stack.callback(_end, daemon)
        senders: list[Any] = []
        load = Load(
            plan.seed, plan.pace, plan.bold, lambda: sum(2 * one.taken for one in senders) - sink.effects > _BACKLOG
        )
        files = _journal(stack, folder / "sent-folder.jsonl")
        folder_sender = FolderSender(stand, files, load)
        senders.append(folder_sender)
        if rabbit is not None:
            told = _journal(stack, folder / "sent-rabbit.jsonl")
            queue = QueueSender(stand, rabbit.url, told, load)
            queue.declare()
            rabbit.settle()
            senders.append(queue)
            stack.callback(AnswerReader(rabbit.url, _journal(stack, folder / "sent-answers.jsonl")).close)
        place = faults.Field(daemon, sink, folder_sender, journal, postgres, database, rabbit, proxies)
        yield stand, place, senders


def _rage(plan: Plan, place: faults.Field) -> None:
    """All streams at once, until each has done its number."""
    seed = plan.seed
    streams: list[faults.Stream] = [
        faults.Kills(place, plan.kills, seed=seed, mean=plan.kill_mean, ways=plan.ways),
        faults.Stops(place, plan.stops, seed=seed, mean=plan.stop_mean),
    ]
    if plan.engine == POSTGRESQL:
        streams += [
            faults.BrokerKills(place, plan.broker_kills, seed=seed, mean=plan.broker_mean),
            faults.Alarms(place, plan.alarms, seed=seed, mean=plan.broker_mean),
            faults.DatabaseKills(place, plan.database_kills, seed=seed, mean=plan.database_mean),
            faults.DatabaseMoods(place, plan.moods, seed=seed, mean=plan.database_mean),
            faults.NetworkFaults(place, plan.network_faults, seed=seed, mean=plan.network_mean),
        ]
    for stream in streams:
        stream.start()
    end = time.monotonic() + plan.patience
    while any(stream.is_alive() for stream in streams):
        place.abort.wait(0.05)
    while place.sink.effects < plan.least_effects and time.monotonic() < end:
        place.abort.wait(0.05)
    if place.abort.is_set():
        raise AssertionError(f"a stream of faults failed: see {place.journal.path}")


def _journal(stack: ExitStack, path: Path, *, sync: bool = False) -> Journal:
    journal = Journal(path, sync=sync)
    stack.callback(journal.close)
    return journal


def _end(daemon: Daemon) -> None:
    if daemon.pid and daemon.is_running():
        daemon.kill(group=True)


def _counts(states: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in states:
        name = f"{line['state']} {line['code'] or ''}".strip()
        found[name] = found.get(name, 0) + 1
    return found


def _recovery(folder: Path) -> dict[str, float]:
    """From the kill of the whole daemon to the next effect at the sink, where nothing else had been killed meanwhile."""
    kills = [line["t"] for line in read_journal(folder / "faults.jsonl") if line.get("whom") in ("supervisor", "group")]
    effects = [line["t"] for line in read_journal(folder / "sink.jsonl") if line["what"] == "effect"]
    waits = []
    for kill, following in zip(kills, [*kills[1:], float("inf")], strict=False):
        after = next((effect for effect in effects if effect > kill), None)
        if after is not None and after < following:
            waits.append(after - kill)
    waits.sort()
    if not waits:
        return {}
    return {"median": round(waits[len(waits) // 2], 2), "most": round(waits[-1], 2)}
