"""Kills the whole daemon again and again while it delivers to a target that misbehaves, then counts what arrived.

    python -m tests.soak.connector_kills sftp --messages 300 --kills 20 --seed 1
    python -m tests.soak.connector_kills rest-native|rest-lookup|rest-none|rest-steps|rest-callback …

Every message must have arrived exactly once where the target removes doubles or can be asked; where it can do neither, at
most once, and what is not certain must be parked for a person. None may be lost, and the audit trail must verify.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intermediary.osci.write.seal import seal
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site, route_toml
from intermediary.testing.samples import SERVICE, sample_letter
from intermediary.wiring import utc_now
from tests.soak.connector_scenes import SCENES, Scene, rest_callback
from tests.soak.daemon_kills import Daemon

LOOK_SECONDS = 3.0
_SCENES = {**SCENES, "rest-callback": rest_callback}
_DELIVERY = """\
longest_wait_seconds = 3
recheck_seconds = 1
rest_after_failures = 20
first_rest_seconds = 1
longest_rest_seconds = 2
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What the run found; `violations` is empty when every promise held."""

    scene: str
    messages: int
    kills: int
    seconds: float
    troubles: dict[str, int]
    states: dict[str, int]
    arrived: int
    parked: int
    violations: tuple[str, ...]


def run(name: str, folder: Path, *, messages: int, kills: int, seed: int, patience: float = 1500.0) -> Report:
    """One run in an empty folder."""
    dice = random.Random(seed)
    site = make_site(folder / "site", now=utc_now(), settings=golden_settings())
    config = site.config.read_text(encoding="utf-8").replace("recheck_seconds = 300\n", "")
    site.config.write_text(config.replace("longest_wait_seconds = 4\n", _DELIVERY), encoding="utf-8")
    started = time.monotonic()
    with _SCENES[name](folder, random.Random(seed + 1)) as scene:
        with site.config.open("a", encoding="utf-8") as file:
            file.write(scene.installation)
        head = route_toml("bewohnerparken", SERVICE, golden_settings()).partition("[[route.target]]")[0]
        (site.folder / "routes.toml").write_text(head + scene.settings, encoding="utf-8")
        _drop_messages(site, messages, dice)
        done = _drive(site, scene, messages, kills, dice, patience)
        arrived = scene.arrived()
    seconds = time.monotonic() - started
    lines = _lines(site)
    violations = [] if done else ["the run did not end in time, or the daemon did not stop cleanly"]
    violations += _violations(lines, arrived, messages, is_certain=scene.is_certain)
    verify = _ask(site, "audit", "verify")
    if verify.returncode != 0:
        violations.append(f"audit verify: {verify.stdout[-500:]}{verify.stderr[-500:]}")
    parked = sum(_target(line)["state"] == "parked" for line in lines)
    return Report(
        scene=name,
        messages=messages,
        kills=kills,
        seconds=round(seconds, 1),
        troubles=dict(scene.troubles),
        states=dict(Counter(f"{line['state']}/{_target(line)['state']}" for line in lines)),
        arrived=len(arrived),
        parked=parked,
        violations=tuple(violations),
    )


def _drop_messages(site: Site, messages: int, dice: random.Random) -> None:
    now = utc_now()
    for number in range(messages):
        name = f"m-{number}-{dice.getrandbits(64):x}"
        body = seal(sample_letter(number, now=now), parties=site.pki.parties, random=secrets.token_bytes, now=now)
        draft = site.inbox / f".{name}"
        draft.write_bytes(body)
        draft.rename(site.inbox / name)


def _drive(site: Site, scene: Scene, messages: int, kills: int, dice: random.Random, patience: float) -> bool:
    """Start, kill, disturb, start again …, then let it finish. True when everything was decided in time."""
    daemon = Daemon(site.config, site.folder / "daemon.log", 2)
    moments = sorted(dice.sample(range(1, messages), kills))
    pause = threading.Event()
    end, look = time.monotonic() + patience, 0.0
    daemon.start()
    try:
        while time.monotonic() < end and daemon.process is not None and daemon.process.poll() is None:
            pause.wait(dice.uniform(0.02, 0.3))
            arrived = len(scene.arrived())
            if arrived < messages:
                scene.disturb(dice)
            if moments and arrived >= min(moments[0], messages - len(moments)):
                daemon.kill()
                moments.pop(0)
                daemon.start()
            if not moments and time.monotonic() > look:
                look = time.monotonic() + LOOK_SECONDS
                if _is_decided(site, messages):
                    return daemon.stop() == 0
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()
    return False


def _is_decided(site: Site, messages: int) -> bool:
    lines = _lines(site)
    return len(lines) == messages and all(
        line["state"] == "completed" or (line["zustellungen"] and _target(line)["state"] == "parked") for line in lines
    )


def _violations(lines: list[dict[str, Any]], arrived: Counter[str], messages: int, *, is_certain: bool) -> list[str]:
    violations = [] if len(lines) == messages else [f"{len(lines)} of {messages} messages are in the store"]
    violations += [f"arrived {count} times: {one}" for one, count in arrived.items() if count != 1]
    violations += [f"arrived and unknown: {one}" for one in set(arrived) - {line["id"] for line in lines}]
    for line in lines:
        state = _target(line)["state"]
        if state == "delivered" and line["id"] not in arrived:
            violations.append(f"said to be delivered, never arrived: {line['id']}")
        if state != "delivered" and is_certain:
            violations.append(f"not delivered: {line['id']} {state} {_target(line).get('code')}")
        if state not in ("delivered", "parked"):
            violations.append(f"nobody's: {line['id']} {state}")
    return violations


def _target(line: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (line["zustellungen"] or [{"state": "none"}])[0]
    return found


def _lines(site: Site) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _ask(site, "state", "--all", "--json").stdout.splitlines()]


def _ask(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "intermediary", *words, "-c", str(site.config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def main() -> int:
    """Print the report as JSON; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scene", choices=sorted(_SCENES))
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path)
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="connector-kills-") as temporary:
        folder = choice.dir or Path(temporary)
        report = run(choice.scene, folder, messages=choice.messages, kills=choice.kills, seed=choice.seed)
    print(json.dumps({name: getattr(report, name) for name in Report.__slots__}, indent=1))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
