"""Kills the daemon again and again while it files in a CMIS DMS that misbehaves, then counts what lies there.

    python -m tests.soak.cmis_kills --messages 300 --kills 30 --seed 1

Every message must end as completed, and for every Zustellung there must be one folder and one document with the content that
its label says: none lost, none doubled, however many answers were lost. The audit trail must verify.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intermediary.testing.cmis.server import CmisServer
from intermediary.testing.faces.mischief import Knob
from intermediary.testing.samples import NAMESPACE, ROOT, SERVICE
from tests.chaos.installation import make_stand
from tests.soak.daemon_kills import Daemon, _ask

TROUBLE = (
    "reset-before=0.02",
    "reset-inside=0.01",
    "reset-after=0.04",
    "error-before=0.02",
    "error-after=0.03",
    "refuse:1=0.02",
    "twice=0.02",
    "wrong-type=0.01",
    "drip:1=0.01",
    "huge:2=0.01",
)

_ROUTE = """\
[[route]]
name = "dms"
mandant = "musterstadt"
stage = "test"
mapping = "bewohnerparken@1"
[route.when]
root = "{root}"
service = "{service}"
[route.settings]
{settings}
[[route.target]]
name = "dms"
connector = "cmis"
[route.target.settings]
url = "{url}"
folder = "/"
key_property = "efa:schluessel"
[route.target.settings.case]
type = "efa:vorgang"
name = "{{aktenzeichen}} {{key}}"
key_property = "efa:schluessel"
[route.target.settings.case.properties]
"efa:aktenzeichen" = "{{aktenzeichen}}"
[route.target.settings.document]
type = "efa:dokument"
[route.target.settings.http]
total_seconds = 20
max_answer_bytes = 1000000
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What the run found; `violations` is empty when every promise held."""

    messages: int
    kills: int
    seconds: float
    states: dict[str, int]
    documents: int
    folders: int
    requests: int
    troubles: dict[str, int]
    violations: tuple[str, ...]


def run(folder: Path, *, messages: int, kills: int, seed: int, workers: int = 2, patience: float = 1500.0) -> Report:
    """One run in an empty folder."""
    dice = random.Random(seed)
    stand = make_stand(folder / "site", is_ordered=False)
    started = time.monotonic()
    with CmisServer(folder / "dms", knobs=[Knob.parse(one) for one in TROUBLE], seed=seed) as server:
        root = server.dms
        text = (folder / "site" / "routes.toml").read_text(encoding="utf-8")
        settings = text.partition("[route.settings]\n")[2].partition("[[route.target]]")[0]
        routes = _ROUTE.format(
            root=f"{{{NAMESPACE}}}{ROOT}", service=SERVICE, settings=settings, url=server.browser_url
        )
        (folder / "site" / "routes.toml").write_text(routes, encoding="utf-8")
        config = stand.site.config.read_text(encoding="utf-8")
        rests = "[delivery]\nrest_after_failures = 1000\nfirst_rest_seconds = 1\nlongest_rest_seconds = 1\n"
        stand.site.config.write_text(config.replace("[delivery]\n", rests, 1), encoding="utf-8")
        for number in range(messages):
            draft = stand.site.inbox / f".antrag-{number}"
            draft.write_bytes(stand.ordinary[number % len(stand.ordinary)])
            draft.rename(stand.site.inbox / f"antrag-{number}")
        daemon = Daemon(stand.site.config, stand.log, workers)
        daemon.start()
        try:
            done = _drive(daemon, server, dice, messages=messages, kills=kills, end=started + patience)
        finally:
            stopped = daemon.stop() == 0
        lines = [json.loads(line) for line in _ask(stand.site, "state", "--all", "--json").stdout.splitlines()]
        violations = [] if done and stopped else ["the run did not end in time, or the daemon did not stop cleanly"]
        violations += _judged(lines, server, messages)
        verify = _ask(stand.site, "audit", "verify")
        if verify.returncode != 0:
            violations.append(f"audit verify: {verify.stdout[-500:]}{verify.stderr[-500:]}")
        return Report(
            messages=messages,
            kills=kills,
            seconds=round(time.monotonic() - started, 1),
            states=dict(Counter(line["state"] for line in lines)),
            documents=len(root.documents()),
            folders=len(root.folders()),
            requests=len(server.seen),
            troubles=dict(Counter(knob for one in server.seen for knob in one.knobs)),
            violations=tuple(violations),
        )


def _drive(daemon: Daemon, server: CmisServer, dice: random.Random, *, messages: int, kills: int, end: float) -> bool:
    """Kill while it works; after the last kill let it finish, with the trouble going on until little is left."""
    pause = threading.Event()
    left, seen_then, wanted = kills, 0, dice.randint(1, 60)
    while time.monotonic() < end:
        pause.wait(dice.uniform(0.0, 0.05))
        filed = len(server.dms.documents())
        if left and len(server.seen) >= seen_then + wanted:
            daemon.kill()
            daemon.start()
            left, seen_then, wanted = left - 1, len(server.seen), dice.randint(1, 2 * messages * 5 // kills)
        if filed >= messages * 0.9 and not left:
            server.mischief.calm()
        if not left and filed >= messages and _all_completed(daemon, messages):
            return True
    return False


def _all_completed(daemon: Daemon, messages: int) -> bool:
    config = Path(daemon._command[daemon._command.index("-c") + 1])
    answers = config.parent / "quittungen"
    return len(list(answers.glob("*.json"))) >= messages


def _judged(lines: list[dict[str, Any]], server: CmisServer, messages: int) -> list[str]:
    violations = [f"{len(lines)} messages in the store"] if len(lines) != messages else []
    violations += [f"not completed: {line['id']} {line['state']} {line['code']}" for line in lines
                   if line["state"] != "completed"]  # fmt: skip
    zustellungen = [one for line in lines for one in line["zustellungen"]]
    keys = {one["key"] for one in zustellungen}
    delivered = {one["key"] for one in zustellungen if one["state"] == "delivered"}
    labels = Counter(str(one.values.get("efa:schluessel")) for one in server.dms.documents())
    violations += [f"filed {count} times: {label}" for label, count in labels.items() if count != 1]
    filed = {label.split("/")[0] for label in labels}
    violations += [f"lost: {key}" for key in delivered - filed] + [f"of nobody: {key}" for key in filed - keys]
    folders = Counter(str(one.values.get("efa:schluessel")) for one in server.dms.folders())
    violations += [f"{count} folders: {key}" for key, count in folders.items() if count != 1 or key not in keys]
    for one in server.dms.documents():
        _, _, _, length, sha256 = str(one.values.get("efa:schluessel")).split("/")
        if one.content is None or (str(one.content.length), one.content.sha256) != (length, sha256):
            violations.append(f"not what its label says: {one.id}")
    return violations


def main() -> int:
    """Print the report as JSON; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path)
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cmis-kills-") as temporary:
        folder = choice.dir or Path(temporary)
        report = run(folder, messages=choice.messages, kills=choice.kills, seed=choice.seed)
    print(json.dumps({name: getattr(report, name) for name in Report.__slots__}, indent=1))
    return 1 if report.violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
