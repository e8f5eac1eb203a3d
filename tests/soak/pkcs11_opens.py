"""Opens one message again and again with keys on a token, from several threads and processes, while it is pulled out.

    python -m tests.soak.pkcs11_opens --opens 10000 --processes 2 --threads 4 --pulls 3

Every open must give the same content. While the token is out an open may only fail with a fault that waits, never as a
broken message; no process may crash. Figures are printed as one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.faults import Misconfigured, Rejected, Transient
from intermediary.core.values import MemoryContent
from intermediary.keys.ring import Keyring
from intermediary.osci.write import seal
from intermediary.testing.pki import Pki, make_pki
from intermediary.testing.samples import sample_letter
from intermediary.testing.tokens import CONFIGURATION, SoftToken, make_token, store_key
from intermediary.unseal import profile
from intermediary.unseal.osci.message import open_message

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PATIENCE_SECONDS = 60
"""How long one open may fail for want of the token, which is never out for more than a moment."""

ON_TOKEN = ("recipient-cipher", "reader-cipher")


@dataclass(frozen=True, slots=True)
class Load:
    """How much is done: opens in all, shared by processes and threads, and how often the token is pulled out meanwhile."""

    opens: int
    processes: int = 2
    threads: int = 4
    pulls: int = 1


def run(folder: Path, pki: Pki, load: Load) -> dict[str, object]:
    """Do it in a folder of its own; the figures. `ok` is whether everything held."""
    token = _furnish(folder, pki)
    environment = os.environ | {CONFIGURATION: str(token.configuration)}
    words = [sys.executable, "-m", "tests.soak.pkcs11_opens", "--child", str(folder)]
    words += ["--opens", str(load.opens // load.processes), "--threads", str(load.threads)]
    started = time.monotonic()
    children = [
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(load.processes)
    ]
    first = children[0].stdout
    assert first is not None
    for _ in range(load.pulls):
        _wait_for(first, "opened")
        token.pull_out()
        _wait_for(first, "fault")
        token.put_back()
    results = [json.loads(child.communicate()[0].splitlines()[-1]) for child in children]
    seconds = time.monotonic() - started
    exits = [child.returncode for child in children]
    opened = sum(result["opened"] for result in results)
    broken = sum(result["broken"] for result in results)
    return {
        "ok": exits == [0] * load.processes and broken == 0 and opened == load.opens // load.processes * load.processes,
        "opened": opened,
        "takenForBroken": broken,
        "stuck": sum(result["stuck"] for result in results),
        "faults": sum((Counter(result["faults"]) for result in results), Counter()),
        "exits": exits,
        "seconds": round(seconds, 1),
        "opensPerSecond": round(opened / seconds),
        "peakMegabytes": [result["megabytes"] for result in results],
    }


def child(folder: Path, opens: int, threads: int) -> int:
    """One process: prints `opened` at the first open and after every fault, `fault` at the first fault in between."""
    ring, raw = Keyring.load(folder / "ring.toml"), (folder / "message.osci").read_bytes()
    left, lock, tally = iter(range(opens)), threading.Lock(), Counter[str]()
    expected = (folder / "content").read_text().split()
    is_out: list[bool] = [True]

    def note(kind: str, *, out: bool) -> None:
        with lock:
            tally[kind] += 1
            if is_out[0] is not out:
                is_out[0] = out
                print("fault" if out else "opened", flush=True)

    def work() -> None:
        while True:
            with lock:
                if next(left, None) is None:
                    return
            begun = time.monotonic()
            while True:
                if time.monotonic() - begun > PATIENCE_SECONDS:
                    note("stuck", out=False)
                    break
                try:
                    opened = open_message(
                        MemoryContent(raw), keyring=ring, policy=profile("osci"), at=NOW, role="any"
                    ).opened
                except (Misconfigured, Transient) as fault:
                    note(fault.code, out=True)
                except Rejected:
                    note("broken", out=False)
                    break
                else:
                    is_same = expected == [part.content.sha256 for part in opened.contents]
                    note("opened" if is_same else "broken", out=False)
                    break

    together = [threading.Thread(target=work) for _ in range(threads)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    opened, broken, stuck = tally.pop("opened", 0), tally.pop("broken", 0), tally.pop("stuck", 0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        json.dumps({"opened": opened, "broken": broken, "stuck": stuck, "faults": tally, "megabytes": peak}), flush=True
    )
    return 0


def _furnish(folder: Path, pki: Pki) -> SoftToken:
    token = make_token(folder / "hsm")
    os.environ[CONFIGURATION] = str(token.configuration)
    lines = ['policy = "osci"']
    for number, name in enumerate(ON_TOKEN, 1):
        member = pki.members[name]
        store_key(token, name, member.private, member.certificate, identifier=bytes([number]))  # type: ignore[arg-type]
        lines += [
            "[[key]]",
            f'pkcs11 = "{token.uri(name)}"',
            f'module = "{token.module}"',
            f'password_file = "{token.pin_file}"',
            f'pem = "{name}.pem"',  # the token may be out while a process begins
        ]
        (folder / f"{name}.pem").write_bytes(member.certificate.public_bytes(Encoding.PEM))
    (folder / "ring.toml").write_text("\n".join(lines))
    letter = sample_letter(1, now=NOW)
    (folder / "message.osci").write_bytes(seal(letter, parties=pki.parties, random=secrets.token_bytes, now=NOW))
    (folder / "content").write_text("\n".join(MemoryContent(one).sha256 for one in letter.contents))
    return token


def _wait_for(lines: object, word: str) -> None:
    for line in lines:  # type: ignore[attr-defined]
        if line.strip() == word:
            return
    raise RuntimeError(f"the child ended before it said {word}")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--opens", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--pulls", type=int, default=3)
    parser.add_argument("--child", type=Path)
    given = parser.parse_args()
    if given.child is not None:
        return child(given.child, given.opens, given.threads)
    pki = make_pki(valid_from=NOW - timedelta(days=30), valid_until=NOW + timedelta(days=365))
    with tempfile.TemporaryDirectory() as folder:
        figures = run(Path(folder) / "run", pki, Load(given.opens, given.processes, given.threads, given.pulls))
    print(json.dumps(figures))
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
