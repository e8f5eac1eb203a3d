"""Whether the time of an answer betrays why something could not be decrypted (rule R3), at the endpoint over HTTP."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.families import PASSWORD, Member, families
from intermediary.keys.wrap import create_kek

REQUESTS = 2000
LANES = 4
RESAMPLES = 2000
_KEYS = ("recipient-cipher", "reader-cipher", "reader2-cipher")
_CONFIG = """
[installation]
name = "bench-timing"
data = "data"
routes = "routes.toml"
[audit]
heads_folder = "heads"
[schemas]
folder = "schemas"
[[mandant]]
name = "musterstadt"
kek_file = "musterstadt.kek"
keyring = "keyring.toml"
[[channel]]
name = "osci"
type = "osci_passive"
mandanten = ["musterstadt"]
[channel.osci_passive]
listen = "127.0.0.1:{port}"
"""


def measure(requests: int = REQUESTS, lanes: int = LANES) -> None:
    """Each member of each family against the first of it: `requests` of both, interleaved, over `lanes` connections."""
    vectors = Path(os.environ.get("INTERMEDIARY_SHARED", "../shared")).resolve() / "vectors" / "osci"
    if not vectors.is_dir():
        print("  no vectors: set INTERMEDIARY_SHARED to the folder of shared material", file=sys.stderr)
        return
    _go_first()
    with tempfile.TemporaryDirectory(prefix="intermediary-bench.") as name, _endpoint(Path(name), vectors) as port:
        for family, members in families(vectors).items():
            print(f"  {family}: {len(members)} members, {requests} requests each")
            first, *others = members
            for other in others:
                _compare(port, first, other, requests, lanes)


def _go_first() -> None:
    """Real-time priority for this process and the endpoint, if it may be had: whatever else runs here blurs the times."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (OSError, AttributeError):
        print("  no real-time priority: leave the machine alone meanwhile", file=sys.stderr)


def _compare(port: int, first: Member, second: Member, requests: int, lanes: int) -> None:
    for attempt in range(2):  # one repeat is allowed
        one, two = _interleaved(port, (first, second), requests, lanes)
        difference = median(two) - median(one)
        low, high = _interval(one, two)
        holds = abs(difference) <= min(0.05 * median(one), 100e-6) and low > -150e-6 and high < 150e-6
        print(
            f"    {first.name} | {second.name}: medians {median(one) * 1e3:.3f} and {median(two) * 1e3:.3f} ms, "
            f"difference {difference * 1e6:+.0f} µs, 99 % within [{low * 1e6:+.0f}, {high * 1e6:+.0f}] µs: "
            f"{'alike' if holds else 'NOT ALIKE'}{' (repeat)' if attempt else ''}",
            flush=True,
        )
        if holds:
            return


def _interleaved(
    port: int, members: tuple[Member, Member], requests: int, lanes: int
) -> tuple[list[float], list[float]]:
    """Seconds from the last byte sent to the first byte received; in each lane by turns, beginning with either."""
    seconds: tuple[list[float], list[float]] = ([], [])
    failed: list[BaseException] = []

    def run(lane: int) -> None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for turn in range(2 * (requests // lanes)):
                    which = (turn + lane) % 2
                    seconds[which].append(_ask(client, members[which].request()))
        except BaseException as failure:
            failed.append(failure)

    threads = [threading.Thread(target=run, args=(lane,)) for lane in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return seconds


def _ask(client: socket.socket, body: bytes) -> float:
    client.sendall(b"POST /osci HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    sent = perf_counter()
    client.recv(1, socket.MSG_PEEK)
    took = perf_counter() - sent
    response = HTTPResponse(client)
    response.begin()
    response.read()
    if response.status != 200:
        raise RuntimeError(f"the endpoint said {response.status}")
    return took


def _interval(one: list[float], two: list[float]) -> tuple[float, float]:
    """The 99 % bootstrap interval of the difference of medians."""
    dice = random.Random(20261121)
    differences = sorted(
        median(dice.choices(two, k=len(two))) - median(dice.choices(one, k=len(one))) for _ in range(RESAMPLES)
    )
    return differences[int(0.005 * RESAMPLES)], differences[int(0.995 * RESAMPLES) - 1]


@contextmanager
def _endpoint(folder: Path, vectors: Path) -> Iterator[int]:
    """A real door with the vectors' keys and a store of its own, in another process."""
    config = _site(folder, vectors)
    command = [sys.executable, "-m", "bench.endpoint", str(config)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def _site(folder: Path, vectors: Path) -> Path:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for name in ("heads", "schemas"):
        (folder / name).mkdir(mode=0o700)
    create_kek(folder / "musterstadt.kek")
    (folder / "routes.toml").touch()
    (folder / "password").write_bytes(PASSWORD)
    (folder / "password").chmod(0o600)
    keys = ""
    for name in _KEYS:
        (folder / f"{name}.p12").write_bytes((vectors / "keys" / f"{name}.p12").read_bytes())
        (folder / f"{name}.p12").chmod(0o600)
        keys += f'[[key]]\np12 = "{name}.p12"\npassword_file = "password"\n'
    (folder / "keyring.toml").write_text(f'policy = "legacy"\n{keys}', encoding="utf-8")
    config = folder / "intermediary.toml"
    config.write_text(_CONFIG.format(port=port), encoding="utf-8")
    return config
